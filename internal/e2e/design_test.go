package e2e_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
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

// Files and tests that documents for maintainers name in backquotes exist.
func TestDesignNamesWhatExists(t *testing.T) {
	t.Parallel()
	files, tests := tree(t)
	named := regexp.MustCompile("`([A-Za-z0-9_./*-]+\\.go|(?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9_]*)`")
	for _, document := range []string{"DESIGN.md", "CONTRIBUTING.md", "BENCHMARKS.md", "SECURITY.md", "README.md"} {
		text, err := os.ReadFile("../../" + document)
		must(t, err)
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if name := m[1]; !tests[name] && !anyEndsWith(t, files, name) {
				t.Errorf("%s names %s, which does not exist", document, name)
			}
		}
	}
}

// tree lists the Go files below the root, with slashes, and the names of their tests.
func tree(t *testing.T) (files []string, tests map[string]bool) {
	t.Helper()
	tests = map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z]\w*)\(`)
	must(t, filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2:
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		files = append(files, filepath.ToSlash(name))
		text, err := os.ReadFile(name)
		for _, m := range function.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
		return err
	}))
	return files, tests
}

// anyEndsWith reports whether the end of a path fits a pattern of whole elements.
func anyEndsWith(t *testing.T, files []string, pattern string) bool {
	t.Helper()
	elements := strings.Count(pattern, "/") + 1
	for _, file := range files {
		all := strings.Split(file, "/")
		fits, err := path.Match(pattern, strings.Join(all[max(0, len(all)-elements):], "/"))
		must(t, err)
		if fits {
			return true
		}
	}
	return false
}
