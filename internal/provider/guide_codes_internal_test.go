package provider

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// troubleshootingRows reads the cells of every table row of the guide that must
// know every error that a host can cause.
func troubleshootingRows(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile(guides + "troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	return all
}

// guideRemedy is the last cell of a row: what helps on the host, then the first
// advice of each reason that a user of Terraform gets when nothing is set. What
// looks like a tag would vanish.
func guideRemedy(hint string, reasons []hyperv.Reason) string {
	var sentences []string
	if hint != "" {
		sentences = append(sentences, hint)
	}
	for _, reason := range reasons {
		if i := slices.IndexFunc(adviceTable[:], func(a advice) bool { return a.reason == reason }); i >= 0 {
			sentences = append(sentences, adviceTable[i].text)
		}
	}
	if len(sentences) == 0 {
		return "none needed"
	}
	return strings.ReplaceAll(strings.Join(sentences, " "), "<", "&lt;")
}

// TestGuideKnowsEveryCode compares the list of codes with the guide, both ways.
func TestGuideKnowsEveryCode(t *testing.T) {
	t.Parallel()
	const cells = 6
	known := map[string]hyperv.Code{}
	for _, c := range hyperv.Codes() {
		known[fmt.Sprintf("%s %d", c.Kind, c.Number)] = c
	}
	for _, row := range troubleshootingRows(t) {
		if len(row) != cells {
			continue
		}
		key := row[0] + " " + row[1]
		c, ok := known[key]
		if !ok {
			if row[1] != "Decimal" && row[1] != "---" {
				t.Errorf("the guide has a row for %s, which no host answers with", key)
			}
			continue
		}
		delete(known, key)
		want := []string{string(c.Kind), fmt.Sprint(c.Number), fmt.Sprintf("`0x%08X`", c.Number), c.Meaning, row[4], guideRemedy(c.Hint, c.Reasons())}
		if strings.Join(row, "|") != strings.Join(want, "|") {
			t.Errorf("row of %s:\n got | %s |\nwant | %s |", key, strings.Join(row, " | "), strings.Join(want, " | "))
		}
		if row[4] == "" {
			t.Errorf("the row of %s names no cause", key)
		}
	}
	for key, c := range known {
		t.Errorf("the guide lacks %s; its row: | %s | %d | `0x%08X` | %s | … | %s |",
			key, c.Kind, c.Number, c.Number, c.Meaning, guideRemedy(c.Hint, c.Reasons()))
	}
}

// TestGuideKnowsEveryCause compares the errors without a number with the guide,
// both ways.
func TestGuideKnowsEveryCause(t *testing.T) {
	t.Parallel()
	const cells, heading = 3, "The error says"
	known := map[string]hyperv.Cause{}
	for _, c := range hyperv.Causes() {
		known[c.Err.Error()] = c
	}
	for _, row := range troubleshootingRows(t) {
		if len(row) != cells || row[0] == heading {
			continue
		}
		c, ok := known[row[0]]
		if !ok {
			t.Errorf("the guide has a row for %q, which no error says", row[0])
			continue
		}
		delete(known, row[0])
		if want := guideRemedy(c.Hint, []hyperv.Reason{c.Reason}); row[2] != want {
			t.Errorf("the row of %q:\n got %q\nwant %q", row[0], row[2], want)
		}
	}
	for text, c := range known {
		t.Errorf("the guide lacks a row: | %s | … | %s |", text, guideRemedy(c.Hint, []hyperv.Reason{c.Reason}))
	}
}

// TestAdviceForEveryReason holds the table of advice to the reasons that package
// hyperv gives, both ways.
func TestAdviceForEveryReason(t *testing.T) {
	t.Parallel()
	advised := map[hyperv.Reason]bool{}
	for _, a := range adviceTable {
		advised[a.reason] = true
	}
	for _, reason := range hyperv.Reasons() {
		if !advised[reason] {
			t.Errorf("no advice for the reason %d", reason)
		}
		delete(advised, reason)
	}
	for reason := range advised {
		t.Errorf("advice for %d, a reason that no error has", reason)
	}
}
