package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
)

// Claims that the tests take as examples: one is settled, one is open.
const (
	settledID = "relates-to"
	openID    = "refusal-way"
)

// page is a summary that tells of contradicted claims.
func page(ids ...string) string {
	var b strings.Builder
	b.WriteString("# What the hosts said about the claims\n\n| host |\n\n")
	for _, id := range ids {
		c, _ := claims.Find(id)
		fmt.Fprintf(&b, "## Contradicted, and so on\n\n| claim | evidence |\n|---|---|\n| `%s` | %s | it says | but |\n\n", id, c.Evidence)
	}
	b.WriteString("## Evidence\n\n| `wql-needs-star` | open | not a contradiction |\n\n# Replay\n\n## Contradicted\n\n| `identify` | documented | of another page |\n")
	return b.String()
}

// TestAsExpected: a rehearsal ends well only if exactly the chosen claims are in the summary, the job
// is red for a settled one and for nothing else, and nothing is left on the hosts.
func TestAsExpected(t *testing.T) {
	t.Parallel()
	const compare = "Compare with the claims"
	for name, tc := range map[string]struct {
		contradicted, told, failed, left []string
		want                             bool
	}{
		"nothing":                     {nil, nil, nil, nil, true},
		"an open one":                 {[]string{openID}, []string{openID}, nil, nil, true},
		"a settled one":               {[]string{settledID}, []string{settledID}, []string{compare}, nil, true},
		"both":                        {[]string{openID, settledID}, []string{settledID, openID}, []string{compare}, nil, true},
		"one too many":                {[]string{openID}, []string{openID, "dead-job"}, nil, nil, false},
		"one too few":                 {[]string{openID, settledID}, []string{settledID}, []string{compare}, nil, false},
		"told without being chosen":   {nil, []string{openID}, nil, nil, false},
		"settled, and green":          {[]string{settledID}, []string{settledID}, nil, nil, false},
		"open, and red":               {[]string{openID}, []string{openID}, []string{compare}, nil, false},
		"red for another reason":      {nil, nil, []string{"Accept over http"}, nil, false},
		"red for one reason too many": {[]string{settledID}, []string{settledID}, []string{"Accept over http", compare}, nil, false},
		"something is left":           {nil, nil, nil, []string{"a disk"}, false},
	} {
		s := &stage{out: io.Discard, folder: t.TempDir(), contradicted: tc.contradicted}
		if err := os.WriteFile(s.summary(), []byte(page(tc.told...)), 0o600); err != nil {
			t.Fatal(err)
		}
		code, err := s.asExpected(tc.failed, tc.left)
		if good := code == 0 && err == nil; good != tc.want || (code == 0) != (err == nil) {
			t.Errorf("%s: exit code %d, %v", name, code, err)
		}
	}
}

// TestChosen: the same seed chooses the same claims, another one others, and never one twice.
func TestChosen(t *testing.T) {
	t.Parallel()
	six := func(seed uint64) string { return strings.Join(settings{contradict: 6, seed: seed}.chosen(), " ") }
	first, again, other := six(1), six(1), six(2)
	if first != again || first == other {
		t.Errorf("seed 1: %s, and then %s; seed 2: %s", first, again, other)
	}
	for _, args := range [][]string{{"-contradict", "-1"}, {"-contradict", "1000"}, {"argument"}, {"-unknown"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
