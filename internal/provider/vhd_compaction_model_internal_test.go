package provider

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// embedded lets cmp look into the two halves of a model.
var embedded = cmp.AllowUnexported(vhdCompactionModel{})

// The model fits the schema: values that are set are read back.
func TestVHDCompactionModel_roundTrip(t *testing.T) {
	t.Parallel()
	var schema resource.SchemaResponse
	newVHDCompactionResource().Schema(t.Context(), resource.SchemaRequest{}, &schema)
	if diags := schema.Schema.ValidateImplementation(t.Context()); diags.HasError() {
		t.Fatal(diags)
	}
	ran := compacted()
	ran.LastRun = lastRunValue(hyperv.CompactRun{StartedAt: time.Unix(0, 0), CompletedAt: time.Unix(90, 0), Mode: hyperv.ModeFull, Attached: true, Passes: 2, JobID: "7", FileSizeBeforeBytes: new(int64(3)), FileSizeAfterBytes: new(int64(2))})
	ran.Triggers = triggers(types.StringValue("1"))
	unknown := compacted()
	unknown.vhdCompactionOutputs = unknownOutputs(types.StringUnknown(), types.StringUnknown())
	for name, want := range map[string]vhdCompactionModel{
		"imported": importedModel(types.StringNull(), "hv01", `D:\a.vhdx`), "compacted": ran, "unknown": unknown,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil)}
			if diags := state.Set(t.Context(), &want); diags.HasError() {
				t.Fatal(diags)
			}
			var got vhdCompactionModel
			if diags := state.Get(t.Context(), &got); diags.HasError() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(want, got, embedded); diff != "" {
				t.Errorf("model (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVHDCompactionModel_toOrder(t *testing.T) {
	t.Parallel()
	full, attach := hyperv.ModeFull, true
	lost := compacted()
	lost.Status = types.StringValue(string(hyperv.StatusUnknown))
	lost.LeftAttached, lost.Node = types.BoolValue(true), types.StringValue("NODE1")
	lost.LastRun = lastRunValue(hyperv.CompactRun{JobID: "job-7"})
	lost.UnseenJob, lost.UnseenJobNode = types.StringValue("job-7"), types.StringValue("NODE1")
	refused := lost.afterRun(&lost, hyperv.CompactResult{Status: hyperv.StatusSkippedInUse, Node: "NODE2", UnseenJob: "job-7", UnseenJobNode: "NODE1"}, nil)
	seen := lost.afterRun(&lost, hyperv.CompactResult{Status: hyperv.StatusSkippedInUse, Node: "NODE1", LeftAttached: true}, nil)
	defaults := hyperv.Order{Path: `D:\a.vhdx`, MaxPasses: 1, Timeout: time.Hour}
	with := func(change func(*hyperv.Order)) hyperv.Order {
		order := defaults
		change(&order)
		return order
	}
	for name, test := range map[string]struct {
		change func(*vhdCompactionModel)
		prior  *vhdCompactionModel
		want   hyperv.Order
	}{
		"defaults": {want: defaults},
		"everything": {
			change: func(m *vhdCompactionModel) {
				m.Mode, m.AttachReadOnly, m.IfInUse = types.StringValue("Full"), types.BoolValue(true), types.StringValue("skip")
				m.AllowParent, m.MinFileSizeBytes, m.MaxPasses = types.BoolValue(true), types.Int64Value(5), types.Int64Value(3)
			},
			want: with(func(c *hyperv.Order) {
				c.Mode, c.AttachReadOnly, c.SkipInUse, c.AllowParent, c.MinFileSizeBytes, c.MaxPasses = &full, &attach, true, true, 5, 3
			}),
		},
		"a job out of sight, left attached on its node": {prior: &lost, want: with(func(c *hyperv.Order) {
			c.PriorJobID, c.PriorNode, c.LeftAttached, c.LeftAt = "job-7", "NODE1", true, &hyperv.AttachedAt{Node: "NODE1"}
		})},
		"refused on another node since": {prior: &refused, want: with(func(c *hyperv.Order) { c.PriorJobID, c.PriorNode = "job-7", "NODE1" })},
		"skipped, and the job seen to end": {prior: &seen, want: with(func(c *hyperv.Order) {
			c.LeftAttached, c.LeftAt = true, &hyperv.AttachedAt{Node: "NODE1"}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := importedModel(types.StringNull(), "hv01", `D:\a.vhdx`)
			if test.change != nil {
				test.change(&m)
			}
			if diff := cmp.Diff(test.want, m.toOrder(test.prior, time.Hour)); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVHDCompactionModel_afterRun(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	run := func(before, after *int64) *hyperv.CompactRun {
		return &hyperv.CompactRun{StartedAt: at, CompletedAt: at.Add(time.Minute), Mode: hyperv.ModeQuick, Passes: 1, FileSizeBeforeBytes: before, FileSizeAfterBytes: after}
	}
	prior := compacted()
	prior.TotalReclaimedBytes = types.Int64Value(gib)
	prior.VirtualDiskID = types.StringValue("a")
	prior.Mode, prior.AttachReadOnly, prior.Triggers = types.StringValue("Quick"), types.BoolValue(false), triggers(types.StringValue("old"))
	planned := compacted()
	planned.Mode, planned.AttachReadOnly, planned.Triggers = types.StringValue("Full"), types.BoolValue(true), triggers(types.StringValue("new"))
	planned.MaxPasses = types.Int64Value(4)
	planned.vhdCompactionOutputs = unknownOutputs(planned.ID, types.StringValue("triggers changed"))

	for name, test := range map[string]struct {
		prior  *vhdCompactionModel
		result hyperv.CompactResult
		err    error
		want   func(*vhdCompactionModel) // from the planned inputs and the prior outputs
	}{
		"success": {
			prior: &prior,
			result: hyperv.CompactResult{
				Status: hyperv.StatusCompacted, Format: hyperv.FormatVHDX, Type: hyperv.TypeDynamic, VirtualDiskID: new("A"),
				FileSizeBytes: new(int64(7 * gib)), Run: run(new(int64(10*gib)), new(int64(7*gib))),
			},
			want: func(m *vhdCompactionModel) {
				m.VirtualDiskID = types.StringValue("A")
				m.Status, m.Format, m.VHDType = types.StringValue("compacted"), types.StringValue("vhdx"), types.StringValue("dynamic")
				m.FileSizeBytes, m.BaselineFileSizeBytes, m.GrowthBytes = types.Int64Value(7*gib), types.Int64Value(7*gib), types.Int64Value(0)
				m.TotalReclaimedBytes = types.Int64Value(4 * gib)
				m.LastRun = lastRunValue(*run(new(int64(10*gib)), new(int64(7*gib))))
			},
		},
		"another disk": {
			prior:  &prior,
			result: hyperv.CompactResult{Status: hyperv.StatusCompacted, VirtualDiskID: new("B"), FileSizeBytes: new(int64(7 * gib)), Run: run(new(int64(9*gib)), new(int64(7*gib)))},
			want: func(m *vhdCompactionModel) {
				m.VirtualDiskID, m.TotalReclaimedBytes = types.StringValue("B"), types.Int64Value(2*gib)
				m.FileSizeBytes, m.BaselineFileSizeBytes = types.Int64Value(7*gib), types.Int64Value(7*gib)
				m.LastRun = lastRunValue(*run(new(int64(9*gib)), new(int64(7*gib))))
			},
		},
		"it grew while it ran": {
			prior:  &prior,
			result: hyperv.CompactResult{Status: hyperv.StatusUnchanged, FileSizeBytes: new(int64(11 * gib)), Run: run(new(int64(10*gib)), new(int64(11*gib)))},
			want: func(m *vhdCompactionModel) {
				m.Status = types.StringValue("unchanged")
				m.FileSizeBytes, m.BaselineFileSizeBytes = types.Int64Value(11*gib), types.Int64Value(11*gib)
				m.LastRun = lastRunValue(*run(new(int64(10*gib)), new(int64(11*gib))))
			},
		},
		"failure keeps what asked for the run": {
			prior:  &prior,
			result: hyperv.CompactResult{Status: hyperv.StatusFailed, Detail: "the volume is full", FileSizeBytes: new(int64(10 * gib)), Run: run(new(int64(12*gib)), new(int64(10*gib))), LeftAttached: true},
			err:    errors.New("the volume is full"),
			want: func(m *vhdCompactionModel) {
				m.Mode, m.AttachReadOnly, m.Triggers = prior.Mode, prior.AttachReadOnly, prior.Triggers
				m.Status, m.StatusDetail, m.LeftAttached = types.StringValue("failed"), types.StringValue("the volume is full"), types.BoolValue(true)
				m.TotalReclaimedBytes = types.Int64Value(3 * gib)
				m.LastRun = lastRunValue(*run(new(int64(12*gib)), new(int64(10*gib))))
			},
		},
		"failure before anything was read": {
			prior: &prior, err: errors.New("refused"),
			want: func(m *vhdCompactionModel) {
				m.Mode, m.AttachReadOnly, m.Triggers = prior.Mode, prior.AttachReadOnly, prior.Triggers
				m.Status = types.StringValue("failed")
			},
		},
		"size not seen after the run": {
			prior:  &prior,
			result: hyperv.CompactResult{Status: hyperv.StatusUnknown, Run: run(new(int64(10*gib)), nil)},
			err:    errors.New("lost"),
			want: func(m *vhdCompactionModel) {
				m.Mode, m.AttachReadOnly, m.Triggers = prior.Mode, prior.AttachReadOnly, prior.Triggers
				m.Status, m.LastRun = types.StringValue("unknown"), lastRunValue(*run(new(int64(10*gib)), nil))
			},
		},
		"first run, skipped": {
			result: hyperv.CompactResult{Status: hyperv.StatusSkippedInUse, Detail: "in use by virtual machine sql01", FileSizeBytes: new(int64(5 * gib))},
			want: func(m *vhdCompactionModel) {
				m.vhdCompactionOutputs = firstOutputs()
				m.ID = types.StringValue(`hv01|D:\a.vhdx`)
				m.FileSizeBytes = types.Int64Value(5 * gib)
				m.Status, m.StatusDetail = types.StringValue("skipped_in_use"), types.StringValue("in use by virtual machine sql01")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := planned
			want.vhdCompactionOutputs = prior.vhdCompactionOutputs
			test.want(&want)
			want.PlanReason = types.StringValue("triggers changed")
			got := planned.afterRun(test.prior, test.result, test.err)
			if diff := cmp.Diff(want, got, embedded); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVHDCompactionModel_refreshed(t *testing.T) {
	t.Parallel()
	imported := importedModel(types.StringNull(), "hv01", `D:\a.vhdx`)
	imported.refreshed(5 * gib)
	if imported.BaselineFileSizeBytes.ValueInt64() != 5*gib || imported.GrowthBytes.ValueInt64() != 0 {
		t.Errorf("after an import baseline = %s, growth = %s; want the size found and 0", imported.BaselineFileSizeBytes, imported.GrowthBytes)
	}
	imported.refreshed(6 * gib)
	if imported.BaselineFileSizeBytes.ValueInt64() != 5*gib || imported.GrowthBytes.ValueInt64() != gib {
		t.Errorf("later baseline = %s, growth = %s; want 5 GiB and 1 GiB", imported.BaselineFileSizeBytes, imported.GrowthBytes)
	}
	skipped := compacted()
	skipped.BaselineFileSizeBytes = types.Int64Null()
	skipped.refreshed(gib)
	if !skipped.BaselineFileSizeBytes.IsNull() || !skipped.GrowthBytes.IsNull() {
		t.Errorf("without a run baseline = %s, growth = %s; want null", skipped.BaselineFileSizeBytes, skipped.GrowthBytes)
	}
}

func TestLastRunValue(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 1, 2, 3, 400_000_000, time.FixedZone("CET", 3600))
	for name, test := range map[string]struct {
		run  hyperv.CompactRun
		want map[string]attr.Value
	}{
		"everything seen": {
			run: hyperv.CompactRun{StartedAt: start, CompletedAt: start.Add(90*time.Second + 700*time.Millisecond), Mode: hyperv.ModeFull, Attached: true, Passes: 2, JobID: "7", FileSizeBeforeBytes: new(int64(3000)), FileSizeAfterBytes: new(int64(2000))},
			want: map[string]attr.Value{
				"started_at": types.StringValue("2026-11-23T00:02:03Z"), "completed_at": types.StringValue("2026-11-23T00:03:34Z"),
				"duration_seconds": types.Int64Value(91), "mode": types.StringValue("Full"), "attached": types.BoolValue(true),
				"passes": types.Int64Value(2), "job_id": types.StringValue("7"),
				"file_size_before_bytes": types.Int64Value(3000), "file_size_after_bytes": types.Int64Value(2000),
				"reclaimed_bytes": types.Int64Value(1000), "reclaimed_percent": types.Float64Value(33.3),
			},
		},
		"nothing seen": {
			want: map[string]attr.Value{
				"started_at": types.StringNull(), "completed_at": types.StringNull(), "duration_seconds": types.Int64Null(),
				"mode": types.StringNull(), "attached": types.BoolValue(false), "passes": types.Int64Value(0), "job_id": types.StringNull(),
				"file_size_before_bytes": types.Int64Null(), "file_size_after_bytes": types.Int64Null(),
				"reclaimed_bytes": types.Int64Null(), "reclaimed_percent": types.Float64Null(),
			},
		},
		"an empty file": {
			run: hyperv.CompactRun{FileSizeBeforeBytes: new(int64(0)), FileSizeAfterBytes: new(int64(0))},
			want: map[string]attr.Value{
				"started_at": types.StringNull(), "completed_at": types.StringNull(), "duration_seconds": types.Int64Null(),
				"mode": types.StringNull(), "attached": types.BoolValue(false), "passes": types.Int64Value(0), "job_id": types.StringNull(),
				"file_size_before_bytes": types.Int64Value(0), "file_size_after_bytes": types.Int64Value(0),
				"reclaimed_bytes": types.Int64Value(0), "reclaimed_percent": types.Float64Value(0),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(types.ObjectValueMust(lastRunTypes(), test.want), lastRunValue(test.run)); diff != "" {
				t.Errorf("last_run (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMovedWarning: only where another file can be meant.
func TestMovedWarning(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		`D:\a.vhdx`: true, `\\?\Volume{0b5f1d6c-0000-4000-8000-000000000001}\a.vhdx`: true,
		`C:\ClusterStorage\Volume1\a.vhdx`: false, `\\nas\vms\a.vhdx`: false,
	} {
		m := importedModel(types.StringNull(), "hv01", path)
		m.Node = types.StringValue("HV01")
		if got := m.movedWarning(subject{}, "HV02") != nil; got != want {
			t.Errorf("%s: warned %v, want %v", path, got, want)
		}
		if m.movedWarning(subject{}, "") != nil {
			t.Errorf("%s: warned without another node", path)
		}
	}
}
