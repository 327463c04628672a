package provider

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	registryDocs = "https://registry.terraform.io/providers/hypervcompact/hyperv/latest/docs"
	repository   = "https://github.com/hypervcompact/terraform-provider-hyperv/blob/main/"
)

var (
	anyLink     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingLine = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced      = regexp.MustCompile("(?ms)^```.*?^```$")
)

// anchors returns the fragments of a page, as GitHub and the Registry derive them from its
// headings.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range headingLine.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', r >= '0' && r <= '9', r >= 'a' && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		all[slug] = true
	}
	return all
}

// linkTarget returns the file of this tree that a link of a document leads to, and the part of it;
// empty for what lies elsewhere.
func linkTarget(document, link string) (file, fragment string) {
	link, fragment, _ = strings.Cut(link, "#")
	switch {
	case link == "":
		return document, fragment
	case link == registryDocs:
		return "../../docs/index.md", fragment
	case strings.HasPrefix(link, registryDocs+"/"):
		return "../../docs/" + strings.TrimPrefix(link, registryDocs+"/") + ".md", fragment
	case strings.HasPrefix(link, repository):
		return "../../" + strings.TrimPrefix(link, repository), fragment
	case strings.Contains(link, ":"):
		return "", ""
	}
	return filepath.Join(filepath.Dir(document), link), fragment
}

// TestLinksLeadSomewhere follows every link between documents to its heading. The
// first page of the Registry is served without a slash at its end, so that relative
// links break there: it has none.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	followed := 0
	for _, document := range documents(t) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range anyLink.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			first := strings.HasSuffix(document, "docs/index.md")
			if first && !strings.Contains(m[1], ":") && !strings.HasPrefix(m[1], "#") {
				t.Errorf("the first page has the relative link %s", m[1])
			}
			file, fragment := linkTarget(document, m[1])
			if file == "" {
				continue
			}
			page, err := os.ReadFile(file)
			if err != nil {
				if info, dir := os.Stat(file); dir != nil || !info.IsDir() {
					t.Errorf("%s links to %s: %v", document, m[1], err)
				}
				continue
			}
			followed++
			// The generated schema has anchors of its own, written as HTML.
			if fragment != "" && !anchors(string(page))[fragment] && !strings.Contains(string(page), `id="`+fragment+`"`) {
				t.Errorf("%s links to %s, which has no such heading", document, m[1])
			}
		}
	}
	if followed < 100 {
		t.Errorf("%d links followed, want those of all documents", followed)
	}
}

// Two screens of a browser: lines as wide as the text of the Registry, blank ones left
// out.
const (
	screenWidth = 100
	screenLines = 60
	twoScreens  = 2 * screenLines
)

// firstReads are the pages that a user reads first for a task, each up to a heading at which it
// becomes a reference; empty for the whole page.
var firstReads = map[string]string{
	"docs/index.md":                    "## What it never does",
	"docs/guides/installation.md":      "",
	"docs/guides/prepare-a-host.md":    "",
	"docs/guides/getting-started.md":   "",
	"docs/guides/scheduled-applies.md": "",
	"docs/guides/ci-pipelines.md":      "## Azure DevOps", // one reads its own system only
	"docs/guides/troubleshooting.md":   "",
	"docs/guides/least-privilege.md":   "## Everything that is ever sent",
	"CONTRIBUTING.md":                  "## A real host",
}

// TestFirstReadsAreShort: a user with a task reads two screens, and follows links for the rest.
func TestFirstReadsAreShort(t *testing.T) {
	t.Parallel()
	for page, end := range firstReads {
		b, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if _, rest, ok := strings.Cut(text, "\n---\n"); ok && strings.HasPrefix(text, "---\n") {
			text = rest
		}
		if end != "" {
			var found bool
			if text, _, found = strings.Cut(text, end+"\n"); !found {
				t.Errorf("%s has no %q", page, end)
			}
		}
		if n := linesOnScreen(text); n > twoScreens {
			t.Errorf("%s has %d lines, more than the %d of two screens", page, n, twoScreens)
		} else {
			t.Logf("%s: %d lines", page, n)
		}
	}
}

var linkAddress = regexp.MustCompile(`\]\([^)]*\)`)

// linesOnScreen counts the lines of a page as a browser breaks them.
func linesOnScreen(text string) int {
	n := 0
	for line := range strings.Lines(linkAddress.ReplaceAllString(text, "]")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "```") || strings.HasPrefix(line, "|---") {
			continue
		}
		n += (len([]rune(line)) + screenWidth - 1) / screenWidth
	}
	return n
}

