package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// TestHypervSpeaksOfHostsOnly: the texts of package hyperv name no attribute,
// no command and no habit of Terraform. The provider adds those, see
// adviceTable.
func TestHypervSpeaksOfHostsOnly(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`(?i)\bterraform\b|\bfor_each\b|\bhyperv_[a-z]|\bapply\b|\bprovider block\b|\b(` + strings.Join(inputNames(t), "|") + `)\b`)
	for _, text := range []string{"Run apply again.", "set if_unreachable", "leave attach_read_only out", "kerberos.spn", "of Terraform"} {
		if !forbidden.MatchString(text) {
			t.Fatalf("%q is not found", text)
		}
	}
	literals := 0
	for file, texts := range stringLiterals(t, "../hyperv") {
		for _, text := range texts {
			literals++
			if strings.Contains(text, " ") && forbidden.MatchString(text) {
				t.Errorf("%s speaks to users of Terraform: %q", file, text)
			}
		}
	}
	if literals < 500 {
		t.Errorf("%d texts found, want those of the whole package", literals)
	}
}

// inputNames returns the attributes that are words of this provider alone, because they have an
// underscore or are nested.
func inputNames(t *testing.T) []string {
	t.Helper()
	server := providerserver.NewProtocol6(New("test")())()
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	blocks := []*tfprotov6.SchemaBlock{schema.Provider.Block}
	for _, s := range schema.ResourceSchemas {
		blocks = append(blocks, s.Block)
	}
	for _, s := range schema.DataSourceSchemas {
		blocks = append(blocks, s.Block)
	}
	for _, b := range blocks {
		collectInputs(b.Attributes, "", names)
	}
	return slices.Sorted(maps.Keys(names))
}

func collectInputs(attributes []*tfprotov6.SchemaAttribute, prefix string, names map[string]bool) {
	for _, a := range attributes {
		name := prefix + a.Name
		if (a.Optional || a.Required) && strings.ContainsAny(name, "_.") {
			names[regexp.QuoteMeta(name)] = true
		}
		if a.NestedType != nil {
			collectInputs(a.NestedType.Attributes, name+".", names)
		}
	}
}

// stringLiterals returns the texts of the code below a folder that is shipped
// and speaks to callers: no tests, no programs, not the simulated host.
func stringLiterals(t *testing.T, root string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"hypervsim", "conformance", "claims", "testdata", "hostenv"}, entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					all[name] = append(all[name], text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
