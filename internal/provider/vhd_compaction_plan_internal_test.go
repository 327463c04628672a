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

// compacted is the state of a disk of 10 GiB that is up to date.
func compacted() vhdCompactionModel {
	m := importedModel("hv01", `D:\a.vhdx`)
	m.Status = types.StringValue(string(hyperv.StatusCompacted))
	m.FileSizeBytes = types.Int64Value(10 * gib)
	m.BaselineFileSizeBytes = types.Int64Value(10 * gib)
	m.GrowthBytes = types.Int64Value(0)
	m.PlanReason = types.StringValue("first run")
	return m
}

// next are the facts of a plan for a disk that nothing has happened to.
func next(changes ...func(*planFacts)) planFacts {
	prior := compacted()
	f := planFacts{
		plan: compacted(), prior: &prior, marks: marks{HostSource: hostFromProvider},
		host: types.StringValue("hv01"), allowAttach: types.BoolValue(true),
	}
	f.config.Host = types.StringNull()
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

// TestDecidePlan_next tells for each fact whether a run is planned, and why.
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
		"triggers set":   {change: []func(*planFacts){func(f *planFacts) { f.plan.Triggers = triggers(types.StringValue("1")) }}, reason: "triggers changed"},
		"triggers changed": {change: []func(*planFacts){func(f *planFacts) {
			f.plan.Triggers, f.prior.Triggers = triggers(types.StringValue("1")), triggers(types.StringValue("2"))
		}}, reason: "triggers changed"},
		"triggers removed":    {change: []func(*planFacts){func(f *planFacts) { f.prior.Triggers = triggers(types.StringValue("2")) }}, reason: "triggers changed"},
		"triggers emptied":    {change: []func(*planFacts){func(f *planFacts) { f.plan.Triggers = types.MapValueMust(types.StringType, map[string]attr.Value{}) }}, reason: "triggers changed"},
		"if_in_use changed":   {change: []func(*planFacts){func(f *planFacts) { f.plan.IfInUse = types.StringValue("skip") }}},
		"max_passes changed":  {change: []func(*planFacts){func(f *planFacts) { f.plan.MaxPasses = types.Int64Value(5) }}},
		"allow_parent":        {change: []func(*planFacts){func(f *planFacts) { f.plan.AllowParent = types.BoolValue(true) }}},
		"minimum raised":      {change: []func(*planFacts){func(f *planFacts) { f.plan.MinFileSizeBytes = types.Int64Value(99 * gib) }}},
		"if_in_use unknown":   {change: []func(*planFacts){func(f *planFacts) { f.plan.IfInUse = types.StringUnknown() }}},
		"unchanged":           {change: []func(*planFacts){status(hyperv.StatusUnchanged)}},
		"left attached":       {change: []func(*planFacts){func(f *planFacts) { f.prior.LeftAttached = types.BoolValue(true) }}, reason: "the last run left the disk attached to the host"},
		"skipped":             {change: []func(*planFacts){status(hyperv.StatusSkippedInUse)}, reason: "the disk was in use at the last run"},
		"interrupted":         {change: []func(*planFacts){status(hyperv.StatusInterrupted)}, reason: "the last run was interrupted"},
		"unknown":             {change: []func(*planFacts){status(hyperv.StatusUnknown)}, reason: "the outcome of the last run is unknown"},
		"failed":              {change: []func(*planFacts){status(hyperv.StatusFailed)}, reason: "the last run failed"},
		"owed":                {change: []func(*planFacts){func(f *planFacts) { f.marks.Owed = "triggers changed" }}, reason: "triggers changed"},
		"several":             {change: []func(*planFacts){status(hyperv.StatusFailed), grown(20 * gib), func(f *planFacts) { f.plan.Mode = types.StringValue("Quick") }}, reason: "the last run failed; mode changed from the default to Quick; grew 10.0 GiB (100 %) since the last compaction"},
		"grown by a byte":     {change: []func(*planFacts){grown(10*gib + 1)}},
		"grown below percent": {change: []func(*planFacts){grown(12*gib - 1)}},
		"grown to percent":    {change: []func(*planFacts){grown(12 * gib)}, reason: "grew 2.0 GiB (20 %) since the last compaction"},
		"growth off":          {change: []func(*planFacts){grown(99 * gib), func(f *planFacts) { f.plan.RecompactOnGrowth = types.BoolValue(false) }}},
		"no baseline":         {change: []func(*planFacts){grown(99 * gib), func(f *planFacts) { f.prior.BaselineFileSizeBytes = types.Int64Null() }}},
		"no size":             {change: []func(*planFacts){func(f *planFacts) { f.prior.FileSizeBytes = types.Int64Null() }}},
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
			if diff := cmp.Diff(want, d.plan.vhdCompactionOutputs); diff != "" {
				t.Errorf("outputs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(f.plan.vhdCompactionInputs, d.plan.vhdCompactionInputs); diff != "" {
				t.Errorf("inputs were changed (-want +got):\n%s", diff)
			}
			if d.replaceHost || len(d.diags) != 0 {
				t.Errorf("replaceHost = %t, diagnostics = %v; want neither", d.replaceHost, d.diags)
			}
		})
	}
}

