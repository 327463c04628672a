package provider

import (
	"math"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

func lastRunAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"started_at":             computedString("Start time in UTC, as in RFC 3339."),
		"completed_at":           computedString("End time in UTC, as in RFC 3339."),
		"duration_seconds":       computedInt64("Seconds from start to end."),
		"mode":                   computedString("Compaction mode; null where the host has no modes."),
		"attached":               schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the disk was attached read-only for the run."},
		"passes":                 computedInt64("Number of passes."),
		"job_id":                 computedString("Identifier of the last job on the host."),
		"file_size_before_bytes": computedInt64("Size of the file before the run, in bytes."),
		"file_size_after_bytes":  computedInt64("Size of the file after the run, in bytes; null if it could not be read."),
		"reclaimed_bytes":        computedInt64("Size before minus size after, in bytes; negative if the file grew meanwhile."),
		"reclaimed_percent":      schema.Float64Attribute{Computed: true, MarkdownDescription: "Share of the size before that was reclaimed, in percent, with one decimal."},
	}
}

// lastRunTypes are the types of the members of last_run.
func lastRunTypes() map[string]attr.Type {
	all := map[string]attr.Type{}
	for name, a := range lastRunAttributes() {
		all[name] = a.GetType()
	}
	return all
}

// lastRunValue returns a run as the state shows it; values that were not seen are null.
func lastRunValue(run hyperv.CompactRun) types.Object {
	reclaimed, percent := reclaimedBy(run)
	duration := types.Int64Null()
	if !run.StartedAt.IsZero() && !run.CompletedAt.IsZero() {
		duration = types.Int64Value(int64(run.CompletedAt.Sub(run.StartedAt).Round(time.Second) / time.Second))
	}
	return types.ObjectValueMust(lastRunTypes(), map[string]attr.Value{
		"started_at":             optionalTime(run.StartedAt),
		"completed_at":           optionalTime(run.CompletedAt),
		"duration_seconds":       duration,
		"mode":                   optionalString(string(run.Mode)),
		"attached":               types.BoolValue(run.Attached),
		"passes":                 types.Int64Value(int64(run.Passes)),
		"job_id":                 optionalString(run.JobID),
		"file_size_before_bytes": types.Int64PointerValue(run.FileSizeBeforeBytes),
		"file_size_after_bytes":  types.Int64PointerValue(run.FileSizeAfterBytes),
		"reclaimed_bytes":        reclaimed,
		"reclaimed_percent":      percent,
	})
}

// reclaimedBy returns the reclaimed bytes and percentage, null unless both sizes were read from the
// host.
func reclaimedBy(run hyperv.CompactRun) (types.Int64, types.Float64) {
	before, after := run.FileSizeBeforeBytes, run.FileSizeAfterBytes
	if before == nil || after == nil {
		return types.Int64Null(), types.Float64Null()
	}
	bytes := *before - *after
	if *before == 0 {
		return types.Int64Value(bytes), types.Float64Value(0)
	}
	return types.Int64Value(bytes), types.Float64Value(math.Round(1000*float64(bytes)/float64(*before)) / 10)
}

func optionalTime(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}
