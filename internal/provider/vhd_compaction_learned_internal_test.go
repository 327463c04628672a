package provider

import (
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// learning returns what sets an input to each of some values, of which the first is unknown.
func learning[T attr.Value](set func(f *planFacts, value T), values ...T) []func(*planFacts) {
	var all []func(*planFacts)
	for _, v := range values {
		all = append(all, func(f *planFacts) { set(f, v) })
	}
	return all
}

// learnable holds, for each input that decides in place, how it is unknown and then what it may turn
// out to be.
func learnable() map[string][]func(*planFacts) {
	flags := []types.Bool{types.BoolUnknown(), types.BoolValue(false), types.BoolValue(true)}
	sizes := []types.Int64{types.Int64Unknown(), types.Int64Value(0), types.Int64Value(99 * gib)}
	troubles := []types.String{types.StringUnknown(), types.StringValue(onTroubleFail), types.StringValue(onTroubleSkip)}
	return map[string][]func(*planFacts){
		"mode":                     learning(func(f *planFacts, v types.String) { f.plan.Mode = v }, types.StringUnknown(), types.StringNull(), types.StringValue("Full")),
		"attach_read_only":         learning(func(f *planFacts, v types.Bool) { f.plan.AttachReadOnly = v }, append(flags, types.BoolNull())...),
		"if_in_use":                learning(func(f *planFacts, v types.String) { f.plan.IfInUse = v }, troubles...),
		"if_unreachable":           learning(func(f *planFacts, v types.String) { f.plan.IfUnreachable = v }, troubles...),
		"allow_parent":             learning(func(f *planFacts, v types.Bool) { f.plan.AllowParent = v }, flags...),
		"allow_replicated":         learning(func(f *planFacts, v types.Bool) { f.plan.AllowReplicated = v }, flags...),
		"min_file_size_bytes":      learning(func(f *planFacts, v types.Int64) { f.plan.MinFileSizeBytes = v }, sizes...),
		"recompact_on_growth":      learning(func(f *planFacts, v types.Bool) { f.plan.RecompactOnGrowth = v }, flags...),
		"recompact_growth_bytes":   learning(func(f *planFacts, v types.Int64) { f.plan.RecompactGrowthBytes = v }, sizes...),
		"recompact_growth_percent": learning(func(f *planFacts, v types.Int64) { f.plan.RecompactGrowthPercent = v }, sizes...),
		"max_passes":               learning(func(f *planFacts, v types.Int64) { f.plan.MaxPasses = v }, sizes...),
		"triggers":                 learning(func(f *planFacts, v types.Map) { f.plan.Triggers = v }, types.MapUnknown(types.StringType), noTriggers, triggers(types.StringValue("1"))),
		"host of the provider":     learning(func(f *planFacts, v types.String) { f.host = v }, types.StringUnknown(), types.StringValue("hv01"), types.StringValue("hv09")),
		"trigger":                  learning(func(f *planFacts, v types.String) { f.plan.Triggers = triggers(v) }, types.StringUnknown(), types.StringValue("1"), types.StringValue("2")),
	}
}

// elsewhere is what a refresh notes on a host with another disk, before an update.
func elsewhere(f *planFacts) { f.marks.Elsewhere, f.edited = "hv09", true }

// TestDecidePlan_learned: Terraform plans again while it applies, and takes it for a bug when what
// the plan has shown is no longer so. Each input is learned after each thing that can have happened.
func TestDecidePlan_learned(t *testing.T) {
	t.Parallel()
	happened := map[string]func(*planFacts){
		"nothing":          func(*planFacts) {},
		"created":          func(f *planFacts) { f.prior, f.marks = nil, marks{} },
		"skipped":          status(hyperv.StatusSkippedInUse),
		"skipped for good": status(hyperv.StatusSkippedDependents),
		"consented": func(f *planFacts) {
			status(hyperv.StatusSkippedDependents)(f)
			f.prior.AllowReplicated = types.BoolValue(true)
		},
		"below minimum":  status(hyperv.StatusBelowMinimum),
		"failed":         status(hyperv.StatusFailed),
		"grown":          grown(20 * gib),
		"elsewhere":      elsewhere,
		"lost elsewhere": func(f *planFacts) { elsewhere(f); f.prior.UnseenJob = types.StringValue("job-7") },
		"imported":       func(f *planFacts) { status(hyperv.StatusImported)(f); f.marks.Imported = true },
		"unreachable":    func(f *planFacts) { status(hyperv.StatusSkippedDependents)(f); f.marks.Unreachable = true },
		"trigger":        func(f *planFacts) { f.plan.Triggers = triggers(types.StringValue("2")) },
	}
	for input, ways := range learnable() {
		for name, happen := range happened {
			t.Run(input+"/"+name, func(t *testing.T) {
				t.Parallel()
				planned := decidePlan(next(happen, ways[0]))
				if planned.diags.HasError() {
					return // nothing is applied
				}
				for _, learn := range ways[1:] {
					planned.mustAllow(t, decidePlan(next(happen, learn)))
				}
			})
		}
	}
}

// mustAllow fails the test unless a later decision keeps to this one.
func (d *planDecision) mustAllow(t *testing.T, later planDecision) {
	t.Helper()
	if d.replaceBy != later.replaceBy {
		t.Errorf("replaced by %q, but by %q in the plan", later.replaceBy, d.replaceBy)
	}
	shown, final := reflect.ValueOf(d.plan.vhdCompactionOutputs), reflect.ValueOf(later.plan.vhdCompactionOutputs)
	for i := range shown.NumField() {
		before, after := shown.Field(i).Interface().(attr.Value), final.Field(i).Interface().(attr.Value)
		if !before.IsUnknown() && !before.Equal(after) {
			t.Errorf("%s = %s, but %s in the plan", shown.Type().Field(i).Tag.Get("tfsdk"), after, before)
		}
	}
}