func TestDecidePlan_host(t *testing.T) {
	t.Parallel()
	null, unknown := types.StringNull(), types.StringUnknown()
	hv := types.StringValue
	for name, test := range map[string]struct {
		config, provider types.String
		prior            string // empty: a create
		source           hostSource
		want             types.String
		replace, warns   bool
		fails            bool
	}{
		"create, own host":              {config: hv("hv02"), provider: hv("hv01"), want: hv("hv02")},
		"create, provider's":            {config: null, provider: hv("hv01"), want: hv("hv01")},
		"create, own unknown":           {config: unknown, provider: hv("hv01"), want: unknown},
		"create, provider's unknown":    {config: null, provider: unknown, want: unknown},
		"create, none":                  {config: null, provider: null, want: null, fails: true},
		"same":                          {config: null, provider: hv("hv01"), prior: "hv01", source: hostFromProvider, want: hv("hv01")},
		"other letters":                 {config: null, provider: hv("HV01"), prior: "hv01", source: hostFromProvider, want: hv("hv01")},
		"own, other letters":            {config: hv("HV01"), provider: null, prior: "hv01", source: hostFromResource, want: hv("hv01")},
		"own, provider changes":         {config: hv("hv01"), provider: hv("hv09"), prior: "hv01", source: hostFromResource, want: hv("hv01")},
		"provider changes":              {config: null, provider: hv("hv09"), prior: "hv01", source: hostFromProvider, want: hv("hv09"), replace: true, warns: true},
		"own changes":                   {config: hv("hv02"), provider: hv("hv01"), prior: "hv01", source: hostFromResource, want: hv("hv02"), replace: true},
		"own becomes unknown":           {config: unknown, provider: hv("hv01"), prior: "hv01", source: hostFromResource, want: unknown, replace: true},
		"own removed, provider's same":  {config: null, provider: hv("hv01"), prior: "hv01", source: hostFromResource, want: hv("hv01")},
		"own removed, provider's other": {config: null, provider: hv("hv09"), prior: "hv01", source: hostFromResource, want: hv("hv09"), replace: true, warns: true},
		"provider unknown":              {config: null, provider: unknown, prior: "hv01", source: hostFromProvider, want: hv("hv01")},
		"provider without host":         {config: null, provider: null, prior: "hv01", source: hostFromProvider, want: null, replace: true, fails: true},
		"imported, nobody names it":     {config: null, provider: null, prior: "hv01", source: hostFromResource, want: hv("hv01")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := next(func(f *planFacts) {
				f.config.Host, f.host, f.marks.HostSource = test.config, test.provider, test.source
				f.prior.Host = hv(test.prior)
				if test.prior == "" {
					f.prior = nil
				}
			})
			d := decidePlan(f)
			if !d.plan.Host.Equal(test.want) {
				t.Errorf("host = %s, want %s", d.plan.Host, test.want)
			}
			if d.replaceHost != test.replace {
				t.Errorf("replaceHost = %t, want %t", d.replaceHost, test.replace)
			}
			if got := d.diags.HasError(); got != test.fails {
				t.Errorf("error = %t, want %t: %v", got, test.fails, d.diags)
			}
			if got := d.diags.WarningsCount() > 0; got != test.warns {
				t.Errorf("warning = %t, want %t: %v", got, test.warns, d.diags)
			}
			if run := test.prior == "" || test.replace; run != d.plan.runIsPlanned() {
				t.Errorf("a run is planned = %t, want %t", d.plan.runIsPlanned(), run)
			}
			if d.plan.runIsPlanned() && d.plan.PlanReason.ValueString() != reasonFirstRun {
				t.Errorf("plan_reason = %s, want %s", d.plan.PlanReason, reasonFirstRun)
			}
		})
	}
}

