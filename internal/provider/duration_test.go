package provider_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// Every time limit has an upper bound: near the longest duration that can be written, a limit and
// the time that is added to it would be less than nothing.
func TestEveryInput_longDurations(t *testing.T) {
	t.Parallel()
	s := serve(t, host(t, hypervsim.WithVHD(vhd())))
	limits := 0
	for prefix, c := range everySchema(s) {
		for name := range inputs(c.schema.Block.Attributes) {
			most := "8760h"
			switch {
			case prefix == "provider" && name == "timeout":
				most = "24h"
			case !strings.HasPrefix(name, "timeouts."):
				continue
			}
			limits++
			for written, want := range map[string]string{
				most: "", most + "1ns": "at most " + most, "2562047h47m16s": "at most " + most, "2562047h47m17s": "at most " + most,
			} {
				set := maps.Clone(c.needs)
				outer, v := within(c.schema, name, func(tftypes.Type) tftypes.Value { return text(written) })
				set[outer] = v
				config := s.object(c.schema, set)
				got := strings.Join(texts(c.check(t, &config)), "\n")
				holds(t, prefix+"."+name, got, want)
				if want != "" {
					holds(t, prefix+"."+name, got, name+" is \""+written+"\"")
				}
			}
		}
	}
	if limits != 8 {
		t.Errorf("%d time limits, want 8", limits)
	}
}
