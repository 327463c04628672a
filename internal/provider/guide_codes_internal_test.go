package provider

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// codeSections are the headings of the page of codes, each with its list of numbers.
var codeSections = map[string]hyperv.CodeKind{
	"Return values of methods":        hyperv.KindReturnValue,
	"Completion status of jobs":       hyperv.KindHRESULT,
	"Faults of WS-Management and WMI": hyperv.KindFault,
	"HTTP statuses":                   hyperv.KindHTTP,
	"Errors of a Kerberos KDC":        hyperv.KindKerberos,
	"The current user of Windows":     hyperv.KindSSPI,
}

const causesSection = "Errors without a number"

// guideSections reads a guide: the text below each heading of the second level.
func guideSections(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(guides + name)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for section := range strings.SplitSeq("\n"+string(text), "\n## ") {
		heading, rest, _ := strings.Cut(section, "\n")
		all[heading] = rest
	}
	return all
}

// tableRows returns the cells of every row of the tables in a text, headings left out.
func tableRows(text string) [][]string {
	var all [][]string
	previous := ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| ") && previous != "" {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			all = append(all, cells)
		}
		if previous = line; !strings.HasPrefix(line, "|") {
			previous = ""
		}
	}
	return all
}

// guideRemedy returns the last cell of a row: the remedy on the host, then the
// first advice of each reason that a user of Terraform gets when nothing is
// set. Text that looks like a tag would vanish.
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

// codeCell returns a number in the form of the page.
func codeCell(c hyperv.Code) string {
	switch c.Kind {
	case hyperv.KindHRESULT, hyperv.KindFault, hyperv.KindSSPI:
		return fmt.Sprintf("`0x%08X` (%d)", c.Number, c.Number)
	default:
		return fmt.Sprint(c.Number)
	}
}

// reported matches the numbers that the page lists in one sentence: there is nothing to do but to
// report them.
var reported = regexp.MustCompile("`(0x[0-9A-F]{8})` \\(([^)]+)\\)")

// TestGuideKnowsEveryCode compares the lists of codes with the page, both ways.
func TestGuideKnowsEveryCode(t *testing.T) {
	t.Parallel()
	sections := guideSections(t, "error-codes.md")
	for heading, kind := range codeSections {
		rows := map[string][]string{}
		for _, row := range tableRows(sections[heading]) {
			rows[row[0]] = row
		}
		_, sentence, _ := strings.Cut(sections[heading], "Please report them with the log at level DEBUG:")
		listed := map[string]string{}
		for _, m := range reported.FindAllStringSubmatch(sentence, -1) {
			listed[m[1]] = m[2]
		}
		for _, c := range hyperv.Codes() {
			if c.Kind != kind {
				continue
			}
			hex := fmt.Sprintf("0x%08X", c.Number)
			if meaning, ok := listed[hex]; ok {
				if want := "Please report it with the log at level DEBUG."; meaning != c.Meaning || guideRemedy(c.Hint, c.Reasons()) != want {
					t.Errorf("%s is listed as %q, to be reported; want %q, %q", hex, meaning, c.Meaning, guideRemedy(c.Hint, c.Reasons()))
				}
				delete(listed, hex)
				continue
			}
			checkCodeRow(t, rows[codeCell(c)], c)
			delete(rows, codeCell(c))
		}
		for cell := range rows {
			t.Errorf("the page has a row for %s %s, which no host answers with", kind, cell)
		}
		for hex := range listed {
			t.Errorf("the page lists %s, which no host answers with", hex)
		}
	}
}

func checkCodeRow(t *testing.T, row []string, c hyperv.Code) {
	t.Helper()
	remedy := guideRemedy(c.Hint, c.Reasons())
	cause := ""
	if len(row) == 3 {
		cause = strings.TrimPrefix(row[1], c.Meaning+". ")
	}
	if len(row) != 3 || cause == "" || cause == row[1] || row[2] != remedy {
		t.Errorf("row of %s:\n got | %s |\nwant | %s | %s. … | %s |", c, strings.Join(row, " | "), codeCell(c), c.Meaning, remedy)
	}
}

// TestGuideKnowsEveryCause compares the errors without a number with the page,
// both ways.
func TestGuideKnowsEveryCause(t *testing.T) {
	t.Parallel()
	known := map[string]hyperv.Cause{}
	for _, c := range hyperv.Causes() {
		known[c.Err.Error()] = c
	}
	for _, row := range tableRows(guideSections(t, "error-codes.md")[causesSection]) {
		c, ok := known[row[0]]
		if !ok {
			t.Errorf("the page has a row for %q, which no error says", row[0])
			continue
		}
		delete(known, row[0])
		if want := guideRemedy(c.Hint, []hyperv.Reason{c.Reason}); row[2] != want {
			t.Errorf("the row of %q:\n got %q\nwant %q", row[0], row[2], want)
		}
	}
	for text, c := range known {
		t.Errorf("the page lacks a row: | %s | … | %s |", text, guideRemedy(c.Hint, []hyperv.Reason{c.Reason}))
	}
}

// TestAdviceForEveryReason compares the table of advice with the reasons that
// package hyperv gives, both ways.
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
