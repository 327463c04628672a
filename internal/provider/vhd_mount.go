package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// checkMount refuses a mode that contradicts mount_read_only. Retrim is
// documented as possible only while the disk is attached read-only.
func checkMount(mode types.String, mount types.Bool) diag.Diagnostics {
	unmounted := !mount.IsNull() && !mount.IsUnknown() && !mount.ValueBool()
	if !unmounted || mode.ValueString() != string(hyperv.ModeRetrim) {
		return nil
	}
	return diag.Diagnostics{invalidAttribute(path.Root("mount_read_only"), "false", "true with mode Retrim, which works only while the disk is attached read-only",
		"Leave mount_read_only out, or choose Pretrimmed, which works unattached.")}
}

// checkAllowMount refuses what allow_mount of the provider contradicts.
func checkAllowMount(allowed types.Bool, mode types.String, mount types.Bool) diag.Diagnostics {
	var diags diag.Diagnostics
	if allowed.IsUnknown() || allowed.ValueBool() {
		return diags
	}
	if mount.ValueBool() {
		diags.Append(mountForbidden("mount_read_only", "true"))
	}
	if mode.ValueString() == string(hyperv.ModeRetrim) {
		diags.Append(mountForbidden("mode", mode.ValueString()))
	}
	return diags
}
