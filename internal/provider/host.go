package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// hostForm is how a host is written.
const hostForm = "a name or an address, without scheme and port"

// checkHost says what is wrong with the name of a host and how to mend it; empty
// when nothing is.
func checkHost(host string) string {
	err := hyperv.CheckHostName(host)
	if err == nil {
		return ""
	}
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// hostOf is the host that a disk is asked on: its own, else the provider's of this
// run. It is null or unknown while there is none.
func hostOf(own, providers types.String) types.String {
	if own.IsNull() {
		return providers
	}
	return own
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
