package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

var (
	_ resource.ResourceWithConfigure      = (*vhdCompactionResource)(nil)
	_ resource.ResourceWithIdentity       = (*vhdCompactionResource)(nil)
	_ resource.ResourceWithImportState    = (*vhdCompactionResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*vhdCompactionResource)(nil)
	_ resource.ResourceWithValidateConfig = (*vhdCompactionResource)(nil)
)

const (
	vhdCompactionName = typeName + "_vhd_compaction"

	defaultRunTimeout  = 8 * time.Hour
	defaultReadTimeout = 5 * time.Minute
	// detachTimeout bounds the one thing that Delete may do on a host.
	detachTimeout = time.Minute
)

type vhdCompactionResource struct {
	data *providerData
}

func newVHDCompactionResource() resource.Resource { return &vhdCompactionResource{} }

func (r *vhdCompactionResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = vhdCompactionName
}

func (r *vhdCompactionResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	data, ok := req.ProviderData.(*providerData)
	if !ok {
		resp.Diagnostics.Append(bug(fmt.Sprintf("The resource was configured with a %T.", req.ProviderData)))
		return
	}
	r.data = data
}

func (r *vhdCompactionResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config vhdCompactionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	unmounted := !config.MountReadOnly.IsNull() && !config.MountReadOnly.IsUnknown() && !config.MountReadOnly.ValueBool()
	if unmounted && config.Mode.ValueString() == string(hyperv.ModeRetrim) {
		resp.Diagnostics.Append(invalidAttribute(path.Root("mount_read_only"), "false", "true with mode Retrim, which works only while the disk is attached read-only",
			"Leave mount_read_only out, or choose Pretrimmed, which works unattached."))
	}
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
		resp.Diagnostics.Append(r.data.told.describeError(summaryRead, state.subject(), err))
		return
	default:
		state.refreshed(size)
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
	source := hostFromResource
	if host == "" {
		host, source = r.data.host.ValueString(), hostFromProvider
	}
	if host == "" {
		resp.Diagnostics.Append(noHost())
		return
	}
	state := importedModel(host, file)
	resp.Diagnostics.Append(saveDisk(ctx, &state, &resp.State, resp.Identity)...)
	resp.Diagnostics.Append(marks{HostSource: source, Imported: true}.write(ctx, resp.Private)...)
}

// run carries out a compaction and reports what came of it; the result holds
// what is known, beside an error too.
func (r *vhdCompactionResource) run(ctx context.Context, diags *diag.Diagnostics, plan, prior *vhdCompactionModel, timeout time.Duration) (hyperv.Result, error) {
	about := plan.subject()
	host, err := r.host(plan)
	if err != nil {
		diags.Append(err)
		return unchanged(prior), errNotStarted
	}
	order := plan.toOrder(prior, timeout, r.data.allowMount.ValueBool())
	order.OnProgress = logProgress(ctx, about)
	result, failure := host.Compact(ctx, order)
	if result.Run != nil {
		about.job = result.Run.JobID
	}
	for _, w := range result.Warnings {
		diags.Append(describeWarning(about, w))
	}
	if failure != nil {
		diags.Append(r.data.told.describeError(summaryCompact, about, failure))
	}
	return result, failure
}

// errNotStarted stands for an error that was reported before a host was asked.
var errNotStarted = errors.New("no host was asked")

// unchanged is the result of a run that did not come to ask the host.
func unchanged(prior *vhdCompactionModel) hyperv.Result {
	result := hyperv.Result{Status: hyperv.StatusFailed, Detail: errNotStarted.Error()}
	if prior != nil {
		result.LeftAttached = prior.LeftAttached.ValueBool()
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

func (r *vhdCompactionResource) detach(ctx context.Context, state *vhdCompactionModel) diag.Diagnostics {
	ctx, cancel := context.WithTimeout(ctx, detachTimeout)
	defer cancel()
	host, bad := r.host(state)
	if bad != nil {
		return diag.Diagnostics{bad}
	}
	if err := host.Detach(ctx, state.Path.ValueString()); err != nil {
		return diag.Diagnostics{r.data.told.describeError(summaryDetach, state.subject(), err)}
	}
	return nil
}

// host finds the host of a disk.
func (r *vhdCompactionResource) host(m *vhdCompactionModel) (*hyperv.Host, diag.Diagnostic) {
	if r.data.fleet == nil {
		return nil, notReady()
	}
	host, err := r.data.fleet.Host(m.Host.ValueString())
	if err != nil {
		return nil, diag.NewErrorDiagnostic(summaryProvider, err.Error())
	}
	return host, nil
}

// abandons reports whether the provider has turned to another host than the one
// a disk took from it. Credentials for the new host must not go to the old one.
func (d *providerData) abandons(m *vhdCompactionModel, found marks) bool {
	if found.HostSource == hostFromResource || d.host.IsUnknown() {
		return false
	}
	if found.HostSource == "" && d.host.IsNull() {
		return false // nothing is known to have come from the provider
	}
	return !sameHost(d.host.ValueString(), m.Host.ValueString())
}

// saveDisk writes state and identity.
func saveDisk(ctx context.Context, m *vhdCompactionModel, state *tfsdk.State, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	diags := setIdentity(ctx, m, identity)
	diags.Append(state.Set(ctx, m)...)
	return diags
}

// vhdIdentity is the identity of a disk.
type vhdIdentity struct {
	Host types.String `tfsdk:"host"`
	Path types.String `tfsdk:"path"`
}

func setIdentity(ctx context.Context, m *vhdCompactionModel, identity *tfsdk.ResourceIdentity) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.Set(ctx, vhdIdentity{Host: m.Host, Path: m.Path.StringValue})
}

// importTarget reads what is to be imported; the host is empty when the
// provider's is meant.
func importTarget(ctx context.Context, req resource.ImportStateRequest) (host, file string, diags diag.Diagnostics) {
	if req.ID == "" && req.Identity != nil {
		var id vhdIdentity
		diags.Append(req.Identity.Get(ctx, &id)...)
		host, file = id.Host.ValueString(), id.Path.ValueString()
	} else if before, after, ok := strings.Cut(req.ID, "|"); ok {
		host, file = before, after
	} else {
		file = req.ID
	}
	if host != "" {
		if fix := checkHost(host); fix != "" {
			diags.AddError(summaryImport, fmt.Sprintf("The host is %q. Allowed: %s.\n\n%s", host, hostForm, fix))
		}
	}
	if err := winpath.Check(file); err != nil {
		diags.AddError(summaryImport, fmt.Sprintf("The path %q cannot be imported: %s.\n\nImport by path, by host|path or by identity.", file, err))
	}
	return host, file, diags
}
