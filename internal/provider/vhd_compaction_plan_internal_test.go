package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

const gib = 1 << 30

// compacted returns the state of a disk of 10 GiB that is up to date.
func compacted() vhdCompactionModel {
	m := importedModel(types.StringNull(), "hv01", `D:\a.vhdx`)
	m.Status = types.StringValue(string(hyperv.StatusCompacted))
	m.Format, m.VHDType = types.StringValue("vhdx"), types.StringValue("dynamic")
	m.FileSizeBytes = types.Int64Value(10 * gib)
	m.BaselineFileSizeBytes = types.Int64Value(10 * gib)
	m.GrowthBytes = types.Int64Value(0)
	m.LastRun = lastRunValue(hyperv.CompactRun{FileSizeAfterBytes: new(int64(10 * gib))})
	m.PlanReason = types.StringValue("first run")
	return m
}

// next returns the facts of a plan for a disk to which nothing has happened.
func next(changes ...func(*planFacts)) planFacts {
	prior := compacted()
	f := planFacts{
		plan: compacted(), prior: &prior, marks: marks{Asked: "hv01"},
		host: types.StringValue("hv01"), allowAttach: types.BoolValue(true),
	}
	for _, change := range changes {
		change(&f)
	}
	return f
}

func grown(size int64) func(*planFacts) {
	return func(f *planFacts) { f.prior.FileSizeBytes = types.Int64Value(size) }
}

func status(s hyperv.Status) func(*planFacts) {
	return func(f *planFacts) { f.prior.Status = types.StringValue(string(s)) }
}

func triggers(value attr.Value) types.Map {
	return types.MapValueMust(types.StringType, map[string]attr.Value{"month": value})
}

func maybeReplicated(f *planFacts) { f.plan.AllowReplicated = types.BoolUnknown() }

var noTriggers = types.MapValueMust(types.StringType, map[string]attr.Value{})

