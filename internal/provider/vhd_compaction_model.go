package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

// vhdCompactionModel is the resource in configuration, plan and state.
type vhdCompactionModel struct {
	vhdCompactionInputs
	vhdCompactionOutputs
}

// vhdCompactionInputs holds the values that a user decides.
type vhdCompactionInputs struct {
	Path                   pathtype.Value `tfsdk:"path"`
	Host                   types.String   `tfsdk:"host"`
	Mode                   types.String   `tfsdk:"mode"`
	AttachReadOnly         types.Bool     `tfsdk:"attach_read_only"`
	IfInUse                types.String   `tfsdk:"if_in_use"`
	IfUnreachable          types.String   `tfsdk:"if_unreachable"`
	AllowParent            types.Bool     `tfsdk:"allow_parent"`
	AllowReplicated        types.Bool     `tfsdk:"allow_replicated"`
	MinFileSizeBytes       types.Int64    `tfsdk:"min_file_size_bytes"`
	RecompactOnGrowth      types.Bool     `tfsdk:"recompact_on_growth"`
	RecompactGrowthBytes   types.Int64    `tfsdk:"recompact_growth_bytes"`
	RecompactGrowthPercent types.Int64    `tfsdk:"recompact_growth_percent"`
	MaxPasses              types.Int64    `tfsdk:"max_passes"`
	Triggers               types.Map      `tfsdk:"triggers"`
	Timeouts               timeouts.Value `tfsdk:"timeouts"`
}

// vhdCompactionOutputs holds the values that were observed.
type vhdCompactionOutputs struct {
	ID                    types.String `tfsdk:"id"`
	Format                types.String `tfsdk:"format"`
	VHDType               types.String `tfsdk:"vhd_type"`
	FileSizeBytes         types.Int64  `tfsdk:"file_size_bytes"`
	BaselineFileSizeBytes types.Int64  `tfsdk:"baseline_file_size_bytes"`
	GrowthBytes           types.Int64  `tfsdk:"growth_bytes"`
	TotalReclaimedBytes   types.Int64  `tfsdk:"total_reclaimed_bytes"`
	VirtualDiskID         types.String `tfsdk:"virtual_disk_id"`
	Status                types.String `tfsdk:"status"`
	StatusDetail          types.String `tfsdk:"status_detail"`
	PlanReason            types.String `tfsdk:"plan_reason"`
	LeftAttached          types.Bool   `tfsdk:"left_attached"`
	LeftAttachedAt        types.Object `tfsdk:"left_attached_at"`
	Node                  types.String `tfsdk:"node"`
	UnseenJob             types.String `tfsdk:"unseen_job"`
	UnseenJobNode         types.String `tfsdk:"unseen_job_node"`
	LastRun               types.Object `tfsdk:"last_run"`
}

// subject names the disk in diagnostics.
func (m *vhdCompactionModel) subject(host *hyperv.Host) subject {
	return subject{path: m.Path.ValueString(), host: host.Name()}
}

// status returns the status as package hyperv names it, empty when there is none.
func (m *vhdCompactionModel) status() hyperv.Status { return hyperv.Status(m.Status.ValueString()) }

// runIsPlanned reports whether a plan asks for a run: only then is the status
// unknown.
func (m *vhdCompactionModel) runIsPlanned() bool { return m.Status.IsUnknown() }

// diskID returns the id of a disk on the host on which the resource is created. Nothing changes it
// later.
func diskID(host, path types.String) types.String {
	if host.IsUnknown() || path.IsUnknown() {
		return types.StringUnknown()
	}
	return types.StringValue(host.ValueString() + "|" + path.ValueString())
}

