package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

var ticked = regexp.MustCompile("`([^`\n]+)`")

// TestGuideKnowsWhatIsOnTheScreen: the guide on troubleshooting has the words of the screen: every
// summary, and a part of every error without a number.
func TestGuideKnowsWhatIsOnTheScreen(t *testing.T) {
	t.Parallel()
	sections := guideSections(t, "troubleshooting.md")
	var phrases []string
	for _, m := range ticked.FindAllStringSubmatch(guideHead(t, "troubleshooting.md")+sections["Warnings"], -1) {
		phrases = append(phrases, m[1])
	}
	summaries := summaryConstants(t)
	for _, s := range warningSummaries {
		summaries = append(summaries, s)
	}
	if len(summaries) < 30 {
		t.Fatalf("%d summaries found", len(summaries))
	}
	for _, s := range summaries {
		if !slices.Contains(phrases, s) {
			t.Errorf("the guide lacks the summary %q", s)
		}
	}
	leading := []string{"no connection to hv01:5986: ", "connection to hv01:5986 lost: no answer within 30s", "the answer was lost: ", "interrupted (Terraform was told to stop): "}
	for _, c := range hyperv.Causes() {
		leading = append(leading, c.Err.Error())
	}
	for _, text := range leading {
		if !slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(text, p) }) {
			t.Errorf("nothing in the guide leads from %q to a remedy", text)
		}
	}
}

// summaryConstants returns the values of the constants whose names begin with summary.
func summaryConstants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "diagnostics.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "summary") || len(spec.Values) == 0 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

// guideHead returns the text before the first heading of the second level.
func guideHead(t *testing.T, name string) string {
	t.Helper()
	for heading, text := range guideSections(t, name) {
		if heading == "" || strings.HasPrefix(heading, "---") {
			return text
		}
	}
	t.Fatalf("%s has no head", name)
	return ""
}
