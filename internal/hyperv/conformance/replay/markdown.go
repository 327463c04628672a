package replay

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Markdown renders the result for people: differences by class and method, then the spots that are
// compared in part only.
func (r *Result) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Replay against the simulated host: Windows %s\n\n", cmp.Or(r.WindowsVersion, "of an unknown version"))
	fmt.Fprintf(&b, "%d of %d recorded requests were sent again, to a simulated host in the same state. ", r.Sent, r.Recorded)
	groups := r.groups()
	if len(groups) == 0 {
		b.WriteString("Its answers do not differ.\n")
	} else {
		fmt.Fprintf(&b, "Differences, those that are alike counted once: %d.\n", len(groups))
	}
	subject := ""
	for _, g := range groups {
		if g.Subject != subject {
			subject = g.Subject
			fmt.Fprintf(&b, "\n## %s\n\n| where | what | recorded | simulated | exchanges |\n|---|---|---|---|---|\n", subject)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", cell(shorten(g.Path)), g.Kind, cell(g.Recorded), cell(g.Simulated), numbers(g.exchanges))
	}
	b.WriteString("\n## Compared in part\n\nA difference at one of these spots can stay unseen.\n\n| spots | why |\n|---|---|\n")
	counts := map[Reason]int{}
	for _, u := range r.Uncompared {
		counts[u.Reason]++
	}
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "| %d | %s |\n", counts[reason], reason)
	}
	return b.String()
}

// group is a difference with all exchanges that show it.
type group struct {
	Difference
	exchanges []int
}

// groups joins differences that are alike, by subject in the order of the recording.
func (r *Result) groups() []*group {
	var all []*group
	first := map[string]int{}
	of := map[Difference]*group{}
	for _, d := range r.Differences {
		if _, ok := first[d.Subject]; !ok {
			first[d.Subject] = len(first)
		}
		key := d
		key.Exchange = 0
		if d.Kind == Value && guidForm.MatchString(d.Recorded) {
			key.Recorded, key.Simulated = "an identifier", "another"
		}
		if of[key] == nil {
			of[key] = &group{Difference: key}
			all = append(all, of[key])
		}
		of[key].exchanges = append(of[key].exchanges, d.Exchange)
	}
	slices.SortStableFunc(all, func(a, b *group) int { return cmp.Compare(first[a.Subject], first[b.Subject]) })
	return all
}

// shorten leaves out the beginning that all paths share.
func shorten(path string) string {
	path = strings.TrimPrefix(path, "Envelope/")
	return strings.TrimPrefix(path, "Body/")
}

// cell escapes a text so that it stays within its cell.
func cell(s string) string {
	const most = 160
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	if s == "" {
		return ""
	}
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(s) + "`"
}

// numbers lists exchanges, the first few of many.
func numbers(all []int) string {
	const most = 6
	var b strings.Builder
	for i, n := range slices.Compact(all) {
		switch {
		case i == most:
			fmt.Fprintf(&b, " and %d more", len(slices.Compact(all))-most)
			return b.String()
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}
