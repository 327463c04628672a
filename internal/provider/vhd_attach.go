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

// checkParent refuses a consent that could have no effect: in a parent, only
// blocks of zeros can be dropped, which one mode does, without attaching the
// disk.
func checkParent(allowed types.Bool, mode types.String, attach types.Bool) diag.Diagnostics {
	if !allowed.ValueBool() || mode.IsUnknown() || attach.IsUnknown() {
		return nil
	}
	if mode.ValueString() == string(hyperv.ModePrezeroed) && !attach.ValueBool() {
		return nil
	}
	return diag.Diagnostics{invalidAttribute(path.Root("allow_parent"), "true", `true together with mode = "Prezeroed" and without attach_read_only = true`,
		"Every other way drops blocks that hold data, after which the children of the disk can refuse to open. Set mode, or remove allow_parent.")}
}

// checkAllowAttach refuses inputs that allow_attach of the provider
// contradicts.
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
