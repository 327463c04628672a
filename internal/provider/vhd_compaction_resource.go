package provider

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

var (
	_ resource.ResourceWithConfigure      = (*vhdCompactionResource)(nil)
	_ resource.ResourceWithIdentity       = (*vhdCompactionResource)(nil)
	_ resource.ResourceWithImportState    = (*vhdCompactionResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*vhdCompactionResource)(nil)
	_ resource.ResourceWithValidateConfig = (*vhdCompactionResource)(nil)
)

const vhdCompactionName = typeName + "_vhd_compaction"

const (
	// detachTimeout bounds the one thing that Delete may do on a host. It leaves room
	// for the ten minutes for which [hyperv.Host.GiveBack] waits, and for the time that it
	// then leaves to the holders of what it has waited for.
	detachTimeout = 14 * time.Minute
	// lookTimeout bounds the search for an attachment.
	lookTimeout = time.Minute
)

type vhdCompactionResource struct {
	data *providerData
}

func newVHDCompactionResource() resource.Resource { return &vhdCompactionResource{} }

func (r *vhdCompactionResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = vhdCompactionName
	// A host that is added, removed or respelled changes the identity in place.
	resp.ResourceBehavior.MutableIdentity = true
}

func (r *vhdCompactionResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = providerDataFrom(req.ProviderData, &resp.Diagnostics)
}

func (r *vhdCompactionResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config vhdCompactionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(checkAttach(config.Mode, config.AttachReadOnly)...)
	resp.Diagnostics.Append(checkParent(config.AllowParent, config.Mode, config.AttachReadOnly)...)
}

func (r *vhdCompactionResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan vhdCompactionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(diags...)
	host, bad := r.data.reach(plan.Host)
	resp.Diagnostics.Append(bad)
	if resp.Diagnostics.HasError() {
		return
	}

	ctx, release := stoppable(plan.subject(host).inLog(ctx))
	defer release()
	result, err := r.run(ctx, host, &resp.Diagnostics, &plan, nil, plan.toOrder(nil, timeout))
	if err != nil && result.Run == nil && !result.LeftAttached {
		return // nothing was started on the host, so there is nothing to remember
	}
	state := plan.afterRun(nil, result, err)
	resp.Diagnostics.Append(saveDisk(ctx, &state, &resp.State, resp.Identity)...)
	resp.Diagnostics.Append(marks{Asked: hyperv.HostKey(host.Name())}.write(ctx, resp.Private)...)
}

