package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// source has five functions of 3, 3, 3, 3 and 14 lines in 32; the last has eleven paths.
const source = `package p

func a() {
	_ = 1
}

func b() {
	_ = 1
}

func c() {
	_ = 1
}

func d() {
	_ = 1
}

func e(n int) {
	switch n {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
	}
}
`

func folder(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"p/compact_a.go":      source,
		"p/p_test.go":         source + "\n//\n",
		"p/testdata/skip.go":  "no Go at all",
		".cache/skip.go":      "no Go at all",
		"p/other.go":          source,
		"p/compact_a_test.go": "package p\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	broken, err := run(&out, folder(t), bounds{}, "p/compact_*.go")
	if broken || err != nil {
		t.Errorf("broken = %t, %v, want neither", broken, err)
	}
	for _, want := range []string{
		"10 functions, lines p50 3, p90 14, longest 14\n",
		"2 functions above a cyclomatic complexity of 10\n  11 p/other.go e\n  11 p/compact_a.go e\n",
		"4 files, longest 34 lines\n",
		"p/compact_*.go: 5 functions, sum of cyclomatic complexity 15\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
}

func TestRun_bounds(t *testing.T) {
	t.Parallel()
	root := folder(t)
	for name, tc := range map[string]struct {
		bounds bounds
		broken bool
		says   string
	}{
		"held":      {bounds: bounds{length: 14, complex: 2, file: 34}},
		"length":    {bounds: bounds{length: 13}, broken: true, says: "p90 14 (bound 13)"},
		"complex":   {bounds: bounds{complex: 1}, broken: true, says: "(bound 1)\n  11 p/other.go e\n"},
		"file":      {bounds: bounds{file: 33}, broken: true, says: "\n  34 p/p_test.go\n"},
		"no bounds": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			broken, err := run(&out, root, tc.bounds, "")
			if broken != tc.broken || err != nil || !strings.Contains(out.String(), tc.says) {
				t.Errorf("broken = %t, %v, want %t and %q:\n%s", broken, err, tc.broken, tc.says, &out)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	ten := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for p, want := range map[int]int{50: 5, 90: 9, 91: 10, 100: 10, 1: 1} {
		if got := percentile(ten, p); got != want {
			t.Errorf("percentile(1..10, %d) = %d, want %d", p, got, want)
		}
	}
}