// toOrder turns the inputs into an order. The parameter prior is nil before the first run.
func (m *vhdCompactionModel) toOrder(prior *vhdCompactionModel, timeout time.Duration) hyperv.Order {
	order := hyperv.Order{
		Path:             m.Path.ValueString(),
		Mode:             orderedMode(m.Mode),
		AttachReadOnly:   m.AttachReadOnly.ValueBoolPointer(),
		SkipInUse:        m.IfInUse.ValueString() == onTroubleSkip,
		AllowParent:      m.AllowParent.ValueBool(),
		AllowReplicated:  m.AllowReplicated.ValueBool(),
		MinFileSizeBytes: m.MinFileSizeBytes.ValueInt64(),
		MaxPasses:        int(m.MaxPasses.ValueInt64()),
		Timeout:          timeout,
	}
	if prior != nil {
		if prior.LeftAttached.ValueBool() {
			order.LeftAttached, order.LeftAt = true, prior.leftAt()
		}
		order.PriorJobID, order.PriorNode = prior.UnseenJob.ValueString(), prior.UnseenJobNode.ValueString()
	}
	order.Format, order.Type = hyperv.Format(m.Format.ValueString()), hyperv.DiskType(m.VHDType.ValueString()) // empty while unknown
	return order
}

// lastAttached reports whether the last run attached the disk to the host: only
// then can a later run that was killed have left an attachment.
func (m *vhdCompactionModel) lastAttached() bool {
	attached, _ := m.LastRun.Attributes()["attached"].(types.Bool)
	return attached.ValueBool()
}

// refreshSituation returns the situation on which advice about a refresh depends.
func (m *vhdCompactionModel) refreshSituation() situation {
	return situation{doing: refreshing, skipsUnreachable: m.IfUnreachable.ValueString() == onTroubleSkip}
}

// afterRun returns the state after a run: the planned inputs with the observed
// outputs. After a failure the inputs that ask for a run stay the prior ones,
// so that the next plan asks for it again. The parameter prior is nil after the
// first run.
func (m *vhdCompactionModel) afterRun(prior *vhdCompactionModel, result hyperv.CompactResult, err error) vhdCompactionModel {
	state := vhdCompactionModel{vhdCompactionInputs: m.vhdCompactionInputs, vhdCompactionOutputs: firstOutputs()}
	if prior != nil {
		state.vhdCompactionOutputs = prior.vhdCompactionOutputs
		if err != nil {
			state.Mode, state.AttachReadOnly, state.Triggers = prior.Mode, prior.AttachReadOnly, prior.Triggers
		}
	}
	state.ID, state.PlanReason = m.ID, m.PlanReason
	state.fromResult(result, err)
	return state
}

// withoutRun returns the state after an update that started nothing: the planned inputs with the
// prior outputs.
func (m *vhdCompactionModel) withoutRun(prior *vhdCompactionModel) vhdCompactionModel {
	state := vhdCompactionModel{vhdCompactionInputs: m.vhdCompactionInputs, vhdCompactionOutputs: prior.vhdCompactionOutputs}
	state.PlanReason = m.PlanReason
	return state
}

// firstOutputs returns the outputs of a disk before anything was observed.
func firstOutputs() vhdCompactionOutputs {
	return vhdCompactionOutputs{
		TotalReclaimedBytes: types.Int64Value(0),
		LeftAttached:        types.BoolValue(false),
		LeftAttachedAt:      types.ObjectNull(leftAtTypes()),
		LastRun:             types.ObjectNull(lastRunTypes()),
	}
}

