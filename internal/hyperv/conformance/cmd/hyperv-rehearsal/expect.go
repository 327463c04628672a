package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
)

// contradictedRow is a row of the tables of contradicted claims in the summary.
var contradictedRow = regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| (seen|documented|inferred|open) \\| ")

// asExpected compares the end of the job with the expected one: the claims in the summary are the
// chosen ones, and the job is red if and only if a settled one is among them.
func (s *stage) asExpected(failed, left []string) (int, error) {
	page, err := os.ReadFile(s.summary()) //nolint:gosec // in a folder that the program made
	if err != nil {
		return exitFailed, err
	}
	found := contradictedIn(string(page))
	var red []string
	if slices.ContainsFunc(s.contradicted, isSettled) {
		red = []string{"Compare with the claims"}
	}
	switch {
	case !slices.Equal(found, s.contradicted):
		return exitFailed, fmt.Errorf("%w: the summary tells of %v, and the hosts contradict %v", errOtherwise, found, s.contradicted)
	case !slices.Equal(failed, red):
		return exitFailed, fmt.Errorf("%w: the steps %q failed, want %q", errOtherwise, failed, red)
	case len(left) > 0:
		return exitFailed, fmt.Errorf("%w: something was left behind", errOtherwise)
	}
	_, _ = fmt.Fprintf(s.out, "as expected: contradicted are exactly %v\n", found)
	return 0, nil
}

// contradictedIn lists the claims that are contradicted according to the first comparison of a
// summary.
func contradictedIn(page string) []string {
	_, page, _ = strings.Cut(page, "# What the hosts said about the claims\n")
	page, _, _ = strings.Cut(page, "\n# ")
	var found []string
	for part := range strings.SplitSeq(page, "\n## ") {
		if !strings.HasPrefix(part, "Contradicted") {
			continue
		}
		for _, m := range contradictedRow.FindAllStringSubmatch(part, -1) {
			found = append(found, m[1])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func isSettled(id string) bool {
	c, ok := claims.Find(id)
	return ok && c.Evidence.IsSettled()
}