// TestOneStatementOnRefusedLogons: the promise about the lock-out of accounts is the
// same wherever it is made. TestOneWrongPassword and TestPasswordChanges of package
// hyperv hold the numbers.
func TestOneStatementOnRefusedLogons(t *testing.T) {
	t.Parallel()
	for page, words := range map[string][]string{
		"docs/index.md":                  {"two failed logons at most", "on all hosts of a provider block together", "four in a row"},
		"docs/guides/least-privilege.md": {"two failed logons at most", "on all hosts of a provider block together", "four"},
		"SECURITY.md":                    {"two failed logons at most", "on all hosts together", "four in a row"},
	} {
		text, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s does not say %q", page, w)
			}
		}
		for _, other := range []string{"for each run of Terraform", "for each provider process", "one failed logon"} {
			if strings.Contains(string(text), other) {
				t.Errorf("%s counts in another unit: %q", page, other)
			}
		}
	}
}

// TestFirstPage: the first page of the Registry answers what everybody asks before it
// shows a provider block, and its first example has a resource.
func TestFirstPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/index.md")
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(page), "```terraform\n")
	for _, answer := range []string{"it compacts `.vhd` and `.vhdx` files", "**Changes:**", "**Needs:**", "**Undo:**", "**An error?**", "two risks", "not yet on a real Windows host"} {
		if !strings.Contains(before, answer) {
			t.Errorf("the first page does not say %q before its first example", answer)
		}
	}
	example, _, _ := strings.Cut(after, "```")
	for _, part := range []string{"provider \"hyperv\"", "resource \"hyperv_vhd_compaction\"", "version"} {
		if !strings.Contains(example, part) {
			t.Errorf("the first example lacks %s", part)
		}
	}
}

// TestPageForReviewers: one page answers what a reviewer asks.
func TestPageForReviewers(t *testing.T) {
	t.Parallel()
	text := guideSections(t, "least-privilege.md")
	glance := text["At a glance"]
	for question, answer := range map[string]string{
		"where does it connect to":           "**Connects to** TCP port 5986 or 5985",
		"through which proxy":                "No proxy is used",
		"does it call home":                  "no telemetry, no update check",
		"how much can the account do":        "Hyper-V Administrators can control every virtual machine",
		"what goes in the clear":             "**Sends** nothing in the clear",
		"what lies in state":                 "**Leaves in state**",
		"what is in a log":                   "They are in no log, at no level",
		"what does an auditor see on a host": "event 4624",
		"what does it change":                "**Changes** the size of the files",
		"where does the program come from":   "**Comes as** archives whose checksums are signed",
		"how is a weakness reported":         "SECURITY.md",
	} {
		if !strings.Contains(glance, answer) {
			t.Errorf("%s? The page does not say %q", question, answer)
		}
	}
	if !strings.Contains(text["Keeping the password away"], "`user@REALM`") || text["Refused logons"] == "" {
		t.Error("the page says nothing about realms or refused logons")
	}
}

var (
	unixOnly     = regexp.MustCompile(`(?m)^(export |read |set -|\. /|[A-Za-z_]+=\S|.*(/dev/null|\$\())`)
	inAHistory   = regexp.MustCompile(`HYPERV_PASSWORD=["']?[^"'\s$<]`)
	shBlock      = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	builtOnLinux = map[string]bool{"CONTRIBUTING.md": true, "BENCHMARKS.md": true, "DESIGN.md": true} // on Windows by WSL
)

// TestWindowsBesideUnix: where a page shows commands that only a shell of Unix takes,
// the same section shows those for Windows, or says where they are.
func TestWindowsBesideUnix(t *testing.T) {
	t.Parallel()
	for _, document := range documents(t) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		if builtOnLinux[filepath.Base(document)] {
			continue
		}
		for section := range strings.SplitSeq(string(text), "\n## ") {
			for _, m := range shBlock.FindAllStringSubmatch(section, -1) {
				if unixOnly.MatchString(m[1]) && !strings.Contains(section, "```powershell") && !strings.Contains(section, "windows.md") {
					heading, _, _ := strings.Cut(section, "\n")
					t.Errorf("%s: %q has commands for Unix alone:\n%s", document, heading, m[1])
				}
			}
		}
	}
}

// TestPasswordsStayOutOfHistories: no page makes people type a password where the
// shell remembers it, and none needs the settings of a developer.
func TestPasswordsStayOutOfHistories(t *testing.T) {
	t.Parallel()
	for _, document := range documents(t) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inAHistory.FindAllString(string(text), -1) {
			if !strings.HasSuffix(m, "=p") { // of the simulated host
				t.Errorf("%s: %s", document, m)
			}
		}
		if !builtOnLinux[filepath.Base(document)] && strings.Contains(string(text), "dev_overrides") {
			t.Errorf("%s speaks of dev_overrides", document)
		}
	}
}