// TestDecidePlan_next checks for each fact whether a run is planned, and why.
func TestDecidePlan_next(t *testing.T) {
	t.Parallel()
	const undecided = "?"
	for name, test := range map[string]struct {
		change []func(*planFacts)
		reason string // empty: no run
	}{
		"nothing happened": {},

		"mode set":       {change: []func(*planFacts){func(f *planFacts) { f.plan.Mode = types.StringValue("Full") }}, reason: "mode changed from the default to Full"},
		"mode removed":   {change: []func(*planFacts){func(f *planFacts) { f.prior.Mode = types.StringValue("Full") }}, reason: "mode changed from Full to the default"},
		"attach set":     {change: []func(*planFacts){func(f *planFacts) { f.plan.AttachReadOnly = types.BoolValue(true) }}, reason: "attach_read_only changed"},
		"attach removed": {change: []func(*planFacts){func(f *planFacts) { f.prior.AttachReadOnly = types.BoolValue(false) }}, reason: "attach_read_only changed"},
		"triggers set":   {change: []func(*planFacts){func(f *planFacts) { f.plan.Triggers = triggers(types.StringValue("1")) }}, reason: "triggers changed: month"},
		"triggers changed": {change: []func(*planFacts){func(f *planFacts) {
			f.plan.Triggers, f.prior.Triggers = triggers(types.StringValue("1")), triggers(types.StringValue("2"))
		}}, reason: "triggers changed: month"},
		"triggers removed":    {change: []func(*planFacts){func(f *planFacts) { f.prior.Triggers = triggers(types.StringValue("2")) }}, reason: "triggers changed: month"},
		"triggers emptied":    {change: []func(*planFacts){func(f *planFacts) { f.prior.Triggers, f.plan.Triggers = triggers(types.StringValue("2")), noTriggers }}, reason: "triggers changed: month"},
		"triggers set to {}":  {change: []func(*planFacts){func(f *planFacts) { f.plan.Triggers = noTriggers }}},
		"triggers from {}":    {change: []func(*planFacts){func(f *planFacts) { f.prior.Triggers = noTriggers }}},
		"if_in_use changed":   {change: []func(*planFacts){func(f *planFacts) { f.plan.IfInUse = types.StringValue("skip") }}},
		"max_passes changed":  {change: []func(*planFacts){func(f *planFacts) { f.plan.MaxPasses = types.Int64Value(5) }}},
		"allow_parent":        {change: []func(*planFacts){func(f *planFacts) { f.plan.AllowParent = types.BoolValue(true) }}},
		"minimum raised":      {change: []func(*planFacts){func(f *planFacts) { f.plan.MinFileSizeBytes = types.Int64Value(99 * gib) }}},
		"if_in_use unknown":   {change: []func(*planFacts){func(f *planFacts) { f.plan.IfInUse = types.StringUnknown() }}},
		"unchanged":           {change: []func(*planFacts){status(hyperv.StatusUnchanged)}},
		"left attached":       {change: []func(*planFacts){func(f *planFacts) { f.prior.LeftAttached = types.BoolValue(true) }}, reason: "the last run left the disk attached to the host"},
		"skipped":             {change: []func(*planFacts){status(hyperv.StatusSkippedInUse)}, reason: "the disk was in use at the last run"},
		"interrupted":         {change: []func(*planFacts){status(hyperv.StatusInterrupted)}, reason: "the last run was interrupted (see status_detail)"},
		"unknown":             {change: []func(*planFacts){status(hyperv.StatusUnknown)}, reason: "the outcome of the last run is unknown (see status_detail)"},
		"failed":              {change: []func(*planFacts){status(hyperv.StatusFailed)}, reason: "the last run failed (see status_detail)"},
		"attached":            {change: []func(*planFacts){func(f *planFacts) { f.marks.Attached = true }}, reason: "the disk is attached read-only to the host, as a run that was killed leaves it"},
		"owed":                {change: []func(*planFacts){func(f *planFacts) { f.marks.Owed = "triggers changed" }}, reason: "triggers changed"},
		"several":             {change: []func(*planFacts){status(hyperv.StatusFailed), grown(20 * gib), func(f *planFacts) { f.plan.Mode = types.StringValue("Quick") }}, reason: "the last run failed (see status_detail); mode changed from the default to Quick; grew 10.0 GiB (100 %) since the last compaction"},
		"grown by a byte":     {change: []func(*planFacts){grown(10*gib + 1)}},
		"grown below percent": {change: []func(*planFacts){grown(12*gib - 1)}},
		"grown, no run yet": {change: []func(*planFacts){status(hyperv.StatusSkippedDependents), grown(20 * gib), func(f *planFacts) {
			f.prior.LastRun = types.ObjectNull(lastRunTypes())
		}}, reason: "grew 10.0 GiB (100 %) from 10.0 GiB"},
		"grown since it was left alone": {change: []func(*planFacts){status(hyperv.StatusSkippedDependents), grown(24 * gib), func(f *planFacts) {
			f.prior.BaselineFileSizeBytes = types.Int64Value(12 * gib)
		}}, reason: "grew 12.0 GiB (100 %) from 12.0 GiB"},
		"grown to percent": {change: []func(*planFacts){grown(12 * gib)}, reason: "grew 2.0 GiB (20 %) since the last compaction"},
		"growth off":       {change: []func(*planFacts){grown(99 * gib), func(f *planFacts) { f.plan.RecompactOnGrowth = types.BoolValue(false) }}},
		"no baseline":      {change: []func(*planFacts){grown(99 * gib), func(f *planFacts) { f.prior.BaselineFileSizeBytes = types.Int64Null() }}},
		"no size":          {change: []func(*planFacts){func(f *planFacts) { f.prior.FileSizeBytes = types.Int64Null() }}},
		"below raised minimum": {change: []func(*planFacts){grown(20 * gib), func(f *planFacts) {
			f.plan.MinFileSizeBytes = types.Int64Value(21 * gib)
		}}},
		"below minimum":   {change: []func(*planFacts){status(hyperv.StatusBelowMinimum), func(f *planFacts) { f.plan.MinFileSizeBytes = types.Int64Value(10*gib + 1) }}},
		"minimum reached": {change: []func(*planFacts){status(hyperv.StatusBelowMinimum), func(f *planFacts) { f.plan.MinFileSizeBytes = types.Int64Value(10 * gib) }}, reason: "the file has reached the minimum size of 10.0 GiB"},
		"minimum reached, growth off": {change: []func(*planFacts){status(hyperv.StatusBelowMinimum), func(f *planFacts) {
			f.plan.MinFileSizeBytes, f.plan.RecompactOnGrowth = types.Int64Value(gib), types.BoolValue(false)
		}}, reason: "the file has reached the minimum size of 1.0 GiB"},

		"imported, inputs taken over": {change: []func(*planFacts){status(hyperv.StatusImported), func(f *planFacts) {
			f.marks.Imported, f.plan.Mode, f.plan.AttachReadOnly, f.plan.Triggers = true, types.StringValue("Full"), types.BoolValue(true), triggers(types.StringUnknown())
		}}},
		"imported and grown":      {change: []func(*planFacts){status(hyperv.StatusImported), grown(20 * gib), func(f *planFacts) { f.marks.Imported = true }}, reason: "grew 10.0 GiB (100 %) since the import"},
		"imported, second change": {change: []func(*planFacts){status(hyperv.StatusImported), func(f *planFacts) { f.plan.Mode = types.StringValue("Full") }}, reason: "mode changed from the default to Full"},

		"unreachable, failed":       {change: []func(*planFacts){status(hyperv.StatusFailed), func(f *planFacts) { f.marks.Unreachable = true }}},
		"unreachable, mode changed": {change: []func(*planFacts){func(f *planFacts) { f.marks.Unreachable, f.plan.Mode = true, types.StringValue("Full") }}},
		"unreachable, unknown":      {change: []func(*planFacts){func(f *planFacts) { f.marks.Unreachable, f.plan.Mode = true, types.StringUnknown() }}},

		"unknown mode":       {change: []func(*planFacts){func(f *planFacts) { f.plan.Mode = types.StringUnknown() }}, reason: undecided},
		"unknown attach":     {change: []func(*planFacts){func(f *planFacts) { f.plan.AttachReadOnly = types.BoolUnknown() }}, reason: undecided},
		"unknown triggers":   {change: []func(*planFacts){func(f *planFacts) { f.plan.Triggers = types.MapUnknown(types.StringType) }}, reason: undecided},
		"unknown trigger":    {change: []func(*planFacts){func(f *planFacts) { f.plan.Triggers = triggers(types.StringUnknown()) }}, reason: undecided},
		"unknown minimum":    {change: []func(*planFacts){func(f *planFacts) { f.plan.MinFileSizeBytes = types.Int64Unknown() }}, reason: undecided},
		"unknown growth":     {change: []func(*planFacts){func(f *planFacts) { f.plan.RecompactOnGrowth = types.BoolUnknown() }}, reason: undecided},
		"unknown bytes":      {change: []func(*planFacts){func(f *planFacts) { f.plan.RecompactGrowthBytes = types.Int64Unknown() }}, reason: undecided},
		"unknown percent":    {change: []func(*planFacts){func(f *planFacts) { f.plan.RecompactGrowthPercent = types.Int64Unknown() }}, reason: undecided},
		"unknown consent":    {change: []func(*planFacts){maybeReplicated}},
		"consent, and due":   {change: []func(*planFacts){status(hyperv.StatusFailed), maybeReplicated}, reason: undecided},
		"consent, skipped":   {change: []func(*planFacts){status(hyperv.StatusSkippedDependents), maybeReplicated}, reason: undecided},
		"parent, skipped":    {change: []func(*planFacts){status(hyperv.StatusSkippedDependents), func(f *planFacts) { f.plan.AllowParent = types.BoolUnknown() }}, reason: undecided},
		"unknown and failed": {change: []func(*planFacts){status(hyperv.StatusFailed), func(f *planFacts) { f.plan.Mode = types.StringUnknown() }}, reason: undecided},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := next(test.change...)
			d := decidePlan(f)
			want := f.prior.vhdCompactionOutputs
			switch test.reason {
			case "":
			case undecided:
				want = unknownOutputs(f.prior.ID, types.StringUnknown())
			default:
				want = unknownOutputs(f.prior.ID, types.StringValue(test.reason))
			}
			if test.reason != "" && f.prior.status() != hyperv.StatusFailed { // after which it may have been converted
				want.Format, want.VHDType = types.StringValue("vhdx"), types.StringValue("dynamic")
			}
			if diff := cmp.Diff(want, d.plan.vhdCompactionOutputs); diff != "" {
				t.Errorf("outputs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(f.plan.vhdCompactionInputs, d.plan.vhdCompactionInputs); diff != "" {
				t.Errorf("inputs were changed (-want +got):\n%s", diff)
			}
			if d.replaceBy != "" || len(d.diags) != 0 {
				t.Errorf("replaced by %q, diagnostics = %v; want neither", d.replaceBy, d.diags)
			}
		})
	}
}

