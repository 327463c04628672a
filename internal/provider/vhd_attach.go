package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// checkAttach refuses a mode that contradicts attach_read_only. Retrim is
// documented as possible only while the disk is attached read-only.
func checkAttach(mode types.String, attach types.Bool) diag.Diagnostics {
	unattached := !attach.IsNull() && !attach.IsUnknown() && !attach.ValueBool()
	if !unattached || mode.ValueString() != string(hyperv.ModeRetrim) {
		return nil
	}
	return diag.Diagnostics{invalidAttribute(path.Root("attach_read_only"), "false", "true with mode Retrim, which works only while the disk is attached read-only",
		"Leave attach_read_only out, or choose Pretrimmed, which works unattached.")}
}

// checkAllowAttach refuses what allow_attach of the provider contradicts.
func checkAllowAttach(allowed types.Bool, mode types.String, attach types.Bool) diag.Diagnostics {
	var diags diag.Diagnostics
	if allowed.IsUnknown() || allowed.ValueBool() {
		return diags
	}
	if attach.ValueBool() {
		diags.Append(attachForbidden("attach_read_only", "true"))
	}
	if mode.ValueString() == string(hyperv.ModeRetrim) {
		diags.Append(attachForbidden("mode", mode.ValueString()))
	}
	return diags
}
