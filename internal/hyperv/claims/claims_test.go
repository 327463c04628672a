package claims_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims/marks"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

var (
	idForm      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$|^[a-z]+$`)
	versionForm = regexp.MustCompile(`^\d+\.\d+\.\d{4,5}$`)
)

// TestClaims: each claim is complete, and listed once.
func TestClaims(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range claims.All() {
		if problem := problemOf(c); problem != "" || seen[c.ID] {
			t.Errorf("%q %s, or stands twice", c.ID, problem)
		}
		seen[c.ID] = true
	}
}

// problemOf returns what is wrong with a claim, empty if nothing is.
func problemOf(c claims.Claim) string {
	switch {
	case !idForm.MatchString(c.ID):
		return "is no ID"
	case !strings.HasSuffix(c.Text, ".") || c.Source == "":
		return "has no sentence or no source"
	case c.Source == "none" && c.Evidence != claims.Open && c.Evidence != claims.Seen:
		return "has no source, but is not open"
	case (c.Evidence == claims.Seen) != (len(c.On) > 0):
		return "is seen without a host, or not seen and has one"
	case c.Evidence == claims.Seen && c.Untestable != "":
		return "is seen, although the kit does not ask"
	}
	versions := map[string]bool{}
	for _, s := range c.On {
		if _, err := time.Parse(time.DateOnly, s.Date); err != nil || !versionForm.MatchString(s.Windows) || versions[s.Windows] {
			return fmt.Sprintf("was seen on %q at %q", s.Windows, s.Date)
		}
		versions[s.Windows] = true
	}
	switch c.Evidence {
	case claims.Seen, claims.Documented, claims.Inferred, claims.Open:
		return ""
	}
	return fmt.Sprintf("has the evidence %q", c.Evidence)
}

// TestProblems: TestClaims would find each kind of problem that it looks for.
func TestProblems(t *testing.T) {
	t.Parallel()
	good := claims.Claim{ID: "a-b", Text: "It is.", Source: "none", Evidence: claims.Seen, On: []claims.Sighting{{Windows: "10.0.26100", Date: "2026-12-01"}}}
	if p := problemOf(good); p != "" {
		t.Fatal(p)
	}
	for name, spoil := range map[string]func(*claims.Claim){
		"ID":              func(c *claims.Claim) { c.ID = "A b" },
		"sentence":        func(c *claims.Claim) { c.Text = "It is" },
		"no source":       func(c *claims.Claim) { c.Evidence, c.On = claims.Documented, nil },
		"nowhere seen":    func(c *claims.Claim) { c.On = nil },
		"seen, not asked": func(c *claims.Claim) { c.Untestable = "no" },
		"version":         func(c *claims.Claim) { c.On = []claims.Sighting{{Windows: "2025", Date: "2026-12-01"}} },
		"date":            func(c *claims.Claim) { c.On = []claims.Sighting{{Windows: "10.0.26100", Date: "yesterday"}} },
		"twice":           func(c *claims.Claim) { c.On = append(c.On, c.On[0]) },
		"evidence":        func(c *claims.Claim) { c.Evidence, c.On, c.Source = "C", nil, "a book" },
	} {
		c := good
		spoil(&c)
		if problemOf(c) == "" {
			t.Errorf("%s: no problem was found", name)
		}
	}
}

// TestMarks: every mark names claims of the list, every claim is asked about or
// named by a mark, and no claim is asked about that is declared out of reach.
func TestMarks(t *testing.T) {
	t.Parallel()
	all, err := marks.Find(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range all {
		if len(m.Claims) == 0 {
			t.Errorf("%s:%d: a mark without a claim", m.File, m.Line)
		}
		for _, id := range m.Claims {
			if _, ok := claims.Find(id); !ok {
				t.Errorf("%s:%d: there is no claim %s", m.File, m.Line, id)
			}
			named[id] = true
		}
	}
	if len(named) < 20 {
		t.Errorf("only %d claims are named: the marks were not found", len(named))
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
		case c.Untestable != "" && !named[c.ID]:
			t.Errorf("%s is neither checked nor named anywhere", c.ID)
		}
	}
}