// TestDecidePlan_host checks what is planned for each way in which a disk can come to another host.
// The field provider is the host of the provider, own that of the resource.
func TestDecidePlan_host(t *testing.T) {
	t.Parallel()
	null, unknown, hv := types.StringNull(), types.StringUnknown(), types.StringValue
	left := func(m *vhdCompactionModel) { m.LeftAttached = types.BoolValue(true) }
	lost := func(m *vhdCompactionModel) {
		m.Status, m.UnseenJob = types.StringValue("unknown"), types.StringValue("job-7")
	}
	for name, test := range map[string]struct {
		provider, own, prior types.String
		marks                marks
		holds                func(*vhdCompactionModel) // what is left of the last run
		replace              string
		runs                 bool // in place
	}{
		"null stays null":                    {provider: hv("hv01"), own: null, prior: null, marks: marks{Asked: "hv01"}},
		"the provider turns elsewhere":       {provider: hv("hv09"), own: null, prior: null, marks: marks{Asked: "hv01"}},
		"and shows another disk":             {provider: hv("hv09"), own: null, prior: null, marks: marks{Asked: "hv01", Elsewhere: "hv09"}, replace: "node"},
		"another, but left attached":         {provider: hv("hv09"), own: null, prior: null, marks: marks{Asked: "hv01", Elsewhere: "hv09"}, holds: left, runs: true},
		"another, but a job may run":         {provider: hv("hv09"), own: null, prior: null, marks: marks{Asked: "hv01", Elsewhere: "hv09"}, holds: lost, runs: true},
		"another, and the former is written": {provider: hv("hv09"), own: hv("HV01"), prior: null, marks: marks{Asked: "hv01", Elsewhere: "hv09"}},
		"another, and a third is written":    {provider: hv("hv09"), own: hv("hv03"), prior: null, marks: marks{Asked: "hv01", Elsewhere: "hv09"}, replace: "host"},
		"the provider's is unknown":          {provider: unknown, own: null, prior: null, marks: marks{Asked: "hv01"}},
		"unknown, another before":            {provider: unknown, own: null, prior: null, marks: marks{Asked: "hv01", Elsewhere: "hv09"}},

		"own stays":                        {provider: hv("hv09"), own: hv("hv01"), prior: hv("hv01"), marks: marks{Asked: "hv01"}},
		"own in other letters":             {provider: null, own: hv("HV01"), prior: hv("hv01"), marks: marks{Asked: "hv01"}},
		"own in brackets":                  {provider: null, own: hv("[::1]"), prior: hv("::1"), marks: marks{Asked: "::1"}},
		"own with a dot at its end":        {provider: null, own: hv("hv01.lab."), prior: hv("hv01.lab"), marks: marks{Asked: "hv01.lab"}},
		"own with every zero":              {provider: null, own: hv("FE80:0:0::1"), prior: hv("fe80::1"), marks: marks{Asked: "fe80::1"}},
		"own changes":                      {provider: hv("hv01"), own: hv("hv02"), prior: hv("hv01"), marks: marks{Asked: "hv01"}, replace: "host"},
		"own becomes unknown":              {provider: hv("hv01"), own: unknown, prior: hv("hv01"), marks: marks{Asked: "hv01"}, replace: "host"},
		"null becomes unknown":             {provider: hv("hv01"), own: unknown, prior: null, marks: marks{Asked: "hv01"}, replace: "host"},
		"the provider's becomes own":       {provider: hv("hv01"), own: hv("hv01"), prior: null, marks: marks{Asked: "hv01"}},
		"another becomes own":              {provider: hv("hv01"), own: hv("hv02"), prior: null, marks: marks{Asked: "hv01"}, replace: "host"},
		"own is left to the provider":      {provider: hv("HV01"), own: null, prior: hv("hv01"), marks: marks{Asked: "hv01"}},
		"own is left to another":           {provider: hv("hv09"), own: null, prior: hv("hv01"), marks: marks{Asked: "hv01"}, replace: "host"},
		"own is left to an unknown":        {provider: unknown, own: null, prior: hv("hv01"), marks: marks{Asked: "hv01"}, replace: "host"},
		"imported with it, not asked yet":  {provider: null, own: hv("hv01"), prior: hv("hv01")},
		"imported with another":            {provider: null, own: hv("hv02"), prior: hv("hv01"), replace: "host"},
		"imported by path, own is written": {provider: hv("hv01"), own: hv("hv02"), prior: null},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := next(func(f *planFacts) {
				f.plan.Host, f.prior.Host, f.host, f.marks = test.own, test.prior, test.provider, test.marks
				if test.holds != nil {
					test.holds(f.prior)
				}
			})
			d := decidePlan(f)
			if d.replaceBy != test.replace || len(d.diags) != 0 {
				t.Errorf("replaced by %q, diagnostics = %v; want %q and none", d.replaceBy, d.diags, test.replace)
			}
			if !d.plan.Host.Equal(test.own) {
				t.Errorf("host = %s, want it as it is written: %s", d.plan.Host, test.own)
			}
			if got, want := d.plan.runIsPlanned(), test.replace != "" || test.runs; got != want {
				t.Errorf("a run is planned = %t, want %t", got, want)
			}
			if test.replace != "" && d.plan.PlanReason.ValueString() != reasonFirstRun {
				t.Errorf("plan_reason = %s, want %s", d.plan.PlanReason, reasonFirstRun)
			}
			if test.replace == "" && !d.plan.ID.Equal(f.prior.ID) {
				t.Errorf("id = %s, want that of the creation: %s", d.plan.ID, f.prior.ID)
			}
		})
	}
}