// fromResult takes over the observations of a run; other outputs stay as they were.
func (m *vhdCompactionModel) fromResult(result hyperv.CompactResult, err error) {
	m.Status = types.StringValue(string(result.Status))
	if err != nil && result.Status == "" {
		m.Status = types.StringValue(string(hyperv.StatusFailed))
	}
	m.StatusDetail = optionalString(plain(result.Detail))
	m.LeftAttached, m.LeftAttachedAt = types.BoolValue(result.LeftAttached), leftAtValue(result.LeftAttachedAt)
	m.UnseenJob, m.UnseenJobNode = optionalString(result.UnseenJob), optionalString(result.UnseenJobNode)
	if result.Node != "" {
		m.Node = types.StringValue(result.Node)
	}
	if result.Format != "" {
		m.Format = types.StringValue(string(result.Format))
	}
	if result.Type != "" {
		m.VHDType = types.StringValue(string(result.Type))
	}
	if result.VirtualDiskID != nil {
		if differs(m.VirtualDiskID, *result.VirtualDiskID) {
			m.TotalReclaimedBytes = types.Int64Value(0)
		}
		m.VirtualDiskID = types.StringValue(*result.VirtualDiskID)
	}
	if result.FileSizeBytes != nil {
		m.FileSizeBytes = types.Int64Value(*result.FileSizeBytes)
	}
	if run := result.Run; run != nil {
		m.LastRun = lastRunValue(*run)
		m.addRun(*run)
	}
	if result.Status == hyperv.StatusSkippedDependents {
		m.BaselineFileSizeBytes = m.FileSizeBytes // a disk that must be left alone is no longer due
	}
	m.updateGrowth()
}

// addRun moves the baseline and the total. The baseline moves even when nothing
// was reclaimed, so that a disk that cannot shrink is no longer due.
func (m *vhdCompactionModel) addRun(run hyperv.CompactRun) {
	if run.FileSizeAfterBytes == nil {
		return
	}
	m.BaselineFileSizeBytes = types.Int64Value(*run.FileSizeAfterBytes)
	if run.FileSizeBeforeBytes != nil && *run.FileSizeBeforeBytes > *run.FileSizeAfterBytes {
		m.TotalReclaimedBytes = types.Int64Value(m.TotalReclaimedBytes.ValueInt64() + *run.FileSizeBeforeBytes - *run.FileSizeAfterBytes)
	}
}

// refreshed takes over the size that a host reports. Growth of an imported disk
// counts from the first size that was found.
func (m *vhdCompactionModel) refreshed(size int64) {
	m.FileSizeBytes = types.Int64Value(size)
	if m.status() == hyperv.StatusImported && m.BaselineFileSizeBytes.IsNull() {
		m.BaselineFileSizeBytes = m.FileSizeBytes
	}
	m.updateGrowth()
}

func (m *vhdCompactionModel) updateGrowth() {
	m.GrowthBytes = types.Int64Null()
	if !m.FileSizeBytes.IsNull() && !m.BaselineFileSizeBytes.IsNull() {
		m.GrowthBytes = types.Int64Value(m.FileSizeBytes.ValueInt64() - m.BaselineFileSizeBytes.ValueInt64())
	}
}

// importedModel returns the state right after an import: the defaults of the schema, and nothing
// observed yet. The host own is the one in the import, null for that of the provider; asked is the
// host that this means.
func importedModel(own types.String, asked, path string) vhdCompactionModel {
	m := vhdCompactionModel{
		vhdCompactionInputs: vhdCompactionInputs{
			Path:                   pathtype.NewValue(path),
			Host:                   own,
			IfInUse:                types.StringValue(onTroubleFail),
			IfUnreachable:          types.StringValue(onTroubleFail),
			AllowParent:            types.BoolValue(false),
			AllowReplicated:        types.BoolValue(false),
			MinFileSizeBytes:       types.Int64Value(defaultMinFileSizeBytes),
			RecompactOnGrowth:      types.BoolValue(true),
			RecompactGrowthBytes:   types.Int64Value(defaultRecompactGrowthBytes),
			RecompactGrowthPercent: types.Int64Value(defaultRecompactGrowthPercent),
			MaxPasses:              types.Int64Value(defaultMaxPasses),
			Triggers:               types.MapNull(types.StringType),
			Timeouts:               timeouts.Value{Object: types.ObjectNull(timeoutTypes())},
		},
		vhdCompactionOutputs: firstOutputs(),
	}
	m.ID = diskID(types.StringValue(asked), m.Path.StringValue)
	m.Status = types.StringValue(string(hyperv.StatusImported))
	return m
}

func optionalString(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}
