package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims/marks"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

// Markdown renders the comparison for people: contradicted claims first, then proven ones, then the
// rest.
func (c *Comparison) Markdown() string {
	var b strings.Builder
	c.writeHead(&b)
	c.writeContradicted(&b, "Contradicted, and taken for settled", "This project is wrong about these hosts: correct the simulated host first, then the client.", Outcome.Fails)
	c.writeContradicted(&b, "Contradicted, and open before", "These questions are answered.", func(o Outcome) bool {
		return len(o.Contradicted) > 0 && !o.Fails()
	})
	c.writeSimulated(&b)
	c.writeEvidence(&b)
	c.writeMarks(&b)
	c.writeUntested(&b)
	return b.String()
}

func (c *Comparison) writeHead(b *strings.Builder) {
	b.WriteString("# What the hosts said about the claims\n\n| host | day | held | contradicted | not tested |\n|---|---|---|---|---|\n")
	for _, r := range c.Reports {
		fmt.Fprintf(b, "| %s | %s | %d | %d | %d |\n", r.Host.Name(), r.Started.Format("2006-01-02"),
			r.Summary[conformance.Held], r.Summary[conformance.Contradicted], r.Summary[conformance.NotTested])
	}
	for _, r := range c.Reports {
		if r.LeftBehind {
			fmt.Fprintf(b, "\nSomething that the kit made may still be on a host: %s.\n", r.Host.Name())
		}
	}
	if len(c.Unknown) > 0 {
		fmt.Fprintf(b, "\nNot in the list of claims any more: %s.\n", strings.Join(c.Unknown, ", "))
	}
}

// writeContradicted lists the contradicted claims that match.
func (c *Comparison) writeContradicted(b *strings.Builder, title, meaning string, match func(Outcome) bool) {
	title = fmt.Sprintf("\n## %s\n\n%s\n\n| claim | evidence | it says | but | where the code relies on it |\n|---|---|---|---|---|\n", title, meaning)
	for _, o := range c.Outcomes {
		if !match(o) {
			continue
		}
		b.WriteString(title)
		title = ""
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", o.Claim.ID, o.Claim.Evidence, cell(o.Claim.Text), cell(answers(o)), places(c.marksAt(o.Claim.ID, false)))
	}
}

// answers lists what the contradicting hosts answered, and on which hosts the claim held.
func answers(o Outcome) string {
	var list []string
	for _, a := range o.Contradicted {
		list = append(list, a.Host+": "+a.Seen)
	}
	for _, a := range o.Held {
		list = append(list, a.Host+": held")
	}
	return strings.Join(list, "; ")
}

// writeSimulated lists the contradicted behaviour of the simulated host, which
// behaves as the claims say.
func (c *Comparison) writeSimulated(b *strings.Builder) {
	title := "\n## Simulated behaviour that is contradicted\n\nThe simulated host does what each claim says; the replay of the recordings shows the answers in full.\n\n| claim | where the simulated host says that it relies on it |\n|---|---|\n"
	for _, o := range c.Outcomes {
		if len(o.Contradicted) == 0 {
			continue
		}
		b.WriteString(title)
		title = ""
		fmt.Fprintf(b, "| `%s` | %s |\n", o.Claim.ID, places(c.marksAt(o.Claim.ID, true)))
	}
}

// writeEvidence lists the new evidence of each claim, with claims of the same evidence together.
func (c *Comparison) writeEvidence(b *strings.Builder) {
	var futures []string
	of := map[string][]string{}
	for _, o := range c.Outcomes {
		becomes := evidence(o)
		if becomes == "" {
			continue
		}
		if of[becomes] == nil {
			futures = append(futures, becomes)
		}
		of[becomes] = append(of[becomes], fmt.Sprintf("`%s` (%s)", o.Claim.ID, o.Claim.Evidence))
	}
	if len(futures) == 0 {
		return
	}
	b.WriteString("\n## Evidence that changes\n\nTo be written into `internal/hyperv/claims/list.go` by a person who has read the recordings.\n\n| it becomes | for these claims, with what it was |\n|---|---|\n")
	for _, becomes := range futures {
		fmt.Fprintf(b, "| %s | %s |\n", becomes, strings.Join(of[becomes], ", "))
	}
}

// evidence returns the new evidence of a claim, empty if it does not change.
func evidence(o Outcome) string {
	switch o.Verdict() {
	case Proven:
		on := o.On()
		if len(on) == 0 || slices.Equal(on, o.Claim.On) {
			return ""
		}
		return "`" + literal(on) + "`"
	case Refuted:
		return "another claim: that what the hosts did"
	case Split:
		return "two claims, one for each version of Windows or way of asking"
	case Untested:
	}
	return ""
}

// literal writes evidence in the form of the list of claims.
func literal(on []claims.Sighting) string {
	var list []string
	for _, s := range on {
		list = append(list, fmt.Sprintf("{%q, %q}", s.Windows, s.Date))
	}
	return "Evidence: Seen, On: []Sighting{" + strings.Join(list, ", ") + "}"
}

// writeMarks lists the marks whose claims are all settled.
func (c *Comparison) writeMarks(b *strings.Builder) {
	title := "\n## Marks in the code that are settled\n\n| mark | claims | so |\n|---|---|---|\n"
	for _, m := range c.Marks {
		so := c.settles(m)
		if so == "" {
			continue
		}
		b.WriteString(title)
		title = ""
		fmt.Fprintf(b, "| %s | %s | %s |\n", place(m), strings.Join(m.Claims, ", "), so)
	}
}

// settles says what is to be done with a mark; empty if nothing is.
func (c *Comparison) settles(m marks.Mark) string {
	counts := map[Verdict]int{}
	for _, id := range m.Claims {
		counts[c.verdictOf(id)]++
	}
	switch {
	case counts[Refuted]+counts[Split] > 0:
		return "correct the code, then the mark"
	case counts[Proven] > 0 && counts[Untested] == 0:
		return "take the mark away"
	case counts[Proven] > 0:
		return "take the claims that are proven out of the mark"
	}
	return ""
}

// writeUntested lists the claims that are still not settled, with the reasons.
func (c *Comparison) writeUntested(b *strings.Builder) {
	title := "\n## Not settled yet\n\n| claim | evidence | why no host answered |\n|---|---|---|\n"
	for _, o := range c.Outcomes {
		if o.Verdict() != Untested || o.Claim.Evidence.IsSettled() {
			continue
		}
		b.WriteString(title)
		title = ""
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", o.Claim.ID, o.Claim.Evidence, cell(strings.Join(o.Why, "; ")))
	}
}

func places(all []marks.Mark) string {
	var list []string
	for _, m := range all {
		list = append(list, place(m))
	}
	if len(list) == 0 {
		return "no mark names it"
	}
	return strings.Join(list, ", ")
}

func place(m marks.Mark) string { return fmt.Sprintf("`%s:%d`", m.File, m.Line) }

// cell escapes a text so that it stays within its cell.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
