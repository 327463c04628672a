package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

var (
	_ datasource.DataSourceWithConfigure      = (*vhdsDataSource)(nil)
	_ datasource.DataSourceWithValidateConfig = (*vhdsDataSource)(nil)
)

type vhdsDataSource struct {
	data *providerData
}

func newVHDsDataSource() datasource.DataSource { return &vhdsDataSource{} }

func (d *vhdsDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = typeName + "_vhds"
}

func (d *vhdsDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.data = providerDataFrom(req.ProviderData, &resp.Diagnostics)
}

// vhdsModel is a listing.
type vhdsModel struct {
	vhdSelection

	Inspect  types.Bool        `tfsdk:"inspect"`
	Timeouts timeouts.Value    `tfsdk:"timeouts"`
	Disks    []listedDiskModel `tfsdk:"disks"`
	Paths    []string          `tfsdk:"paths"`
}

// listedDiskModel is one disk of a listing.
type listedDiskModel struct {
	Path             types.String `tfsdk:"path"`
	Format           types.String `tfsdk:"format"`
	FileSizeBytes    types.Int64  `tfsdk:"file_size_bytes"`
	InUseBy          []useModel   `tfsdk:"in_use_by"`
	VHDType          types.String `tfsdk:"vhd_type"`
	VirtualSizeBytes types.Int64  `tfsdk:"virtual_size_bytes"`
	ParentPath       types.String `tfsdk:"parent_path"`
}

// Schema describes inputs first, then outputs.
func (d *vhdsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the virtual hard disks in a directory of a Hyper-V host or of one virtual machine, for use in `for_each`. A directory that does not exist is an error, never an empty list.",
		Attributes: map[string]schema.Attribute{
			"host":      dataHost(),
			"directory": schema.StringAttribute{Optional: true, CustomType: pathtype.Type{Directory: true}, MarkdownDescription: describeDirectory},
			"recurse":   schema.BoolAttribute{Optional: true, MarkdownDescription: describeRecurse},
			"vm_name":   schema.StringAttribute{Optional: true, MarkdownDescription: describeVMName},
			"extensions": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				Validators:          extensionValidators(),
				MarkdownDescription: describeExtensions,
			},
			"min_file_size_bytes": schema.Int64Attribute{
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(0)},
				MarkdownDescription: describeMinimum + " Not for a `for_each` of compactions: a disk that is compacted below this size leaves the list, and Terraform then plans to destroy its resource, which forgets the disk and leaves the file. Set `min_file_size_bytes` of the resource instead.",
			},
			"inspect":  schema.BoolAttribute{Optional: true, MarkdownDescription: "Open each disk to read its `vhd_type`, `virtual_size_bytes` and `parent_path`, at two requests per disk. A disk that cannot be opened gets a warning and null. Default: `false`."},
			"timeouts": dataTimeouts(),

			"disks": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The disks, by path.",
				NestedObject:        schema.NestedAttributeObject{Attributes: listedDiskAttributes()},
			},
			"paths": schema.SetAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "The paths of the disks, for `for_each`. A disk whose path no compaction can have, for example one with an invisible character in its name, is left out with a warning."},
		},
	}
}

func listedDiskAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"path":               dataString("Path of the file. What follows `directory` is in the letters that the host reports, which are lower case as a rule."),
		"format":             dataString("Format by the extension of the file: `vhd` or `vhdx`."),
		"file_size_bytes":    dataInt64("Size in bytes of the file on the host; null when the host does not find a file that a virtual machine refers to."),
		"in_use_by":          inUseByAttribute(),
		"vhd_type":           dataString(describeVHDType + " Null without `inspect`."),
		"virtual_size_bytes": dataInt64(describeVirtualSize + " Null without `inspect`."),
		"parent_path":        dataString(describeParentPath + " Null without `inspect`."),
	}
}

func (d *vhdsDataSource) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var config vhdsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(config.check()...)
	}
}

func (d *vhdsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model vhdsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	timeout, diags := model.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	listing, diags := model.toListing(ctx)
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
	ctx = model.subject(host).inLog(ctx)

	var found []hyperv.ListedDisk
	for disk, err := range host.List(ctx, listing) {
		if err != nil {
			resp.Diagnostics.Append(d.data.listError(model.vhdSelection, host, err))
			return
		}
		found = append(found, disk)
	}
	slices.SortFunc(found, func(a, b hyperv.ListedDisk) int {
		return strings.Compare(winpath.Key(a.Path), winpath.Key(b.Path))
	})
	resp.Diagnostics.Append(model.fill(ctx, d.data, host, found)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}

// fill adds to the files the properties of the disks in them.
func (m *vhdsModel) fill(ctx context.Context, data *providerData, host *hyperv.Host, found []hyperv.ListedDisk) diag.Diagnostics {
	var diags diag.Diagnostics
	m.Disks, m.Paths = []listedDiskModel{}, []string{}
	var all []string
	told := false // the users of a host's disks are mostly hidden for one reason
	for _, disk := range found {
		about := subject{path: disk.Path, host: host.Name()}
		uses, hidden, err := host.VisibleUses(ctx, disk.Path)
		if err != nil {
			diags.Append(data.describeError(summaryList, about, situation{doing: reading}, err))
			return diags
		}
		if !told {
			diags.Append(hiddenUsesWarning(about, hidden)...)
			told = hidden != nil
		}
		one := listedDiskModel{
			Path:          types.StringValue(disk.Path),
			Format:        types.StringValue(string(disk.Format)),
			FileSizeBytes: types.Int64PointerValue(disk.FileSizeBytes),
			InUseBy:       usesModel(uses, hidden),
		}
		if m.Inspect.ValueBool() {
			diags.Append(one.inspect(ctx, data, host, about)...)
		}
		if diags.HasError() {
			return diags
		}
		m.Disks = append(m.Disks, one)
		all = append(all, disk.Path)
		if winpath.Check(disk.Path) == nil {
			m.Paths = append(m.Paths, disk.Path)
		}
	}
	return append(diags, refusedWarning(host.Name(), all...)...)
}

// refusedWarning names the paths that no compaction can have. In a for_each one of them would end
// the plan of all the others.
func refusedWarning(host string, paths ...string) diag.Diagnostics {
	const named = 3
	var refused []string
	for _, path := range paths {
		if err := winpath.Check(path); err != nil {
			refused = append(refused, "- "+err.Error())
		}
	}
	if len(refused) == 0 {
		return nil
	}
	lines := append([]string{"Host: " + host}, refused[:min(len(refused), named)]...)
	if more := len(refused) - named; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("Disks that cannot be compacted under their paths", plainLines(lines...))}
}

// inspect opens a disk. An error of one disk is a warning, so that it does not
// end the plan of all the others.
func (m *listedDiskModel) inspect(ctx context.Context, data *providerData, host *hyperv.Host, about subject) diag.Diagnostics {
	disk, err := host.Inspect(about.inLog(ctx), about.path)
	switch {
	case err == nil:
		m.VHDType = optionalString(string(disk.Type))
		m.VirtualSizeBytes = types.Int64Value(disk.VirtualSizeBytes)
		m.ParentPath = optionalString(disk.ParentPath)
		return nil
	case ctx.Err() != nil || hyperv.Explain(err).HostWide:
		return diag.Diagnostics{data.describeError(summaryList, about, situation{doing: reading}, err)}
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(summaryInspect, about.detail(err.Error()))}
}
