package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Time limits of operations for which the timeouts attribute sets none.
const (
	defaultRunTimeout  = 8 * time.Hour
	defaultReadTimeout = 5 * time.Minute
)

// longestTimeout is more than any operation takes. Without a bound, a limit close to the longest
// duration that can be written is less than nothing once something is added to it.
const longestTimeout = 365 * 24 * time.Hour

// timeoutMembers are the types of the members of a timeouts attribute.
func timeoutMembers(names ...string) map[string]attr.Type {
	all := map[string]attr.Type{}
	for _, name := range names {
		all[name] = types.StringType
	}
	return all
}
