package provider

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

const guides = "../../templates/guides/"

// TestGuideKnowsEveryVariable compares the environment variables with the table
// that users of other providers look them up in.
func TestGuideKnowsEveryVariable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(guides + "coming-from-other-providers.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if len(cells) != 2 || !strings.HasPrefix(cells[0], "`") {
			continue
		}
		listed[strings.Trim(cells[0], "`")] = strings.Split(strings.ReplaceAll(cells[1], "`", ""), ", ")
	}
	if diff := cmp.Diff(variables("", providerSchema().Attributes), listed); diff != "" {
		t.Errorf("the guide differs (-schema +guide):\n%s", diff)
	}
}

// variables returns the environment variables that the descriptions of
// attributes name.
func variables(prefix string, attributes map[string]schema.Attribute) map[string][]string {
	all := map[string][]string{}
	for name, a := range attributes {
		if nested, ok := a.(schema.SingleNestedAttribute); ok {
			maps.Copy(all, variables(name+".", nested.Attributes))
		}
		if _, names, ok := strings.Cut(a.GetMarkdownDescription(), " Environment: "); ok {
			all[prefix+name] = strings.Split(strings.Trim(strings.ReplaceAll(names, "`", ""), "."), ", ")
		}
	}
	return all
}

// documents lists what is written by hand or generated for readers.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob("../../" + pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s finds %d documents, %v", pattern, len(found), err)
		}
		all = append(all, found...)
	}
	return all
}

var (
	link   = regexp.MustCompile(`\]\(([^)#:]+)[)#]`)
	target = regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)((?: [a-z-]+)*)")
)

// TestDocumentsNameWhatExists follows every link to a file, and looks up every
// target of make.
func TestDocumentsNameWhatExists(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../GNUmakefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents(t) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", filepath.Base(document), m[1], err)
			}
		}
		for _, m := range target.FindAllStringSubmatch(string(text), -1) {
			for _, name := range append([]string{m[1]}, strings.Fields(m[2])...) {
				if !strings.Contains(string(makefile), "\n"+name+":") {
					t.Errorf("%s names the target %s, which GNUmakefile lacks", filepath.Base(document), name)
				}
			}
		}
	}
}

// TestReadmeIsRun: CI runs the commands of the first page.
func TestReadmeIsRun(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	ci, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	named := target.FindAllStringSubmatch(string(readme), -1)
	if len(named) < 2 {
		t.Fatalf("the readme names %d targets, want at least demo and test", len(named))
	}
	for _, m := range named {
		if !strings.Contains(string(ci), "make "+m[1]+"\n") {
			t.Errorf("the readme names make %s, which .ci/run does not run", m[1])
		}
	}
}

// TestPagesTellEverything: the page of each resource, data source and the like
// that touches a host has the same headings.
func TestPagesTellEverything(t *testing.T) {
	t.Parallel()
	server := providerserver.NewProtocol6(New("test")())()
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string][]string{
		"resources":      slices.Collect(maps.Keys(schema.ResourceSchemas)),
		"data-sources":   slices.Collect(maps.Keys(schema.DataSourceSchemas)),
		"actions":        slices.Collect(maps.Keys(schema.ActionSchemas)),
		"list-resources": slices.Collect(maps.Keys(schema.ListResourceSchemas)),
	}
	for kind, names := range pages {
		for _, name := range names {
			page := "../../docs/" + kind + "/" + strings.TrimPrefix(name, typeName+"_") + ".md"
			text, err := os.ReadFile(page)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, heading := range []string{"```", "## What it does", "## What it never does", "## Permissions", "imits", "imeouts", "## Schema"} {
				_, rest, found := strings.Cut(string(text), heading)
				if !found {
					t.Errorf("%s lacks %q, or has it before what belongs before it", page, heading)
					break
				}
				text = []byte(rest)
			}
		}
	}
}
