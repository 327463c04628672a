package e2e_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// Each direct dependency has its line in DESIGN.md.
func TestDependencies(t *testing.T) {
	t.Parallel()
	module, err := os.ReadFile("../../go.mod")
	must(t, err)
	design, err := os.ReadFile("../../DESIGN.md")
	must(t, err)
	_, section, _ := strings.Cut(string(design), "\n## Dependencies\n")
	var table strings.Builder
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "|") {
			first, _, _ := strings.Cut(line[1:], "|")
			table.WriteString(first)
		}
	}
	requires := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(string(module), -1)
	if len(requires) < 10 {
		t.Fatalf("%d direct dependencies, want at least 10", len(requires))
	}
	for _, r := range requires {
		// Some lines name families: "…-framework-timeouts".
		name := strings.TrimPrefix(path.Base(r[1]), "terraform-plugin")
		if !strings.Contains(table.String(), name) {
			t.Errorf("%s has no line in the table of DESIGN.md", r[1])
		}
	}
}
