package provider

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/bytesize"
)

// dueStatuses maps a status to the reason why another run is due.
var dueStatuses = map[hyperv.Status]string{
	hyperv.StatusSkippedInUse: "the disk was in use at the last run",
	hyperv.StatusInterrupted:  "the last run was interrupted (see status_detail)",
	hyperv.StatusUnknown:      "the outcome of the last run is unknown (see status_detail)",
	hyperv.StatusFailed:       "the last run failed (see status_detail)",
}

// reasons lists why a run is due; empty when none is.
func (f planFacts) reasons() []string {
	var all []string
	if f.prior.LeftAttached.ValueBool() {
		all = append(all, "the last run left the disk attached to the host")
	} else if f.marks.Attached && f.prior.status() != hyperv.StatusSkippedDependents { // no run can detach it
		all = append(all, "the disk is attached read-only to the host, as a run that was killed leaves it")
	}
	if reason, ok := dueStatuses[f.prior.status()]; ok {
		all = append(all, reason)
	}
	if f.marks.Owed != "" {
		all = append(all, f.marks.Owed)
	}
	all = append(all, f.marks.newInputs(&f.plan, f.prior)...)
	if reason := sizeReason(&f.plan, f.prior); reason != "" {
		all = append(all, reason)
	}
	return all
}

// newInputs names what is new in the configuration and asks for a run. The first plan after an
// import takes over mode, attach_read_only and triggers without one.
func (m marks) newInputs(plan, prior *vhdCompactionModel) []string {
	var all []string
	if !m.Imported {
		all = changedInputs(plan, prior)
	}
	if prior.status() == hyperv.StatusSkippedDependents {
		all = append(all, newConsents(plan, prior)...)
	}
	return all
}

// changedInputs names the inputs whose change asks for a run.
func changedInputs(plan, prior *vhdCompactionModel) []string {
	var all []string
	if !plan.Mode.Equal(prior.Mode) {
		all = append(all, fmt.Sprintf("mode changed from %s to %s", orDefault(prior.Mode.ValueString()), orDefault(plan.Mode.ValueString())))
	}
	if !plan.AttachReadOnly.Equal(prior.AttachReadOnly) {
		all = append(all, "attach_read_only changed")
	}
	if changed := changedKeys(plan.Triggers.Elements(), prior.Triggers.Elements()); len(changed) > 0 {
		all = append(all, "triggers changed: "+strings.Join(changed, ", "))
	}
	return all
}

// changedKeys are the keys whose values differ, in order; null and {} are one.
func changedKeys(plan, prior map[string]attr.Value) []string {
	keys := map[string]bool{}
	for key, value := range plan {
		if before, ok := prior[key]; !ok || !value.Equal(before) {
			keys[key] = true
		}
	}
	for key := range prior {
		if _, ok := plan[key]; !ok {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// newConsents names the new consents, without which the disk was left alone.
func newConsents(plan, prior *vhdCompactionModel) []string {
	var all []string
	if plan.AllowParent.ValueBool() && !prior.AllowParent.ValueBool() {
		all = append(all, "allow_parent was set")
	}
	if plan.AllowReplicated.ValueBool() && !prior.AllowReplicated.ValueBool() {
		all = append(all, "allow_replicated was set")
	}
	return all
}

func orDefault(mode string) string {
	if mode == "" {
		return "the default"
	}
	return mode
}

// sizeReason returns the reason, if any, why the size of the file asks for a
// run. A file below the minimum never does: the run would end before it began.
func sizeReason(plan, prior *vhdCompactionModel) string {
	if prior.FileSizeBytes.IsNull() || prior.FileSizeBytes.ValueInt64() < plan.MinFileSizeBytes.ValueInt64() {
		return ""
	}
	if prior.status() == hyperv.StatusBelowMinimum {
		return "the file has reached the minimum size of " + bytesize.Format(plan.MinFileSizeBytes.ValueInt64())
	}
	if !plan.RecompactOnGrowth.ValueBool() || prior.BaselineFileSizeBytes.IsNull() {
		return ""
	}
	g := growth{size: prior.FileSizeBytes.ValueInt64(), baseline: prior.BaselineFileSizeBytes.ValueInt64()}
	if !g.reaches(plan.RecompactGrowthBytes.ValueInt64(), plan.RecompactGrowthPercent.ValueInt64()) {
		return ""
	}
	return fmt.Sprintf("grew %s %s", g, sinceWhen(prior))
}

// sinceWhen says from where growth counts: from the last run, if that ended with this size. The
// baseline is another after an import, and after a disk was left alone for its dependents.
func sinceWhen(prior *vhdCompactionModel) string {
	after, ran := prior.LastRun.Attributes()["file_size_after_bytes"].(types.Int64)
	switch {
	case prior.status() == hyperv.StatusImported:
		return "since the import"
	case ran && after.Equal(prior.BaselineFileSizeBytes):
		return "since the last compaction"
	}
	return "from " + bytesize.Format(prior.BaselineFileSizeBytes.ValueInt64())
}

// growth is the growth of a file since its baseline, in bytes.
type growth struct{ size, baseline int64 }

func (g growth) bytes() int64 { return g.size - g.baseline }

// reaches reports whether the growth is worth a run: both thresholds must be
// reached, a threshold of 0 is always reached, and a file that has not grown is
// never due.
func (g growth) reaches(bytes, percent int64) bool {
	if g.bytes() <= 0 || g.bytes() < bytes {
		return false
	}
	// growth × 100 ≥ baseline × percent, without overflow
	grown := new(big.Int).Mul(big.NewInt(g.bytes()), big.NewInt(100))
	return grown.Cmp(new(big.Int).Mul(big.NewInt(g.baseline), big.NewInt(percent))) >= 0
}

// String writes the growth as "14.2 GiB (31 %)"; the percentage is rounded
// down.
func (g growth) String() string {
	if g.baseline <= 0 {
		return bytesize.Format(g.bytes())
	}
	percent := new(big.Int).Mul(big.NewInt(g.bytes()), big.NewInt(100))
	return fmt.Sprintf("%s (%d %%)", bytesize.Format(g.bytes()), percent.Quo(percent, big.NewInt(g.baseline)))
}
