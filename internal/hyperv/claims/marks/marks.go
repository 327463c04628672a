// Package marks finds the spots in the source code of this project that rely on
// claims which no source proves.
package marks

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Mark is a comment that names claims.
type Mark struct {
	// File is relative to the root of the module, with slashes.
	File string
	Line int
	// Claims are IDs, as they are written: that they exist is not checked.
	Claims []string
	// Simulated says that the simulated host relies on the claims, not the client.
	Simulated bool
}

var (
	form = regexp.MustCompile(`Unverified on a real host(?: \(([^)]*)\))?: `)
	// docForm is the form in the lists of what the simulated host does.
	docForm = regexp.MustCompile(`(?:: )unverified(?: \(([^)]*)\))?`)
)

// Find reads the comments of every file below the root of the module, apart from
// tests.
func Find(root string) ([]Mark, error) {
	var all []Mark
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		source, err := os.ReadFile(name) //nolint:gosec // G304: a file of the source tree
		if err != nil {
			return err
		}
		found, err := Read(filepath.ToSlash(relative), source)
		all = append(all, found...)
		return err
	})
	return all, err
}

// Read finds the marks in one file.
func Read(name string, source []byte) ([]Mark, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	simulated := strings.Contains("/"+name, "/hypervsim/")
	var all []Mark
	for _, group := range file.Comments {
		comment := strings.Join(strings.Fields(text(group)), " ")
		found := form.FindAllStringSubmatch(comment, -1)
		if simulated && path.Base(name) == "doc.go" {
			found = append(found, docForm.FindAllStringSubmatch(comment, -1)...)
		}
		for _, m := range found {
			all = append(all, Mark{File: name, Line: lineOf(files, group, m[1]), Claims: ids(m[1]), Simulated: simulated})
		}
	}
	return all, nil
}

// ids splits the list between the parentheses.
func ids(list string) []string {
	if list == "" {
		return nil
	}
	var all []string
	for id := range strings.SplitSeq(list, ",") {
		all = append(all, strings.TrimSpace(id))
	}
	return all
}

// lineOf returns the line that names the first of the claims. The form is looked for in the comment
// as a whole, because it may be broken over lines.
func lineOf(files *token.FileSet, group *ast.CommentGroup, list string) int {
	first, _, _ := strings.Cut(list, ",")
	for _, c := range group.List {
		if first != "" && strings.Contains(c.Text, first) {
			return files.Position(c.Slash).Line
		}
	}
	return files.Position(group.Pos()).Line
}

// text returns a comment without its comment markers; line breaks are kept.
func text(group *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range group.List {
		b.WriteString(strings.TrimPrefix(c.Text, "//") + "\n")
	}
	return b.String()
}