// A disk whose host is noted wrongly, as the provider's or as its own, is updated
// without a run; what is due goes first.
func TestDecidePlan_hostIsMisnoted(t *testing.T) {
	t.Parallel()
	own := func(f *planFacts) { f.config.Host, f.host = types.StringValue("hv01"), types.StringValue("hv09") }
	for name, test := range map[string]struct {
		change   []func(*planFacts)
		run, due bool
	}{
		"noted as the provider's":  {change: []func(*planFacts){own}, due: true},
		"and unreachable before":   {change: []func(*planFacts){own, func(f *planFacts) { f.marks.Unreachable = true }}, due: true},
		"and failed":               {change: []func(*planFacts){own, status(hyperv.StatusFailed)}, run: true},
		"noted as its own":         {change: []func(*planFacts){own, func(f *planFacts) { f.marks.HostSource = hostFromResource }}},
		"the provider's as well":   {change: []func(*planFacts){own, func(f *planFacts) { f.host = types.StringValue("HV01") }}, due: true},
		"left to the provider":     {change: []func(*planFacts){func(f *planFacts) { f.marks.HostSource = hostFromResource }}, due: true},
		"the provider's unknown":   {change: []func(*planFacts){func(f *planFacts) { f.marks.HostSource, f.host = hostFromResource, types.StringUnknown() }}},
		"the provider's all along": {},
		"not noted":                {change: []func(*planFacts){func(f *planFacts) { f.marks.HostSource = "" }}},
		"not noted, refreshed":     {change: []func(*planFacts){own, func(f *planFacts) { f.marks.HostSource, f.host = "", types.StringValue("HV01") }}},
		"not noted, unrefreshed":   {change: []func(*planFacts){own, func(f *planFacts) { f.marks.HostSource = "" }}, due: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := next(test.change...)
			d := decidePlan(f)
			if got := d.plan.runIsPlanned(); got != test.run {
				t.Errorf("a run is planned = %t, want %t", got, test.run)
			}
			want := f.prior.vhdCompactionOutputs
			want.GrowthBytes = types.Int64Unknown()
			if due := cmp.Equal(want, d.plan.vhdCompactionOutputs); due != test.due {
				t.Errorf("an update of nothing but the mark is planned = %t, want %t", due, test.due)
			}
		})
	}
}

func TestDecidePlan_otherPath(t *testing.T) {
	t.Parallel()
	f := next(func(f *planFacts) { f.plan.Path = pathtype.NewValue(`D:\b.vhdx`) })
	d := decidePlan(f)
	if !d.plan.runIsPlanned() || d.replaceHost {
		t.Errorf("run = %t, replaceHost = %t; want a run, and the path to replace", d.plan.runIsPlanned(), d.replaceHost)
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
