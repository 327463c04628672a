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
	// for the ten minutes for which [hyperv.Host.GiveBack] waits.
	detachTimeout = 12 * time.Minute
	// lookTimeout bounds the search for an attachment.
	lookTimeout = time.Minute
)

type vhdCompactionResource struct {
	data *providerData
}

func newVHDCompactionResource() resource.Resource { return &vhdCompactionResource{} }

func (r *vhdCompactionResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = vhdCompactionName
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
}

func (r *vhdCompactionResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var config, plan vhdCompactionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}

	result, err := r.run(ctx, &resp.Diagnostics, &plan, nil, timeout)
	if err != nil && result.Run == nil && !result.LeftAttached {
		return // nothing was started on the host, so there is nothing to remember
	}
	state := plan.afterRun(nil, result, err)
	resp.Diagnostics.Append(saveDisk(ctx, &state, &resp.State, resp.Identity)...)
	resp.Diagnostics.Append(marks{HostSource: sourceOf(config.Host)}.write(ctx, resp.Private)...)
}

func (r *vhdCompactionResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state vhdCompactionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	found, diags := readMarks(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	// Terraform before 1.12 misses the identity even of a resource that is gone.
	resp.Diagnostics.Append(setIdentity(ctx, &state, resp.Identity)...)
	if r.data.fleet == nil || r.data.abandons(&state, found) {
		return
	}

	size, err := r.fileSize(ctx, &state, timeout)
	switch {
	case errors.Is(err, hyperv.ErrNotFound):
		resp.State.RemoveResource(ctx)
		return
	case errors.Is(err, hyperv.ErrUnreachable) && state.IfUnreachable.ValueString() == onTroubleSkip:
		resp.Diagnostics.Append(unreachableWarning(state.subject(), err))
	case err != nil:
		resp.Diagnostics.Append(r.data.describeError(summaryRead, state.subject(), state.refreshSituation(), err))
		return
	default:
		state.refreshed(size)
		found.noteAttached(state.lastAttached(), func() (bool, error) { return r.isAttached(ctx, &state) })
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	found.Unreachable = err != nil
	resp.Diagnostics.Append(found.write(ctx, resp.Private)...)
}

func (r *vhdCompactionResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var config, plan, prior vhdCompactionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	found, diags := readMarks(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	timeout, diags := plan.Timeouts.Update(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}

	state, noted := plan, found.afterUpdate(&plan, &prior)
	if plan.runIsPlanned() {
		result, err := r.run(ctx, &resp.Diagnostics, &plan, &prior, timeout)
		state, noted = plan.afterRun(&prior, result, err), found.afterRun(err)
	} else {
		state.updateGrowth() // unknown when only the source of the host has changed
	}
	noted.HostSource = sourceOf(config.Host)
	resp.Diagnostics.Append(saveDisk(ctx, &state, &resp.State, resp.Identity)...)
	resp.Diagnostics.Append(noted.write(ctx, resp.Private)...)
}

// Delete forgets the disk. Only one that could not be detached is touched.
func (r *vhdCompactionResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state vhdCompactionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	found, diags := readMarks(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !state.LeftAttached.ValueBool() {
		return
	}
	if r.data.abandons(&state, found) {
		resp.Diagnostics.Append(abandonedWarning(state.subject()))
		return
	}
	resp.Diagnostics.Append(r.detach(ctx, &state)...)
}

// ImportState takes a path, a host and a path, or an identity. What the host
// knows is read afterwards, by Read.
func (r *vhdCompactionResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	host, file, diags := importTarget(ctx, req)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	name, bad := r.data.hostOr(host)
	if bad != nil {
		resp.Diagnostics.Append(bad)
		return
	}
	state := importedModel(name.ValueString(), file)
	resp.Diagnostics.Append(saveDisk(ctx, &state, &resp.State, resp.Identity)...)
	source := sourceOf(host)
	if !host.IsNull() && sameHost(host.ValueString(), r.data.host.ValueString()) {
		source = "" // the configuration may name this host or leave it to the provider
	}
	resp.Diagnostics.Append(marks{HostSource: source, Imported: true}.write(ctx, resp.Private)...)
}

// run carries out a compaction and reports what came of it; the result holds
// what is known, beside an error too.
func (r *vhdCompactionResource) run(ctx context.Context, diags *diag.Diagnostics, plan, prior *vhdCompactionModel, timeout time.Duration) (hyperv.CompactResult, error) {
	about := plan.subject()
	host, bad := r.data.reach(plan.Host)
	if bad != nil {
		diags.Append(bad)
		return unchanged(prior), errNotStarted
	}
	order := plan.toOrder(prior, timeout)
	order.OnProgress = logProgress(ctx, about)
	result, told, err := r.data.compact(ctx, host, about, compacting, order)
	diags.Append(told...)
	return result, err
}

// errNotStarted stands for an error that was reported before a host was asked.
var errNotStarted = errors.New("no host was asked")

// unchanged is the result of a run that did not come to ask the host.
func unchanged(prior *vhdCompactionModel) hyperv.CompactResult {
	result := hyperv.CompactResult{Status: hyperv.StatusFailed, Detail: errNotStarted.Error()}
	if prior != nil {
		result.LeftAttached, result.LeftAttachedAt = prior.LeftAttached.ValueBool(), prior.leftAt()
	}
	return result
}

func (r *vhdCompactionResource) fileSize(ctx context.Context, state *vhdCompactionModel, timeout time.Duration) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	host, err := r.data.fleet.Host(state.Host.ValueString())
	if err != nil {
		return 0, err
	}
	return host.FileSize(ctx, state.Path.ValueString())
}

// isAttached reports whether the host has the disk attached read-only, as a killed
// run leaves it, and as others may have attached it.
func (r *vhdCompactionResource) isAttached(ctx context.Context, state *vhdCompactionModel) (bool, error) {
	host, err := r.data.fleet.Host(state.Host.ValueString())
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return host.AttachedReadOnly(ctx, state.Path.ValueString())
}

func (r *vhdCompactionResource) detach(ctx context.Context, state *vhdCompactionModel) diag.Diagnostics {
	ctx, cancel := context.WithTimeout(ctx, detachTimeout)
	defer cancel()
	host, bad := r.data.reach(state.Host)
	if bad != nil {
		return diag.Diagnostics{bad}
	}
	if err := host.GiveBack(ctx, state.Path.ValueString(), state.leftAt()); err != nil {
		return diag.Diagnostics{r.data.describeError(summaryDetach, state.subject(), situation{doing: detaching}, err)}
	}
	return nil
}

// saveDisk writes state and identity.
func saveDisk(ctx context.Context, m *vhdCompactionModel, state *tfsdk.State, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	diags := setIdentity(ctx, m, identity)
	diags.Append(state.Set(ctx, m)...)
	return diags
}
