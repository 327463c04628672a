package hyperv

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// troubleshooting is the guide that must know every error that a host can cause.
const troubleshooting = "../../templates/guides/troubleshooting.md"

// rows reads the cells of every table row of the guide.
func rows(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile(troubleshooting)
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

// remedy is the last cell of a row. What looks like a tag would vanish.
func remedy(hint string) string {
	if hint == "" {
		return "none needed"
	}
	return strings.ReplaceAll(hint, "<", "&lt;")
}

// TestGuideKnowsEveryCode compares the list of codes with the guide, both ways.
func TestGuideKnowsEveryCode(t *testing.T) {
	t.Parallel()
	const cells = 6
	known := map[string]Code{}
	for _, c := range Codes() {
		known[fmt.Sprintf("%s %d", c.Kind, c.Number)] = c
	}
	for _, row := range rows(t) {
		if len(row) != cells {
			continue
		}
		key := row[0] + " " + row[1]
		c, ok := known[key]
		if !ok {
			if row[1] != "Decimal" && row[1] != "---" {
				t.Errorf("the guide has a row for %s, which this package does not know", key)
			}
			continue
		}
		delete(known, key)
		want := []string{string(c.Kind), fmt.Sprint(c.Number), fmt.Sprintf("`0x%08X`", c.Number), c.Meaning, row[4], remedy(c.Hint)}
		if strings.Join(row, "|") != strings.Join(want, "|") {
			t.Errorf("row of %s:\n got | %s |\nwant | %s |", key, strings.Join(row, " | "), strings.Join(want, " | "))
		}
		if row[4] == "" {
			t.Errorf("the row of %s names no cause", key)
		}
	}
	for key, c := range known {
		t.Errorf("the guide lacks %s; its row: | %s | %d | `0x%08X` | %s | … | %s |", key, c.Kind, c.Number, c.Number, c.Meaning, remedy(c.Hint))
	}
}

// TestGuideKnowsEveryHint compares the errors without a number with the guide.
func TestGuideKnowsEveryHint(t *testing.T) {
	t.Parallel()
	listed := map[string]string{}
	for _, row := range rows(t) {
		if len(row) == 3 {
			listed[row[0]] = row[2]
		}
	}
	for _, h := range hints {
		if got := listed[h.is.Error()]; got != remedy(h.hint) {
			t.Errorf("the row of %q:\n got remedy %q\nwant %q", h.is, got, remedy(h.hint))
		}
	}
}

// TestGuideKnowsEveryClass holds the guide for auditors to what is sent.
func TestGuideKnowsEveryClass(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../templates/guides/least-privilege.md")
	if err != nil {
		t.Fatal(err)
	}
	for file, pattern := range map[string]string{
		"cim/names.go":      `Class\w+ += "(\w+)"`,
		"mount.go":          `name: "(\w+)"`,
		"compact_passes.go": `name: "(\w+)"`,
		"inspect.go":        `"(GetVirtualHardDisk\w+)"`,
	} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(code), -1)
		if len(found) == 0 {
			t.Errorf("%s has nothing like %s", file, pattern)
		}
		for _, m := range found {
			if !strings.Contains(string(guide), "`"+m[1]+"`") && !unsent[m[1]] {
				t.Errorf("the guide lacks %s of %s", m[1], file)
			}
		}
	}
}

// unsent are classes that arrive inside answers, or that only the simulated host
// knows.
var unsent = map[string]bool{
	"Msvm_VirtualHardDiskSettingData": true, "Msvm_VirtualHardDiskState": true, "Msvm_VirtualHardDiskInfo": true,
	"Msvm_ResourceAllocationSettingData": true, "Msvm_AffectedStorageJobElement": true,
}
