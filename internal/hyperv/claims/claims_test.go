package claims_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

var (
	idForm   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$|^[a-z]+$`)
	markForm = regexp.MustCompile(`Unverified on a real host(?: \(([^)]*)\))?: `)
	docForm  = regexp.MustCompile(`(?:: )unverified(?: \(([^)]*)\))?`)
)

// TestClaims: each claim is complete, and stands once.
func TestClaims(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range claims.All() {
		switch {
		case !idForm.MatchString(c.ID) || seen[c.ID]:
			t.Errorf("%q is no ID, or stands twice", c.ID)
		case !strings.HasSuffix(c.Text, ".") || c.Source == "":
			t.Errorf("%s has no sentence or no source", c.ID)
		case c.Evidence != claims.Confirmed && c.Evidence != claims.Inferred && c.Evidence != claims.Unverified:
			t.Errorf("%s has the evidence %q", c.ID, c.Evidence)
		case c.Source == "none" && c.Evidence != claims.Unverified:
			t.Errorf("%s has no source, but is not unverified", c.ID)
		}
		seen[c.ID] = true
	}
}

// references are the claims that comments name, with the problems of the marks.
type references struct {
	named    map[string]int
	problems []string
}

func (r *references) add(where, ids string) {
	if ids == "" {
		r.problems = append(r.problems, where+": a mark without a claim")
		return
	}
	for id := range strings.SplitSeq(ids, ",") {
		id = strings.TrimSpace(id)
		if _, ok := claims.Find(id); !ok {
			r.problems = append(r.problems, where+": there is no claim "+id)
		}
		r.named[id]++
	}
}

// read finds the marks in a comment, and in the list of a package documentation.
func (r *references) read(where, comment string, isDoc bool) {
	comment = strings.Join(strings.Fields(comment), " ")
	for _, m := range markForm.FindAllStringSubmatch(comment, -1) {
		r.add(where, m[1])
	}
	if isDoc {
		for _, m := range docForm.FindAllStringSubmatch(comment, -1) {
			r.add(where, m[1])
		}
	}
}

// collect reads the comments of every file of the module.
func collect(t *testing.T) *references {
	t.Helper()
	r := &references{named: map[string]int{}}
	root := filepath.Join("..", "..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, group := range file.Comments {
			r.read(path, text(group), strings.Contains(filepath.ToSlash(path), "/hypervsim/") && d.Name() == "doc.go")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// text is a comment without its marks, line breaks kept.
func text(group *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range group.List {
		b.WriteString(strings.TrimPrefix(c.Text, "//") + "\n")
	}
	return b.String()
}

// TestMarks: every mark names claims of the list, every claim is asked about or
// named by a mark, and none is asked about that is said to be out of reach.
func TestMarks(t *testing.T) {
	t.Parallel()
	r := collect(t)
	for _, p := range r.problems {
		t.Error(p)
	}
	if len(r.named) < 20 {
		t.Errorf("only %d claims are named: the marks were not found", len(r.named))
	}
	checked := map[string]bool{}
	for _, id := range conformance.Checked() {
		checked[id] = true
		if c, ok := claims.Find(id); !ok || c.Untestable != "" {
			t.Errorf("%s is checked, but is no claim that can be", id)
		}
	}
	for _, c := range claims.All() {
		switch {
		case c.Untestable == "" && !checked[c.ID]:
			t.Errorf("%s has no check, and no reason why not", c.ID)
		case c.Untestable != "" && r.named[c.ID] == 0:
			t.Errorf("%s is neither checked nor named anywhere", c.ID)
		}
	}
}

// TestReferences: what the test of the marks looks for, it finds.
func TestReferences(t *testing.T) {
	t.Parallel()
	for comment, want := range map[string]int{
		"Unverified on a real host: that it is so.":                          1,
		"Unverified on a real host (no-such-claim): that it is so.":          1,
		"Unverified on a\n real host (idle-connection,\n too-large-code): x": 0,
		"- something: unverified.":                                           1,
		"- something: unverified (no-such-claim).":                           1,
		"- something: unverified (idle-connection)":                          0,
	} {
		r := &references{named: map[string]int{}}
		r.read("here", comment, true)
		if len(r.problems) != want {
			t.Errorf("%q: %q, want %d problems", comment, r.problems, want)
		}
	}
}
