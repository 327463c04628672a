// Command metrics measures the Go source below a folder: how long functions and
// files are, and how many paths lead through a function. It ends with 1 when a
// bound is broken.
//
//	metrics [-length N] [-complex N] [-file N] [-sum pattern] folder
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fzipp/gocyclo"
)

// complexAbove is the cyclomatic complexity above which a function is counted.
const complexAbove = 10

// bounds holds the upper bounds; zero means no bound. Functions of tests do not count.
type bounds struct {
	length  int // lines of a function, of the longest among the shortest 90 %
	complex int // functions above complexAbove
	file    int // lines of a file, tests included
}

func main() {
	var b bounds
	flag.IntVar(&b.length, "length", 0, "bound of the 90th percentile of the lines of a function; 0: none")
	flag.IntVar(&b.complex, "complex", 0, fmt.Sprintf("bound of the number of functions above a cyclomatic complexity of %d; 0: none", complexAbove))
	flag.IntVar(&b.file, "file", 0, "bound of the lines of a file, tests included; 0: none")
	sum := flag.String("sum", "", "also add up the complexity of the files whose path ends in this pattern, such as hyperv/compact_*.go")
	flag.Parse()
	root := "."
	if flag.NArg() > 0 {
		root = flag.Arg(0)
	}
	broken, err := run(os.Stdout, root, b, *sum)
	if err != nil {
		fmt.Fprintln(os.Stderr, "metrics:", err)
		os.Exit(2)
	}
	if broken {
		os.Exit(1)
	}
}

// run prints what it measures and reports whether a bound is broken.
func run(out io.Writer, root string, b bounds, pattern string) (broken bool, err error) {
	files, err := measure(root)
	if err != nil {
		return false, err
	}
	var all []string
	for _, report := range []func() (string, bool){
		func() (string, bool) { return lengths(files, b.length) },
		func() (string, bool) { return complexities(files, b.complex) },
		func() (string, bool) { return sizes(files, b.file) },
	} {
		text, bad := report()
		all = append(all, text)
		broken = broken || bad
	}
	if pattern != "" {
		text, err := sumOf(files, pattern)
		if err != nil {
			return false, err
		}
		all = append(all, text)
	}
	_, err = fmt.Fprintln(out, strings.Join(all, "\n"))
	return broken, err
}

// file holds what is known of one source file.
type file struct {
	path      string // from the root, with slashes
	lines     int
	test      bool
	functions []function
}

type function struct {
	name       string
	lines      int
	complexity int
}

// measure reads every Go file below root but those of testdata and of hidden
// folders.
func measure(root string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		f, err := measureFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		f.path = filepath.ToSlash(relative)
		files = append(files, f)
		return err
	})
	return files, err
}

func measureFile(path string) (file, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the folder is an argument
	if err != nil {
		return file{}, err
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{lines: bytes.Count(text, []byte("\n")), test: strings.HasSuffix(path, "_test.go")}
	for _, d := range syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			f.functions = append(f.functions, function{
				name:       fn.Name.Name,
				lines:      set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1,
				complexity: gocyclo.Complexity(fn),
			})
		}
	}
	return f, nil
}

// shipped calls do for each function outside of tests.
func shipped(files []file, do func(file, function)) {
	for _, f := range files {
		for _, fn := range f.functions {
			if !f.test {
				do(f, fn)
			}
		}
	}
}

func lengths(files []file, bound int) (string, bool) {
	var all []int
	shipped(files, func(_ file, fn function) { all = append(all, fn.lines) })
	if len(all) == 0 {
		return "0 functions", false
	}
	slices.Sort(all)
	p90 := percentile(all, 90)
	return fmt.Sprintf("%d functions, lines p50 %d, p90 %d%s, longest %d",
		len(all), percentile(all, 50), p90, within(bound), all[len(all)-1]), broke(p90, bound)
}

// percentile returns the smallest value that p percent of the sorted ones do not exceed.
func percentile(sorted []int, p int) int {
	return sorted[(len(sorted)*p+99)/100-1]
}

func complexities(files []file, bound int) (string, bool) {
	var names []string
	shipped(files, func(f file, fn function) {
		if fn.complexity > complexAbove {
			names = append(names, fmt.Sprintf("\n  %2d %s %s", fn.complexity, f.path, fn.name))
		}
	})
	slices.Sort(names)
	slices.Reverse(names)
	return fmt.Sprintf("%d functions above a cyclomatic complexity of %d%s%s",
		len(names), complexAbove, within(bound), strings.Join(names, "")), broke(len(names), bound)
}

func sizes(files []file, bound int) (string, bool) {
	longest := slices.MaxFunc(files, func(a, b file) int { return a.lines - b.lines })
	text := []string{fmt.Sprintf("%d files, longest %d lines%s", len(files), longest.lines, within(bound))}
	for _, f := range files {
		if broke(f.lines, bound) {
			text = append(text, fmt.Sprintf("  %d %s", f.lines, f.path))
		}
	}
	return strings.Join(text, "\n"), broke(longest.lines, bound)
}

// sumOf adds up the complexity of the files whose last elements match.
func sumOf(files []file, pattern string) (string, error) {
	sum, count := 0, 0
	for _, f := range files {
		elements := strings.Split(f.path, "/")
		tail := elements[max(0, len(elements)-1-strings.Count(pattern, "/")):]
		match, err := filepath.Match(pattern, strings.Join(tail, "/"))
		if err != nil {
			return "", fmt.Errorf("%q: %w", pattern, err)
		}
		if !match || f.test {
			continue
		}
		for _, fn := range f.functions {
			sum += fn.complexity
			count++
		}
	}
	return fmt.Sprintf("%s: %d functions, sum of cyclomatic complexity %d", pattern, count, sum), nil
}

func within(bound int) string {
	if bound == 0 {
		return ""
	}
	return fmt.Sprintf(" (bound %d)", bound)
}

func broke(value, bound int) bool { return bound != 0 && value > bound }
