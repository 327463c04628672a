// Package compare says what reports of the conformance kit mean for the claims,
// for the marks in the code, and for the simulated host.
package compare

import (
	"slices"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims/marks"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

// Comparison is the combined result of any number of reports.
type Comparison struct {
	Reports  []*conformance.Report
	Outcomes []Outcome
	Marks    []marks.Mark
	// Unknown are claims of the reports that are not in the list any more.
	Unknown []string
}

// Outcome is the result for one claim over all reports.
type Outcome struct {
	Claim              claims.Claim
	Held, Contradicted []Answer
	// Why says, once each, why a host was not asked or could not answer.
	Why []string
}

// Answer is the answer of one host about a claim.
type Answer struct {
	// Host names the version of Windows and the way in which it was asked.
	Host    string
	Windows string
	Date    string
	Seen    string
}

// Verdict is what an outcome means for a claim.
type Verdict string

// The verdicts.
const (
	// Proven: it held wherever it could be tested.
	Proven Verdict = "proven"
	// Refuted: it was contradicted wherever it could be tested.
	Refuted Verdict = "refuted"
	// Split: it held on one host and not on another.
	Split Verdict = "split"
	// Untested: no host was asked, or could answer.
	Untested Verdict = "untested"
)

// Verdict returns the verdict that the outcome amounts to.
func (o Outcome) Verdict() Verdict {
	switch {
	case len(o.Held) > 0 && len(o.Contradicted) > 0:
		return Split
	case len(o.Contradicted) > 0:
		return Refuted
	case len(o.Held) > 0:
		return Proven
	}
	return Untested
}

// Fails reports whether a host contradicted a claim that was taken for settled.
func (o Outcome) Fails() bool { return len(o.Contradicted) > 0 && o.Claim.Evidence.IsSettled() }

// On lists the hosts of the claim as they would be after these reports, one for
// each version of Windows with the latest day.
func (o Outcome) On() []claims.Sighting {
	all := slices.Clone(o.Claim.On)
	for _, a := range o.Held {
		i := slices.IndexFunc(all, func(s claims.Sighting) bool { return s.Windows == a.Windows })
		switch {
		case a.Windows == "":
		case i < 0:
			all = append(all, claims.Sighting{Windows: a.Windows, Date: a.Date})
		case all[i].Date < a.Date:
			all[i].Date = a.Date
		}
	}
	slices.SortFunc(all, func(a, b claims.Sighting) int { return claims.CompareVersions(a.Windows, b.Windows) })
	return all
}

// New compares reports with the claims as they are now. The marks are those of the
// source tree; without one there are none.
func New(reports []*conformance.Report, found []marks.Mark) *Comparison {
	c := &Comparison{Reports: reports, Marks: found}
	for _, claim := range claims.All() {
		c.Outcomes = append(c.Outcomes, outcome(claim, reports))
	}
	for _, r := range reports {
		for _, f := range r.Findings {
			if _, ok := claims.Find(f.ID); !ok && !slices.Contains(c.Unknown, f.ID) {
				c.Unknown = append(c.Unknown, f.ID)
			}
		}
	}
	return c
}

func outcome(claim claims.Claim, reports []*conformance.Report) Outcome {
	o := Outcome{Claim: claim}
	for _, r := range reports {
		for _, f := range r.Findings {
			if f.ID != claim.ID {
				continue
			}
			a := Answer{Host: r.Host.Name(), Windows: r.Host.WindowsVersion, Date: r.Started.Format(time.DateOnly), Seen: f.Seen}
			switch f.Result {
			case conformance.Held:
				o.Held = append(o.Held, a)
			case conformance.Contradicted:
				o.Contradicted = append(o.Contradicted, a)
			case conformance.NotTested:
				if !slices.Contains(o.Why, f.Why) {
					o.Why = append(o.Why, f.Why)
				}
			}
		}
	}
	return o
}

// Fails reports whether a claim that was taken for settled was contradicted.
func (c *Comparison) Fails() bool { return slices.ContainsFunc(c.Outcomes, Outcome.Fails) }

// verdictOf returns the verdict about a claim by its ID.
func (c *Comparison) verdictOf(id string) Verdict {
	i := slices.IndexFunc(c.Outcomes, func(o Outcome) bool { return o.Claim.ID == id })
	if i < 0 {
		return Untested
	}
	return c.Outcomes[i].Verdict()
}

// marksAt lists the marks that name a claim, of the simulated host or of the rest.
func (c *Comparison) marksAt(id string, simulated bool) []marks.Mark {
	var all []marks.Mark
	for _, m := range c.Marks {
		if m.Simulated == simulated && slices.Contains(m.Claims, id) {
			all = append(all, m)
		}
	}
	return all
}
