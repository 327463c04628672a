package provider

import (
	"context"
	"net"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// hostForm is how a host is written.
const hostForm = "a name or an address, without scheme and port"

// checkHost says what is wrong with the name of a host and how to mend it; empty
// when nothing is.
func checkHost(host string) string {
	switch {
	case strings.TrimSpace(host) != host || host == "":
		return "Remove the spaces."
	case strings.Contains(host, "://"):
		return "Remove the scheme: the provider's https decides it."
	case strings.ContainsAny(host, `/\|@ `):
		return `Remove what is not part of the name: / \ | @ and spaces.`
	case net.ParseIP(strings.Trim(host, "[]")) != nil:
		return ""
	case strings.ContainsAny(host, ":[]"):
		return "Remove the port: the provider's port decides it. An IPv6 address is accepted with or without brackets."
	}
	return ""
}

// sameHost compares names of hosts, which have no letter case.
func sameHost(a, b string) bool {
	return strings.EqualFold(strings.Trim(a, "[]"), strings.Trim(b, "[]"))
}

// hostValidator refuses what cannot be the name of a host.
type hostValidator struct{}

func (hostValidator) Description(context.Context) string { return hostForm }

func (v hostValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (hostValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if fix := checkHost(req.ConfigValue.ValueString()); fix != "" {
		resp.Diagnostics.Append(invalidAttribute(req.Path, req.ConfigValue.ValueString(), hostForm, fix))
	}
}
