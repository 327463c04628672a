package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// hostForm describes the form of a host, for messages.
const hostForm = "a name or an address, without scheme and port"

// checkHost returns what is wrong with the name of a host and how to fix it;
// empty when nothing is wrong.
func checkHost(host string) string {
	err := hyperv.CheckHostName(host)
	if err == nil {
		return ""
	}
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// hostOf returns the host on which a disk is looked for: its own, else that of the provider in this
// run, which may be unknown. Having neither is an error.
func hostOf(own, providers types.String) (types.String, diag.Diagnostic) {
	switch {
	case !own.IsNull():
		return own, nil
	case !providers.IsNull():
		return providers, nil
	}
	return own, noHost()
}

// hostValidator refuses values that cannot be the name of a host.
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