func (r *vhdCompactionResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state, found, diags := remembered(ctx, req.State, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// Terraform before 1.12 requires the identity even of a resource that is gone.
	resp.Diagnostics.Append(setIdentity(ctx, &state, resp.Identity)...)
	if r.data.defers(req.ClientCapabilities.DeferralAllowed, state.Host) {
		resp.Deferred = &resource.Deferred{Reason: resource.DeferredReasonProviderConfigUnknown}
		return
	}
	found.Elsewhere = ""
	host, bad := r.data.reach(state.Host)
	if bad != nil { // no host can be asked yet: the state stays, with a warning
		resp.Diagnostics.AddWarning(bad.Summary(), bad.Detail())
	} else {
		gone, diags := r.refresh(ctx, host, &state, &found, timeout)
		resp.Diagnostics.Append(diags...)
		if gone {
			resp.State.RemoveResource(ctx)
		}
		if gone || diags.HasError() {
			return
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(found.write(ctx, resp.Private)...)
}

// refresh reads what the host now reports of the disk. The result gone is true only if the file is
// proven to be absent.
func (r *vhdCompactionResource) refresh(ctx context.Context, host *hyperv.Host, state *vhdCompactionModel, found *marks, timeout time.Duration) (gone bool, diags diag.Diagnostics) {
	ctx, cancel := bounded(ctx, timeout, "timeouts.read")
	defer cancel()
	about := state.subject(host)
	ctx = about.inLog(ctx)
	err := state.settle(ctx, host, found, &diags)
	var size int64
	if err == nil {
		size, err = state.sizeOn(ctx, host)
	}
	found.Unreachable = state.skips(err)
	switch {
	case errors.Is(err, hyperv.ErrNotFound):
		return true, nil
	case errors.Is(err, errElsewhere) && state.left() != "":
		diags.AddWarning(summaryElsewhere, state.elsewhere(*found, elsewhereKept))
	case errors.Is(err, errElsewhere):
		diags.AddWarning(summaryElsewhere, state.elsewhere(*found, elsewhereReplaced))
	case found.Unreachable:
		diags.Append(unreachableWarning(about, err))
	case keepsLastSize(err):
		diags.Append(notReadWarning(about, err))
	case err != nil:
		diags.Append(r.data.describeError(summaryRead, about, state.refreshSituation(), err))
	default:
		state.refreshed(size)
		*found = found.noteAttached(state.lastAttached(), func() (bool, error) { return isAttached(ctx, host, state.Path.ValueString()) })
	}
	return false, diags
}

func (r *vhdCompactionResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan vhdCompactionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	prior, found, diags := remembered(ctx, req.State, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := plan.Timeouts.Update(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(diags...)
	host, bad := r.data.reach(plan.Host)
	resp.Diagnostics.Append(bad)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.runIsPlanned() {
		r.runAgain(ctx, host, &plan, &prior, found, timeout, resp)
		return
	}
	resp.Diagnostics.Append(saveDisk(ctx, &plan, &resp.State, resp.Identity)...)
	resp.Diagnostics.Append(found.afterUpdate(&plan, &prior).write(ctx, resp.Private)...)
}

// runAgain carries out the run of an update, unless the host has another disk now.
func (r *vhdCompactionResource) runAgain(ctx context.Context, host *hyperv.Host, plan, prior *vhdCompactionModel, found marks, timeout time.Duration, resp *resource.UpdateResponse) {
	about := plan.subject(host)
	ctx, release := stoppable(about.inLog(ctx))
	defer release()
	err := prior.settle(ctx, host, &found, &resp.Diagnostics)
	var state vhdCompactionModel
	switch {
	case errors.Is(err, errElsewhere):
		resp.Diagnostics.AddError(summaryElsewhere, prior.elsewhere(found, elsewhereNotStarted))
		return
	case plan.skips(err):
		resp.Diagnostics.Append(unreachableWarning(about, err))
		found.Unreachable = true
		state, found = plan.withoutRun(prior), found.afterUpdate(plan, prior)
	case err != nil:
		resp.Diagnostics.Append(r.data.describeError(summaryCompact, about, plan.refreshSituation(), err))
		return
	default:
		order := plan.toOrder(prior, timeout)
		order.SeenAttached = found.Attached
		result, err := r.run(ctx, host, &resp.Diagnostics, plan, prior, order)
		state, found = plan.afterRun(prior, result, err), found.afterRun(err)
	}
	resp.Diagnostics.Append(saveDisk(ctx, &state, &resp.State, resp.Identity)...)
	resp.Diagnostics.Append(found.write(ctx, resp.Private)...)
}

// Delete forgets the disk. It asks a host only to detach a disk that could not be detached before.
func (r *vhdCompactionResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state, found, diags := remembered(ctx, req.State, req.Private)
	resp.Diagnostics.Append(diags...)
	about := state.lastSeen(found)
	switch {
	case resp.Diagnostics.HasError():
	case state.LeftAttached.ValueBool():
		resp.Diagnostics.Append(r.detach(ctx, &state)...)
	case state.left() != "" && found.Elsewhere != "":
		resp.Diagnostics.AddError(summaryElsewhere, state.elsewhere(found, elsewhereNotForgotten))
	case state.left() != "":
		resp.Diagnostics.Append(state.forgottenWarning(about))
	case found.Attached:
		resp.Diagnostics.Append(attachedWarning(about))
	}
}

// detach detaches the disk where, according to the state, the last run left it attached.
func (r *vhdCompactionResource) detach(ctx context.Context, state *vhdCompactionModel) diag.Diagnostics {
	host, bad := r.data.reach(state.Host)
	if bad != nil {
		return diag.Diagnostics{bad}
	}
	ctx, cancel := bounded(ctx, detachTimeout, "a destroy")
	defer cancel()
	if err := host.GiveBack(state.subject(host).inLog(ctx), state.Path.ValueString(), state.leftAt()); err != nil {
		return diag.Diagnostics{r.data.describeError(summaryDetach, state.subject(host), situation{doing: detaching}, err)}
	}
	return nil
}

// ImportState takes a path, a host and a path, or an identity. The values that
// the host knows are read afterwards, by Read.
func (r *vhdCompactionResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	host, file, diags := importTarget(ctx, req)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	asked, bad := r.data.reach(host)
	if bad != nil {
		resp.Diagnostics.Append(bad)
		return
	}
	state := importedModel(host, asked.Name(), file)
	resp.Diagnostics.Append(saveDisk(ctx, &state, &resp.State, resp.Identity)...)
	resp.Diagnostics.Append(marks{Imported: true}.write(ctx, resp.Private)...)
}

// run carries out a compaction and reports its outcome; the result holds what
// is known, even with an error.
func (r *vhdCompactionResource) run(ctx context.Context, host *hyperv.Host, diags *diag.Diagnostics, plan, prior *vhdCompactionModel, order hyperv.Order) (hyperv.CompactResult, error) {
	about := plan.subject(host)
	order.OnProgress = logProgress(ctx, about)
	result, told, err := r.data.compact(ctx, host, about, compacting, order)
	diags.Append(told...)
	if errors.Is(err, hyperv.ErrInUse) && prior != nil {
		diags.Append(prior.formerNodeWarning(about, result.Node))
	}
	if prior != nil && result.VirtualDiskID != nil && differs(prior.VirtualDiskID, *result.VirtualDiskID) {
		diags.Append(exchangedWarning(about))
	}
	if order.SeenAttached && err == nil && result.Run == nil {
		diags.Append(attachedWarning(about))
	}
	return result, err
}

// isAttached reports whether the disk is attached to the host read-only, as a killed run leaves it;
// other clients may attach it in the same way.
func isAttached(ctx context.Context, host *hyperv.Host, path string) (bool, error) {
	ctx, cancel := bounded(ctx, lookTimeout, "a look at attachments")
	defer cancel()
	return host.AttachedReadOnly(ctx, path)
}

// saveDisk writes state and identity.
func saveDisk(ctx context.Context, m *vhdCompactionModel, state *tfsdk.State, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	diags := setIdentity(ctx, m, identity)
	diags.Append(state.Set(ctx, m)...)
	return diags
}
