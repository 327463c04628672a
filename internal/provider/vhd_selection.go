package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

// vhdSelection says which disks of a host are meant.
type vhdSelection struct {
	Host             types.String   `tfsdk:"host"`
	Directory        pathtype.Value `tfsdk:"directory"`
	Recurse          types.Bool     `tfsdk:"recurse"`
	VMName           types.String   `tfsdk:"vm_name"`
	Extensions       types.List     `tfsdk:"extensions"`
	MinFileSizeBytes types.Int64    `tfsdk:"min_file_size_bytes"`
}

// check refuses what says too much or too little.
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

// where names what is listed, in diagnostics.
func (s vhdSelection) where() string {
	if !s.VMName.IsNull() {
		return "Virtual machine: " + s.VMName.ValueString()
	}
	return "Directory: " + s.Directory.ValueString()
}

// listError says why a listing ended.
func (d *providerData) listError(s vhdSelection, host types.String, err error) diag.Diagnostic {
	about := subject{path: s.Directory.ValueString(), host: host.ValueString()}
	if hyperv.Explain(err).HostWide {
		return d.told.describeError(summaryList, about, err)
	}
	detail := fmt.Sprintf("%s\nHost: %s\n\n%s", s.where(), host.ValueString(), err)
	if hint := hyperv.Explain(err).Hint; hint != "" && !errors.Is(err, hyperv.ErrNotSupported) {
		detail += "\n\n" + hint
	}
	return diag.NewErrorDiagnostic(summaryList, detail)
}

// timeoutMember are the types of a timeouts attribute with one member.
func timeoutMember(name string) map[string]attr.Type {
	return map[string]attr.Type{name: types.StringType}
}

// describeReadTimeout is what every bound of reading says.
const describeReadTimeout = "Bound of the reading, as `5m` or `30s`. Default: `5m`."
