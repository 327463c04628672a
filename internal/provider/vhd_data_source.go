package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

var _ datasource.DataSourceWithConfigure = (*vhdDataSource)(nil)

type vhdDataSource struct {
	data *providerData
}

func newVHDDataSource() datasource.DataSource { return &vhdDataSource{} }

func (d *vhdDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = typeName + "_vhd"
}

func (d *vhdDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.data = providerDataFrom(req.ProviderData, &resp.Diagnostics)
}

// vhdModel is one disk.
type vhdModel struct {
	Path                    pathtype.Value `tfsdk:"path"`
	Host                    types.String   `tfsdk:"host"`
	Timeouts                timeouts.Value `tfsdk:"timeouts"`
	Format                  types.String   `tfsdk:"format"`
	VHDType                 types.String   `tfsdk:"vhd_type"`
	FileSizeBytes           types.Int64    `tfsdk:"file_size_bytes"`
	VirtualSizeBytes        types.Int64    `tfsdk:"virtual_size_bytes"`
	MinimumVirtualSizeBytes types.Int64    `tfsdk:"minimum_virtual_size_bytes"`
	FragmentationPercent    types.Int64    `tfsdk:"fragmentation_percent"`
	BlockSizeBytes          types.Int64    `tfsdk:"block_size_bytes"`
	LogicalSectorSizeBytes  types.Int64    `tfsdk:"logical_sector_size_bytes"`
	PhysicalSectorSizeBytes types.Int64    `tfsdk:"physical_sector_size_bytes"`
	VirtualDiskID           types.String   `tfsdk:"virtual_disk_id"`
	ParentPath              types.String   `tfsdk:"parent_path"`
	Attached                types.String   `tfsdk:"attached"`
	InUseBy                 []useModel     `tfsdk:"in_use_by"`
}

// Schema describes inputs first, then outputs.
func (d *vhdDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads everything that a Hyper-V host reports about one virtual hard disk file.",
		Attributes: map[string]schema.Attribute{
			"path":     schema.StringAttribute{Required: true, CustomType: pathtype.Type{}, MarkdownDescription: describePath},
			"host":     dataHost(),
			"timeouts": dataTimeouts(),

			"format":                     dataString(describeFormat),
			"vhd_type":                   dataString(describeVHDType),
			"file_size_bytes":            dataInt64("Size in bytes of the file on the host."),
			"virtual_size_bytes":         dataInt64(describeVirtualSize),
			"minimum_virtual_size_bytes": dataInt64("Smallest size in bytes to which the disk could be shrunk for the guest; null when the host does not know it."),
			"fragmentation_percent":      dataInt64("Fragmentation of the file in percent; null when the host does not know it."),
			"block_size_bytes":           dataInt64("Size in bytes of a block, the unit in which the file grows; null on hosts before Windows Server 2012."),
			"logical_sector_size_bytes":  dataInt64("Logical sector size in bytes; null on hosts before Windows Server 2012."),
			"physical_sector_size_bytes": dataInt64("Physical sector size in bytes; null on hosts before Windows Server 2012."),
			"virtual_disk_id":            dataString("Identifier inside the disk that survives moving and copying the file."),
			"parent_path":                dataString(describeParentPath),
			"attached":                   dataString("How the disk is attached to the host itself, not to a virtual machine: `none`, `read_only` or `read_write`."),
			"in_use_by":                  inUseByAttribute(),
		},
	}
}

// Read asks the host. A missing disk is an error, because a configuration that
// reads a disk depends on it.
func (d *vhdDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model vhdModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	timeout, diags := model.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	if d.data.defers(req.ClientCapabilities.DeferralAllowed, model.Host) {
		resp.Deferred = &datasource.Deferred{Reason: datasource.DeferredReasonProviderConfigUnknown}
		return
	}
	host, bad := d.data.reach(model.Host)
	resp.Diagnostics.Append(bad)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := bounded(ctx, timeout, "timeouts.read")
	defer cancel()
	about := subject{path: model.Path.ValueString(), host: host.Name()}
	ctx = about.inLog(ctx)

	found, err := host.Describe(ctx, model.Path.ValueString())
	if err != nil {
		resp.Diagnostics.Append(d.data.describeError(summaryRead, about, situation{doing: reading}, err))
		return
	}
	model.fromDescription(found)
	resp.Diagnostics.Append(hiddenUsesWarning(about, found.UsesHidden)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// fromDescription takes over the values that the host reports; the others are
// null.
func (m *vhdModel) fromDescription(d hyperv.Description) {
	m.Format = optionalString(string(d.Format))
	m.VHDType = optionalString(string(d.Type))
	m.FileSizeBytes = types.Int64Value(d.FileSizeBytes)
	m.VirtualSizeBytes = types.Int64Value(d.VirtualSizeBytes)
	m.MinimumVirtualSizeBytes = types.Int64PointerValue(d.MinimumVirtualSizeBytes)
	m.FragmentationPercent = types.Int64PointerValue(d.FragmentationPercent)
	m.BlockSizeBytes = types.Int64PointerValue(d.BlockSizeBytes)
	m.LogicalSectorSizeBytes = types.Int64PointerValue(d.LogicalSectorSizeBytes)
	m.PhysicalSectorSizeBytes = types.Int64PointerValue(d.PhysicalSectorSizeBytes)
	m.VirtualDiskID = types.StringPointerValue(d.VirtualDiskID)
	m.ParentPath = optionalString(d.ParentPath)
	m.Attached = types.StringValue(string(d.Attachment))
	m.InUseBy = usesModel(d.Uses, d.UsesHidden)
}
