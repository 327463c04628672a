package provider

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// ModifyPlan gathers the facts and writes down the decision. It asks no host:
// Terraform runs it again while it applies, and both plans must be the same.
func (r *vhdCompactionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(r.forgetWarning(ctx, req)...)
		return
	}
	if r.data == nil {
		return
	}
	facts := planFacts{host: r.data.host, allowAttach: r.data.allowAttach, edited: !req.Plan.Raw.Equal(req.State.Raw)}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &facts.plan)...)
	if !req.State.Raw.IsNull() {
		prior, found, diags := remembered(ctx, req.State, req.Private)
		resp.Diagnostics.Append(diags...)
		facts.prior, facts.marks = &prior, found
	}
	if resp.Diagnostics.HasError() {
		return
	}
	decision := decidePlan(facts)
	resp.Diagnostics.Append(decision.diags...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &decision.plan)...)
	if decision.replaceBy != "" {
		resp.RequiresReplace.Append(path.Root(decision.replaceBy))
	}
}

// planFacts is everything that a plan is decided from.
type planFacts struct {
	plan   vhdCompactionModel  // with defaults
	prior  *vhdCompactionModel // nil when there is none
	marks  marks
	edited bool // an input of the plan is not the prior one

	host        types.String // of the provider
	allowAttach types.Bool   // of the provider
}

// planDecision is the decision for a plan.
type planDecision struct {
	plan      vhdCompactionModel
	replaceBy string // an attribute; empty for none
	diags     diag.Diagnostics
}

// reasonFirstRun is the reason of every create, also of one that replaces
// another disk: Terraform plans it again while it applies, without information
// about what was replaced.
const reasonFirstRun = "first run"

// decidePlan is a pure function. Outputs become unknown only when a run is
// planned, or when an unknown input may ask for one; plan_reason is known
// unless it depends on an unknown input.
func decidePlan(f planFacts) planDecision {
	host, missing := hostOf(f.plan.Host, f.host)
	d := planDecision{plan: f.plan, diags: checkAllowAttach(f.allowAttach, f.plan.Mode, f.plan.AttachReadOnly)}
	d.diags.Append(missing)
	asks := hyperv.HostKey(host.ValueString()) // the host that an apply asks; empty while it is unknown
	switch {
	case f.prior == nil, !f.plan.Path.Equal(f.prior.Path):
		d.planFirstRun(host)
	case f.isMoved(asks):
		d.replaceBy = "host"
		d.planFirstRun(host)
	case asks != "" && asks == f.marks.Elsewhere && f.prior.left() == "":
		d.replaceBy = "node"
		d.planFirstRun(host)
	default:
		d.planNext(f)
		d.diags.Append(f.checkUndecided(host, d.plan.runIsPlanned()))
	}
	d.sayResynchronisation()
	return d
}

// checkUndecided refuses to plan an update of a disk that would have to be replaced if the apply
// learned that the provider asks the host with another disk; nil where that cannot be. To replace it
// at once could forget a disk that is where it was. A refresh settles it: it forgets what an earlier
// one has found on a host that this plan does not know to be asked.
func (f planFacts) checkUndecided(host types.String, runs bool) diag.Diagnostic {
	replaceable := f.marks.Elsewhere != "" && f.prior.left() == ""
	if !host.IsUnknown() || !replaceable || !runs && !f.edited {
		return nil
	}
	return diag.NewErrorDiagnostic(summaryElsewhere, f.prior.elsewhere(f.marks, elsewhereUndecided))
}

// sayResynchronisation says in the plan what a run may cost if the user has consented to compacting
// replicated disks: only the host knows whether this disk is one. While the consent is unknown, so
// is the reason: an apply must not add to one that the plan has shown.
func (d *planDecision) sayResynchronisation() {
	reason, consent := d.plan.PlanReason, d.plan.AllowReplicated
	switch {
	case !d.plan.runIsPlanned(), reason.IsUnknown():
	case consent.IsUnknown():
		d.plan.PlanReason = types.StringUnknown()
	case consent.ValueBool():
		d.plan.PlanReason = types.StringValue(reason.ValueString() + "; a replicated machine is resynchronised afterwards")
	}
}

