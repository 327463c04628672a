package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ModifyPlan gathers the facts and writes down the decision. It asks no host:
// Terraform runs it again while it applies, and both plans must be the same.
func (r *vhdCompactionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.data == nil {
		return
	}
	facts := planFacts{host: r.data.host, allowAttach: r.data.allowAttach}
	resp.Diagnostics.Append(req.Config.Get(ctx, &facts.config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &facts.plan)...)
	if !req.State.Raw.IsNull() {
		facts.prior = &vhdCompactionModel{}
		resp.Diagnostics.Append(req.State.Get(ctx, facts.prior)...)
	}
	found, diags := readMarks(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	facts.marks = found
	decision := decidePlan(facts)
	resp.Diagnostics.Append(decision.diags...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &decision.plan)...)
	if decision.replaceHost {
		resp.RequiresReplace.Append(path.Root("host"))
	}
}

// planFacts is everything that a plan is decided from.
type planFacts struct {
	config vhdCompactionModel  // as written
	plan   vhdCompactionModel  // with defaults
	prior  *vhdCompactionModel // nil when there is none
	marks  marks

	host        types.String // of the provider
	allowAttach types.Bool   // of the provider
}

// planDecision is what is planned.
type planDecision struct {
	plan        vhdCompactionModel
	replaceHost bool
	diags       diag.Diagnostics
}

// reasonFirstRun is the reason of every create, also of one that replaces
// another disk: Terraform plans it anew while it applies, without a word about
// what was replaced.
const reasonFirstRun = "first run"

// decidePlan is a pure function. Outputs become unknown only when a run is
// planned, or when an unknown input may ask for one; plan_reason is known unless
// the latter.
func decidePlan(f planFacts) planDecision {
	d := planDecision{plan: f.plan}
	d.plan.Host = f.plannedHost()
	d.diags = f.check(d.plan)
	switch {
	case f.prior == nil:
		d.planFirstRun()
	case !d.plan.Host.Equal(f.prior.Host):
		d.replaceHost = true
		d.planFirstRun()
		if f.config.Host.IsNull() && !d.diags.HasError() {
			d.diags.Append(hostChangedWarning(f.prior.subject(), d.plan.Host.ValueString()))
		}
	case !f.plan.Path.Equal(f.prior.Path):
		d.planFirstRun()
	default:
		d.planNext(f)
	}
	return d
}

// plannedHost is the host of the configuration, else of the provider, else of
// the state, in the spelling of the state where that is the same host.
func (f planFacts) plannedHost() types.String {
	host := f.config.Host
	if host.IsNull() {
		host = f.host
		if f.prior != nil && (host.IsUnknown() || host.IsNull() && f.marks.HostSource != hostFromProvider) {
			return f.prior.Host
		}
	}
	if f.prior != nil && !host.IsNull() && !host.IsUnknown() && sameHost(host.ValueString(), f.prior.Host.ValueString()) {
		return f.prior.Host
	}
	return host
}

// check refuses what the configuration of the provider contradicts.
func (f planFacts) check(plan vhdCompactionModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if plan.Host.IsNull() {
		diags.Append(noHost())
	}
	diags.Append(checkAllowAttach(f.allowAttach, plan.Mode, plan.AttachReadOnly)...)
	return diags
}

// planFirstRun plans a create, or what Terraform turns into one: another disk.
func (d *planDecision) planFirstRun() {
	d.plan.vhdCompactionOutputs = unknownOutputs(diskID(d.plan.Host, d.plan.Path.StringValue), types.StringValue(reasonFirstRun))
}

// planNext plans a run in place, or none.
func (d *planDecision) planNext(f planFacts) {
	d.plan.vhdCompactionOutputs = f.prior.vhdCompactionOutputs
	switch {
	case f.marks.Unreachable:
		// What is due stays due: the status, the left attachment and the growth are
		// in the state, a changed input is noted by Update.
	case f.undecided():
		d.plan.vhdCompactionOutputs = unknownOutputs(f.prior.ID, types.StringUnknown())
	default:
		if reasons := f.reasons(); len(reasons) > 0 {
			d.plan.vhdCompactionOutputs = unknownOutputs(f.prior.ID, types.StringValue(strings.Join(reasons, "; ")))
		}
	}
	if f.hostIsMisnoted() && !d.plan.runIsPlanned() {
		d.plan.GrowthBytes = types.Int64Unknown() // an update without a run notes whose host it is
	}
}

// hostIsMisnoted reports whether private state is wrong about whose host it is, the
// provider's or the resource's own. Later, when the provider turns to another
// host, nothing else tells whether credentials for that may go to this one. While
// the provider's host is unknown nothing is planned: it may turn out to be another.
func (f planFacts) hostIsMisnoted() bool {
	if f.host.IsUnknown() {
		return false
	}
	noted := f.marks.HostSource
	return noted != "" && noted != sourceOf(f.config.Host) || f.unrefreshed()
}

// unrefreshed reports whether Read took the host for a former one of the provider,
// while the configuration now names it as the resource's own.
func (f planFacts) unrefreshed() bool {
	return !f.config.Host.IsNull() && (&providerData{host: f.host}).abandons(f.prior, f.marks)
}

// undecided reports whether an input that may ask for a run is unknown.
func (f planFacts) undecided() bool {
	p := f.plan
	if p.MinFileSizeBytes.IsUnknown() || p.RecompactOnGrowth.IsUnknown() ||
		p.RecompactGrowthBytes.IsUnknown() || p.RecompactGrowthPercent.IsUnknown() {
		return true
	}
	if f.marks.Imported {
		return false // mode, attach_read_only and triggers are taken over without a run
	}
	if p.Mode.IsUnknown() || p.AttachReadOnly.IsUnknown() || p.Triggers.IsUnknown() {
		return true
	}
	for _, v := range p.Triggers.Elements() {
		if v.IsUnknown() {
			return true
		}
	}
	return false
}

// unknownOutputs is what is known of a disk before a run: why there is one.
func unknownOutputs(id, reason types.String) vhdCompactionOutputs {
	return vhdCompactionOutputs{
		ID:                    id,
		Format:                types.StringUnknown(),
		VHDType:               types.StringUnknown(),
		FileSizeBytes:         types.Int64Unknown(),
		BaselineFileSizeBytes: types.Int64Unknown(),
		GrowthBytes:           types.Int64Unknown(),
		TotalReclaimedBytes:   types.Int64Unknown(),
		Status:                types.StringUnknown(),
		StatusDetail:          types.StringUnknown(),
		PlanReason:            reason,
		LeftAttached:          types.BoolUnknown(),
		LeftAttachedAt:        types.ObjectUnknown(leftAtTypes()),
		Node:                  types.StringUnknown(),
		LastRun:               types.ObjectUnknown(lastRunTypes()),
	}
}
