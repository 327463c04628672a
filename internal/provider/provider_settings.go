package provider

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hostenv"
)

// settings reads attributes that fall back to the environment and collects
// their mistakes.
type settings struct {
	env           lookupEnv
	withoutCCName bool // other credentials are given: leave the machine's ticket cache alone
	unknown       bool // an attribute is unknown, so nothing can be reached yet
	diags         diag.Diagnostics
}

// read returns a value and the environment variable that it came from, if any.
// An empty variable counts as unset.
func (s *settings) read(attribute string, null, unknown bool, value string) (text, origin string) {
	if unknown {
		s.unknown = true
		return "", ""
	}
	if !null {
		return value, ""
	}
	var except []string
	if s.withoutCCName {
		except = append(except, envCCName)
	}
	return hostenv.Read(hostenv.Lookup(s.env), attribute, except...)
}

func (s *settings) text(attribute string, v types.String) string {
	value, _ := s.read(attribute, v.IsNull(), v.IsUnknown(), v.ValueString())
	return value
}

func (s *settings) flag(attribute string, v types.Bool, byDefault bool) bool {
	value, origin := s.read(attribute, v.IsNull(), v.IsUnknown(), strconv.FormatBool(v.ValueBool()))
	if value == "" {
		return byDefault
	}
	b, err := strconv.ParseBool(value)
	if err != nil {
		s.invalid(attribute, origin, value, "true or false", "Set the variable to true or false, or unset it.")
	}
	return b
}

func (s *settings) number(attribute string, v types.Int64, byDefault, least, most int) int {
	value, origin := s.read(attribute, v.IsNull(), v.IsUnknown(), strconv.FormatInt(v.ValueInt64(), 10))
	if value == "" {
		return byDefault
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		s.invalid(attribute, origin, value, fmt.Sprintf("a whole number from %d to %d", least, most), "Leave it out for the default.")
	}
	return n
}

// unlessUnknown returns the resolved value, or unknown while the attribute is.
func (s *settings) unlessUnknown(v types.Bool, resolved bool) types.Bool {
	if v.IsUnknown() {
		return v
	}
	return types.BoolValue(resolved)
}

// duration reads a positive Go duration.
func (s *settings) duration(attribute string, v types.String, byDefault string, most time.Duration) time.Duration {
	value, origin := s.read(attribute, v.IsNull(), v.IsUnknown(), v.ValueString())
	if value == "" {
		value = byDefault
	}
	d, ok := parseDuration(value, most)
	if !ok {
		s.invalid(attribute, origin, value, durationForm(most), durationFix)
	}
	return d
}

// file reads a file that an attribute names.
func (s *settings) file(attribute, name string) []byte {
	if name == "" {
		return nil
	}
	content, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		s.refuse(attribute, "names a file that cannot be read: "+err.Error(), "Name a PEM file that the user running Terraform may read.")
	}
	return content
}

// invalid reports a value of the wrong form. It is never called for a secret.
func (s *settings) invalid(attribute, origin, value, allowed, fix string) {
	from := ""
	if origin != "" {
		from = " (from the environment variable " + origin + ")"
	}
	s.refuse(attribute, fmt.Sprintf("is %q%s. Allowed: %s", value, from, allowed), fix)
}

// refuse reports a mistake in an attribute, and the fix.
func (s *settings) refuse(attribute, wrong, fix string) {
	s.diags.AddAttributeError(attributePath(attribute), summaryProvider, attribute+" "+wrong+".\n\n"+fix)
}

// attributePath turns "kerberos.realm" into a path.
func attributePath(attribute string) path.Path {
	names := strings.Split(attribute, ".")
	p := path.Root(names[0])
	for _, name := range names[1:] {
		p = p.AtName(name)
	}
	return p
}