// isMoved reports whether the configuration moves the disk to a host that was not asked before: its
// host was added, changed or removed, or may turn out to be another one, for which an apply could
// no longer replace the resource. A provider that changes to another host does not move the disk by
// itself, because it may be the same host by another name.
func (f planFacts) isMoved(asks string) bool {
	asked := cmp.Or(f.marks.Asked, hyperv.HostKey(f.prior.Host.ValueString()))
	return !f.plan.Host.Equal(f.prior.Host) && asked != "" && asked != asks
}

// planFirstRun plans a create, or a replacement by another disk, which Terraform turns into one.
func (d *planDecision) planFirstRun(host types.String) {
	d.plan.vhdCompactionOutputs = unknownOutputs(diskID(host, d.plan.Path.StringValue), types.StringValue(reasonFirstRun))
}

// planNext plans a run in place, or none.
func (d *planDecision) planNext(f planFacts) {
	d.plan.vhdCompactionOutputs = f.prior.vhdCompactionOutputs
	switch {
	case f.marks.Unreachable:
		// A run that is due stays due: the status, the left attachment and the growth are in the
		// state, and Update notes a changed input.
	case f.undecided():
		d.planRun(f, types.StringUnknown())
	default:
		if reasons := f.reasons(); len(reasons) > 0 {
			d.planRun(f, types.StringValue(strings.Join(reasons, "; ")))
		}
	}
}

// planRun plans a run in place. The kind of the disk that was seen stays known in the plan: a run
// that finds another kind starts nothing and ends with an error. After a failure it does not,
// because the remedy may have been to convert the disk.
func (d *planDecision) planRun(f planFacts, reason types.String) {
	d.plan.vhdCompactionOutputs = unknownOutputs(f.prior.ID, reason)
	if f.prior.status() == hyperv.StatusFailed {
		return
	}
	if !f.prior.Format.IsNull() {
		d.plan.Format = f.prior.Format
	}
	if !f.prior.VHDType.IsNull() {
		d.plan.VHDType = f.prior.VHDType
	}
}

// forgetWarning says in the plan what a destroy means here.
func (r *vhdCompactionResource) forgetWarning(ctx context.Context, req resource.ModifyPlanRequest) diag.Diagnostics {
	state, found, diags := remembered(ctx, req.State, req.Private)
	if !diags.HasError() {
		diags.Append(fileStaysWarning(state.lastSeen(found), state.LeftAttached.ValueBool()))
	}
	return diags
}

// undecided reports whether an input from which reasons are derived is unknown.
func (f planFacts) undecided() bool {
	p := f.plan
	inputs := []attr.Value{p.MinFileSizeBytes, p.RecompactOnGrowth, p.RecompactGrowthBytes, p.RecompactGrowthPercent}
	if !f.marks.Imported { // otherwise these are taken over without a run
		inputs = append(inputs, p.Mode, p.AttachReadOnly, p.Triggers)
		inputs = slices.AppendSeq(inputs, maps.Values(p.Triggers.Elements()))
	}
	if f.prior.status() == hyperv.StatusSkippedDependents {
		inputs = append(inputs, p.AllowParent, p.AllowReplicated)
	}
	return slices.ContainsFunc(inputs, attr.Value.IsUnknown)
}

// unknownOutputs returns the outputs in the plan of a run: only the id and the reason are known.
func unknownOutputs(id, reason types.String) vhdCompactionOutputs {
	return vhdCompactionOutputs{
		ID:                    id,
		Format:                types.StringUnknown(),
		VHDType:               types.StringUnknown(),
		FileSizeBytes:         types.Int64Unknown(),
		BaselineFileSizeBytes: types.Int64Unknown(),
		GrowthBytes:           types.Int64Unknown(),
		TotalReclaimedBytes:   types.Int64Unknown(),
		VirtualDiskID:         types.StringUnknown(),
		Status:                types.StringUnknown(),
		StatusDetail:          types.StringUnknown(),
		PlanReason:            reason,
		LeftAttached:          types.BoolUnknown(),
		LeftAttachedAt:        types.ObjectUnknown(leftAtTypes()),
		Node:                  types.StringUnknown(),
		UnseenJob:             types.StringUnknown(),
		UnseenJobNode:         types.StringUnknown(),
		LastRun:               types.ObjectUnknown(lastRunTypes()),
	}
}