func TestDecidePlan_create(t *testing.T) {
	t.Parallel()
	null, unknown, hv := types.StringNull(), types.StringUnknown(), types.StringValue
	for name, test := range map[string]struct {
		provider, own types.String
		id            types.String
		fails         bool
	}{
		"own":                {provider: hv("hv01"), own: hv("hv02"), id: hv(`hv02|D:\a.vhdx`)},
		"provider's":         {provider: hv("HV01"), own: null, id: hv(`HV01|D:\a.vhdx`)},
		"own unknown":        {provider: hv("hv01"), own: unknown, id: unknown},
		"provider's unknown": {provider: unknown, own: null, id: unknown},
		"none":               {provider: null, own: null, id: hv(`|D:\a.vhdx`), fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decidePlan(next(func(f *planFacts) { f.prior, f.host, f.plan.Host, f.marks = nil, test.provider, test.own, marks{} }))
			if !d.plan.ID.Equal(test.id) || !d.plan.Host.Equal(test.own) || !d.plan.runIsPlanned() {
				t.Errorf("id = %s, host = %s, run = %t; want %s, %s and a run", d.plan.ID, d.plan.Host, d.plan.runIsPlanned(), test.id, test.own)
			}
			if d.diags.HasError() != test.fails || d.replaceBy != "" {
				t.Errorf("diagnostics = %v, replaced by %q; want an error = %t", d.diags, d.replaceBy, test.fails)
			}
		})
	}
}

