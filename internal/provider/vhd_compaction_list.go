package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/list/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/bytesize"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

var (
	_ list.ListResourceWithConfigure      = (*vhdCompactionList)(nil)
	_ list.ListResourceWithValidateConfig = (*vhdCompactionList)(nil)
)

// vhdCompactionList finds disks that could be compacted, for terraform query.
type vhdCompactionList struct {
	data *providerData
}

func newVHDCompactionList() list.ListResource { return &vhdCompactionList{} }

func (l *vhdCompactionList) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = vhdCompactionName
}

func (l *vhdCompactionList) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	l.data = providerDataFrom(req.ProviderData, &resp.Diagnostics)
}

type vhdCompactionListModel struct {
	vhdSelection

	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// ListResourceConfigSchema describes the selection of disks.
func (l *vhdCompactionList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the virtual hard disks in a directory of a Hyper-V host or of one virtual machine, so that they can be imported. Fixed disks and disks in use are listed too.",
		Attributes: map[string]schema.Attribute{
			"host":      schema.StringAttribute{Optional: true, Validators: []validator.String{hostValidator{}}, MarkdownDescription: describeHost},
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
				MarkdownDescription: describeMinimum,
			},
			"timeouts": schema.SingleNestedAttribute{
				Optional:            true,
				CustomType:          timeouts.Type{ObjectType: types.ObjectType{AttrTypes: timeoutMembers("list")}},
				MarkdownDescription: describeTimeouts,
				Attributes: map[string]schema.Attribute{
					"list": schema.StringAttribute{Optional: true, Validators: []validator.String{timeoutValidator{}}, MarkdownDescription: describeReadTimeout},
				},
			},
		},
	}
}

// ValidateListResourceConfig refuses a selection that is contradictory or incomplete.
func (l *vhdCompactionList) ValidateListResourceConfig(ctx context.Context, req list.ValidateConfigRequest, resp *list.ValidateConfigResponse) {
	var config vhdCompactionListModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(config.check()...)
	}
}

// List streams the disks as the host lists them.
func (l *vhdCompactionList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var config vhdCompactionListModel
	diags := req.Config.Get(ctx, &config)
	timeout, more := config.Timeouts.List(ctx, defaultReadTimeout)
	diags.Append(more...)
	listing, more := config.toListing(ctx)
	diags.Append(more...)
	host, bad := l.data.reach(config.Host)
	diags.Append(bad)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = func(push func(list.ListResult) bool) {
		ctx, cancel := bounded(ctx, timeout, "timeouts.list")
		defer cancel()
		ctx = config.subject(host).inLog(ctx)
		var count int64
		for disk, err := range host.List(ctx, listing) {
			if err != nil {
				push(list.ListResult{Diagnostics: diag.Diagnostics{l.data.listError(config.vhdSelection, host, err)}})
				return
			}
			if refused := refusedWarning(host.Name(), disk.Path); refused != nil {
				if !push(list.ListResult{Diagnostics: refused}) {
					return
				}
				continue
			}
			count++
			if !push(listResult(ctx, req, config.Host, host, disk)) || count == req.Limit {
				return
			}
		}
	}
}

// listResult returns a disk in the state in which its import begins.
func listResult(ctx context.Context, req list.ListRequest, own types.String, host *hyperv.Host, disk hyperv.ListedDisk) list.ListResult {
	model := importedModel(own, host.Name(), disk.Path)
	result := req.NewListResult(ctx)
	result.DisplayName = disk.Path + " on " + host.Name()
	if disk.FileSizeBytes != nil {
		model.refreshed(*disk.FileSizeBytes)
		result.DisplayName += " (" + bytesize.Format(*disk.FileSizeBytes) + ")"
	}
	result.DisplayName = plain(result.DisplayName)
	result.Diagnostics.Append(setIdentity(ctx, &model, result.Identity)...)
	if req.IncludeResource {
		result.Diagnostics.Append(result.Resource.Set(ctx, &model)...)
	}
	return result
}
