package compare_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims/marks"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/compare"
)

// Claims that the tests take as examples, by their evidence.
const (
	settled = "relates-to"
	open    = "refusal-way"
	other   = "missing-file-way"
)

// report makes the report of a host that answered about some claims; nothing is known about the
// rest.
func report(windows, day string, results map[string]conformance.Result) *conformance.Report {
	started, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	r := &conformance.Report{Started: started, Host: conformance.HostFacts{WindowsVersion: windows, Auth: "ntlm"}, Summary: map[conformance.Result]int{}}
	for id, result := range results {
		r.Findings = append(r.Findings, conformance.Finding{ID: id, Result: result, Seen: "seen by the test", Why: "why of the test"})
		r.Summary[result]++
	}
	return r
}

func find(t *testing.T, c *compare.Comparison, id string) compare.Outcome {
	t.Helper()
	for _, o := range c.Outcomes {
		if o.Claim.ID == id {
			return o
		}
	}
	t.Fatalf("no outcome for %s", id)
	return compare.Outcome{}
}

// TestVerdicts: the verdict when one host or two have answered about a settled and about an open
// claim.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	const held, contradicted, notTested = conformance.Held, conformance.Contradicted, conformance.NotTested
	for name, tc := range map[string]struct {
		id            string
		first, second conformance.Result
		want          compare.Verdict
		fails         bool
	}{
		"settled, holds":         {settled, held, held, compare.Proven, false},
		"settled, contradicted":  {settled, contradicted, contradicted, compare.Refuted, true},
		"settled, once":          {settled, held, contradicted, compare.Split, true},
		"settled, asked by one":  {settled, contradicted, notTested, compare.Refuted, true},
		"open, holds":            {open, held, notTested, compare.Proven, false},
		"open, contradicted":     {open, contradicted, contradicted, compare.Refuted, false},
		"open, once":             {open, contradicted, held, compare.Split, false},
		"open, nobody could say": {open, notTested, notTested, compare.Untested, false},
	} {
		c := compare.New([]*conformance.Report{
			report("10.0.20348", "2026-12-01", map[string]conformance.Result{tc.id: tc.first}),
			report("10.0.26100", "2026-12-02", map[string]conformance.Result{tc.id: tc.second}),
		}, nil)
		if got := find(t, c, tc.id).Verdict(); got != tc.want || c.Fails() != tc.fails {
			t.Errorf("%s: %s, fails %t; want %s, fails %t", name, got, c.Fails(), tc.want, tc.fails)
		}
	}
}

// TestOn: each version of Windows is listed once, with the latest day, in the order of the
// versions; a host without a version proves nothing.
func TestOn(t *testing.T) {
	t.Parallel()
	o := compare.Outcome{
		Claim: claims.Claim{On: []claims.Sighting{{Windows: "10.0.20348", Date: "2026-12-01"}}},
		Held:  []compare.Answer{{Windows: "10.0.26100", Date: "2026-12-03"}, {Windows: "10.0.20348", Date: "2026-12-02"}, {Windows: "6.3.9600", Date: "2026-12-02"}, {Windows: "10.0.26100", Date: "2026-11-30"}, {Date: "2026-12-02"}},
	}
	want := []claims.Sighting{{Windows: "6.3.9600", Date: "2026-12-02"}, {Windows: "10.0.20348", Date: "2026-12-02"}, {Windows: "10.0.26100", Date: "2026-12-03"}}
	if diff := cmp.Diff(want, o.On()); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
}

// TestMarkdown: the page shows failures, answers, the changes to the list of
// claims, and the settled marks.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	c := compare.New([]*conformance.Report{
		report("10.0.26100", "2026-12-01", map[string]conformance.Result{
			settled: conformance.Contradicted, open: conformance.Contradicted, other: conformance.Held, "gone-long-ago": conformance.Held,
			"cancelled-state": conformance.NotTested,
		}),
	}, []marks.Mark{
		{File: "client.go", Line: 3, Claims: []string{open}},
		{File: "hypervsim/x.go", Line: 4, Claims: []string{open, other}, Simulated: true},
		{File: "client.go", Line: 5, Claims: []string{other}},
		{File: "client.go", Line: 6, Claims: []string{other, "cancelled-state"}},
		{File: "client.go", Line: 7, Claims: []string{"cancelled-state"}},
	})
	page := c.Markdown()
	for _, want := range []string{
		"| Windows 10.0.26100 over http, ntlm | 2026-12-01 | 2 | 2 | 1 |",
		"Not in the list of claims any more: gone-long-ago.",
		"## Contradicted, and taken for settled\n",
		"| `" + settled + "` | documented | An answer repeats the message ID of the request in RelatesTo. | Windows 10.0.26100 over http, ntlm: seen by the test | no mark names it |",
		"## Contradicted, and open before\n",
		"| `" + open + "` | open |",
		"seen by the test | `client.go:3` |",
		"| `" + open + "` | `hypervsim/x.go:4` |",
		"| `Evidence: Seen, On: []Sighting{{\"10.0.26100\", \"2026-12-01\"}}` | `" + other + "` (open) |",
		"| another claim: that what the hosts did | `" + settled + "` (documented), `" + open + "` (open) |",
		"| `client.go:3` | " + open + " | correct the code, then the mark |",
		"| `hypervsim/x.go:4` | " + open + ", " + other + " | correct the code, then the mark |",
		"| `client.go:5` | " + other + " | take the mark away |",
		"| `client.go:6` | " + other + ", cancelled-state | take the claims that are proven out of the mark |",
		"| `cancelled-state` | open | why of the test |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(page, "client.go:7`") {
		t.Error("a mark is settled although no host answered")
	}
	if t.Failed() {
		t.Log(page)
	}
}

// TestMarkdownQuiet: a page without results has no empty table.
func TestMarkdownQuiet(t *testing.T) {
	t.Parallel()
	page := compare.New([]*conformance.Report{report("", "2026-12-01", map[string]conformance.Result{settled: conformance.Held})}, nil).Markdown()
	for _, title := range []string{"## Contradicted", "## Simulated", "## Evidence", "## Marks"} {
		if strings.Contains(page, title) {
			t.Errorf("the page has a part %q", title)
		}
	}
}