func TestDecidePlan_otherPath(t *testing.T) {
	t.Parallel()
	f := next(func(f *planFacts) { f.plan.Path = pathtype.NewValue(`D:\b.vhdx`) })
	d := decidePlan(f)
	if !d.plan.runIsPlanned() || d.replaceBy != "" {
		t.Errorf("run = %t, replaced by %q; want a run, and the path to replace", d.plan.runIsPlanned(), d.replaceBy)
	}
	if got, want := d.plan.ID.ValueString(), `hv01|D:\b.vhdx`; got != want {
		t.Errorf("id = %s, want %s", got, want)
	}
}

func TestDecidePlan_allowAttach(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		allow  types.Bool
		attach types.Bool
		mode   types.String
		want   int
	}{
		"allowed":               {allow: types.BoolValue(true), attach: types.BoolValue(true), mode: types.StringValue("Retrim")},
		"not known yet":         {allow: types.BoolUnknown(), attach: types.BoolValue(true), mode: types.StringNull()},
		"forbidden, default":    {allow: types.BoolValue(false), attach: types.BoolNull(), mode: types.StringValue("Full")},
		"forbidden, attached":   {allow: types.BoolValue(false), attach: types.BoolValue(true), mode: types.StringNull(), want: 1},
		"forbidden, Retrim":     {allow: types.BoolValue(false), attach: types.BoolNull(), mode: types.StringValue("Retrim"), want: 1},
		"forbidden, unknown":    {allow: types.BoolValue(false), attach: types.BoolUnknown(), mode: types.StringUnknown()},
		"forbidden, unattached": {allow: types.BoolValue(false), attach: types.BoolValue(false), mode: types.StringNull()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decidePlan(next(func(f *planFacts) {
				f.allowAttach, f.plan.AttachReadOnly, f.plan.Mode = test.allow, test.attach, test.mode
			}))
			if got := d.diags.ErrorsCount(); got != test.want {
				t.Errorf("errors = %d, want %d: %v", got, test.want, d.diags)
			}
		})
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	const huge = 1<<63 - 1
	for name, test := range map[string]struct {
		g              growth
		bytes, percent int64
		reaches        bool
		text           string
	}{
		"neither":            {g: growth{110, 100}, bytes: 11, percent: 11, text: "10 B (10 %)"},
		"bytes only":         {g: growth{110, 100}, bytes: 10, percent: 11, text: "10 B (10 %)"},
		"percent only":       {g: growth{110, 100}, bytes: 11, percent: 10, text: "10 B (10 %)"},
		"both":               {g: growth{110, 100}, bytes: 10, percent: 10, reaches: true, text: "10 B (10 %)"},
		"no byte threshold":  {g: growth{110, 100}, percent: 10, reaches: true, text: "10 B (10 %)"},
		"no percentage":      {g: growth{110, 100}, bytes: 10, reaches: true, text: "10 B (10 %)"},
		"no threshold":       {g: growth{101, 100}, reaches: true, text: "1 B (1 %)"},
		"no growth":          {g: growth{100, 100}, text: "0 B (0 %)"},
		"shrunk":             {g: growth{99, 100}, text: "-1 B (-1 %)"},
		"from nothing":       {g: growth{100, 0}, bytes: 100, percent: 1000, reaches: true, text: "100 B"},
		"rounded down":       {g: growth{1999, 1000}, bytes: 1, percent: 100, text: "999 B (99 %)"},
		"just below percent": {g: growth{1199, 1000}, percent: 20, text: "199 B (19 %)"},
		"huge":               {g: growth{huge, 1}, bytes: huge - 1, percent: huge, reaches: true, text: "8.0 EiB (922337203685477580600 %)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.g.reaches(test.bytes, test.percent); got != test.reaches {
				t.Errorf("reaches(%d, %d) = %t, want %t", test.bytes, test.percent, got, test.reaches)
			}
			if got := test.g.String(); got != test.text {
				t.Errorf("String() = %q, want %q", got, test.text)
			}
		})
	}
}
