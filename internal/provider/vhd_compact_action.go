package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/action/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

var (
	_ action.ActionWithConfigure      = (*vhdCompactAction)(nil)
	_ action.ActionWithModifyPlan     = (*vhdCompactAction)(nil)
	_ action.ActionWithValidateConfig = (*vhdCompactAction)(nil)
)

// vhdCompactAction compacts a disk once and keeps no state.
type vhdCompactAction struct {
	data *providerData
}

func newVHDCompactAction() action.Action { return &vhdCompactAction{} }

func (a *vhdCompactAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = typeName + "_vhd_compact"
}

func (a *vhdCompactAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.data = providerDataFrom(req.ProviderData, &resp.Diagnostics)
}

type vhdCompactModel struct {
	Path            pathtype.Value `tfsdk:"path"`
	Host            types.String   `tfsdk:"host"`
	Mode            types.String   `tfsdk:"mode"`
	AttachReadOnly  types.Bool     `tfsdk:"attach_read_only"`
	IfInUse         types.String   `tfsdk:"if_in_use"`
	AllowParent     types.Bool     `tfsdk:"allow_parent"`
	AllowReplicated types.Bool     `tfsdk:"allow_replicated"`
	MaxPasses       types.Int64    `tfsdk:"max_passes"`
	Timeouts        timeouts.Value `tfsdk:"timeouts"`
}

// Schema describes the inputs, as those of the resource.
func (a *vhdCompactAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Compacts a virtual hard disk file on a Hyper-V host once, reports progress, and keeps nothing in state: to shrink one disk now. `hyperv_vhd_compaction` remembers and repeats.",
		Attributes: map[string]schema.Attribute{
			"path":             schema.StringAttribute{Required: true, CustomType: pathtype.Type{}, MarkdownDescription: describePath},
			"host":             schema.StringAttribute{Optional: true, Validators: []validator.String{hostValidator{}}, MarkdownDescription: describeHost},
			"mode":             schema.StringAttribute{Optional: true, Validators: []validator.String{oneOf(modeNames()...)}, MarkdownDescription: describeMode},
			"attach_read_only": schema.BoolAttribute{Optional: true, MarkdownDescription: describeAttach},
			"if_in_use": schema.StringAttribute{
				Optional: true, Validators: []validator.String{oneOf(onTroubleFail, onTroubleSkip)},
				MarkdownDescription: "What to do with a disk in use: `fail` (default) is an error, `skip` a warning.",
			},
			"allow_parent":     schema.BoolAttribute{Optional: true, MarkdownDescription: describeParent},
			"allow_replicated": schema.BoolAttribute{Optional: true, MarkdownDescription: describeReplicated},
			"max_passes": schema.Int64Attribute{
				Optional: true, Validators: []validator.Int64{int64validator.Between(1, mostPasses)},
				MarkdownDescription: describeRepeats,
			},
			"timeouts": schema.SingleNestedAttribute{
				Optional:            true,
				CustomType:          timeouts.Type{ObjectType: types.ObjectType{AttrTypes: timeoutMembers("invoke")}},
				MarkdownDescription: describeTimeouts,
				Attributes: map[string]schema.Attribute{
					"invoke": schema.StringAttribute{
						Optional: true, Validators: []validator.String{timeoutValidator{}},
						MarkdownDescription: "Time limit for the run, such as `8h` or `90m`; waiting for a turn does not count. Default: `8h`.",
					},
				},
			},
		},
	}
}

func (a *vhdCompactAction) ValidateConfig(ctx context.Context, req action.ValidateConfigRequest, resp *action.ValidateConfigResponse) {
	var config vhdCompactModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(checkAttach(config.Mode, config.AttachReadOnly)...)
		resp.Diagnostics.Append(checkParent(config.AllowParent, config.Mode, config.AttachReadOnly)...)
	}
}

// ModifyPlan refuses, before anything runs, inputs that the provider block
// contradicts.
func (a *vhdCompactAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var config vhdCompactModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || a.data == nil {
		return
	}
	_, missing := hostOf(config.Host, a.data.host)
	resp.Diagnostics.Append(missing)
	resp.Diagnostics.Append(checkAllowAttach(a.data.allowAttach, config.Mode, config.AttachReadOnly)...)
}

// Invoke compacts the disk. Ctrl-C interrupts the run: the job is cancelled and
// the disk detached.
func (a *vhdCompactAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config vhdCompactModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	timeout, diags := config.Timeouts.Invoke(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(diags...)
	host, bad := a.data.reach(config.Host)
	resp.Diagnostics.Append(bad)
	if resp.Diagnostics.HasError() {
		return
	}
	about := subject{path: config.Path.ValueString(), host: host.Name()}
	ctx, release := stoppable(about.inLog(ctx))
	defer release()
	say := func(line string) {
		if line != "" {
			resp.SendProgress(action.InvokeProgressEvent{Message: plain(line)})
		}
	}

	order := config.toOrder(timeout)
	log := logProgress(ctx, about)
	order.OnProgress = func(p hyperv.Progress) {
		log(p)
		say(progressLine(p))
	}
	result, told, err := a.data.compact(ctx, host, about, invoking, order)
	resp.Diagnostics.Append(told...)
	if err == nil {
		say(resultLine(result))
	}
}

// toOrder turns the inputs into an order, with the defaults of the resource.
func (m vhdCompactModel) toOrder(timeout time.Duration) hyperv.Order {
	order := hyperv.Order{
		Path:            m.Path.ValueString(),
		Mode:            orderedMode(m.Mode),
		AttachReadOnly:  m.AttachReadOnly.ValueBoolPointer(),
		SkipInUse:       m.IfInUse.ValueString() == onTroubleSkip,
		AllowParent:     m.AllowParent.ValueBool(),
		AllowReplicated: m.AllowReplicated.ValueBool(),
		MaxPasses:       defaultMaxPasses,
		Timeout:         timeout,
	}
	if !m.MaxPasses.IsNull() {
		order.MaxPasses = int(m.MaxPasses.ValueInt64())
	}
	return order
}
