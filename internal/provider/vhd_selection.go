package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

// vhdSelection selects disks of a host.
type vhdSelection struct {
	Host             types.String   `tfsdk:"host"`
	Directory        pathtype.Value `tfsdk:"directory"`
	Recurse          types.Bool     `tfsdk:"recurse"`
	VMName           types.String   `tfsdk:"vm_name"`
	Extensions       types.List     `tfsdk:"extensions"`
	MinFileSizeBytes types.Int64    `tfsdk:"min_file_size_bytes"`
}

// check refuses a selection that is contradictory or incomplete.
func (s vhdSelection) check() diag.Diagnostics {
	var diags diag.Diagnostics
	switch {
	case s.Directory.IsUnknown() || s.VMName.IsUnknown():
		return nil
	case s.Directory.IsNull() && s.VMName.IsNull():
		diags.AddAttributeError(path.Root("directory"), summaryAttribute, "Neither directory nor vm_name is set.\n\nSet one of them.")
	case !s.Directory.IsNull() && !s.VMName.IsNull():
		diags.AddAttributeError(path.Root("vm_name"), summaryAttribute, "Both directory and vm_name are set.\n\nRemove one of them.")
	case s.Directory.IsNull() && s.Recurse.ValueBool():
		diags.AddAttributeError(path.Root("recurse"), summaryAttribute, "recurse is true, but the disks of a virtual machine are in no directory.\n\nRemove it, or set directory in place of vm_name.")
	}
	diags.Append(s.checkValues()...)
	return diags
}

// checkValues refuses values that cannot be listed.
func (s vhdSelection) checkValues() diag.Diagnostics {
	var diags diag.Diagnostics
	if d := s.Directory.ValueString(); winpath.IsUNC(d) || winpath.IsVolumeGUID(d) {
		diags.Append(invalidAttribute(path.Root("directory"), d, `a path with the drive letter that the directory has on the host, as D:\VMs`,
			"Files behind a share or a volume path cannot be listed. Write the drive letter, or set vm_name in place of directory."))
	}
	if s.Directory.IsNull() && s.VMName.ValueString() == "" && !s.VMName.IsNull() {
		diags.Append(invalidAttribute(path.Root("vm_name"), "", "the name or the GUID of a virtual machine", "Write it, or set directory."))
	}
	return diags
}

// toListing turns the selection into what package hyperv lists.
func (s vhdSelection) toListing(ctx context.Context) (hyperv.Listing, diag.Diagnostics) {
	listing := hyperv.Listing{
		Directory:        s.Directory.ValueString(),
		Recurse:          s.Recurse.ValueBool(),
		Machine:          s.VMName.ValueString(),
		MinFileSizeBytes: s.MinFileSizeBytes.ValueInt64(),
	}
	var extensions []string
	diags := s.Extensions.ElementsAs(ctx, &extensions, false)
	for _, extension := range extensions {
		listing.Formats = append(listing.Formats, hyperv.Format(extension))
	}
	return listing, diags
}

// subject names the selection in diagnostics.
func (s vhdSelection) subject(host *hyperv.Host) subject {
	return subject{path: s.Directory.ValueString(), machine: s.VMName.ValueString(), host: host.Name()}
}

// listError reports why a listing ended, at the attribute that asked for it.
func (d *providerData) listError(s vhdSelection, host *hyperv.Host, err error) diag.Diagnostic {
	known := hyperv.Explain(err)
	if known.HostWide {
		return d.describeError(summaryList, s.subject(host), situation{doing: reading}, err)
	}
	at := path.Root("directory")
	if s.Directory.IsNull() {
		at = path.Root("vm_name")
	}
	known.Hint = s.hint(err, known.Hint)
	return diag.NewAttributeErrorDiagnostic(at, summaryList, errorDetail(s.subject(host), known, situation{doing: reading, connection: d.connection}, err))
}

// hint returns the remedy for a failed listing, in place of the one for the error itself: the
// answer for a missing directory would elsewhere mean a missing role.
func (s vhdSelection) hint(err error, known string) string {
	switch {
	case errors.Is(err, hyperv.ErrPathNotFound):
		return "Check directory, and that its volume is online."
	case errors.Is(err, hyperv.ErrNoMachine):
		return "Write vm_name as the host shows it, as name or GUID: Get-VM | Select-Object Name, Id."
	case errors.Is(err, hyperv.ErrNotSupported) && known == "" && s.Directory.IsNull():
		return "Set directory in place of vm_name: only hosts since Windows Server 2012 are asked for the disks of a virtual machine."
	}
	return known
}

// extensions returns the formats that can be listed.
func extensions() []string { return []string{string(hyperv.FormatVHD), string(hyperv.FormatVHDX)} }

func extensionValidators() []validator.List {
	return []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(oneOfEach(extensions()...))}
}
