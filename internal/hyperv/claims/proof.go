package claims

import (
	"fmt"
	"slices"
	"strings"
)

// Between these lines the README says how well the claims are supported.
const (
	ProofBegins = "<!-- made from the claims by make generate: begin -->\n"
	ProofEnds   = "<!-- end -->\n"
)

// Proof writes a table in Markdown of how many claims have which evidence.
func Proof(all []Claim) string {
	var b strings.Builder
	counts, out := map[Evidence]int{}, 0
	for _, c := range all {
		counts[c.Evidence]++
		if c.Untestable != "" {
			out++
		}
	}
	if counts[Seen] == 0 {
		b.WriteString("Nothing here was run against a real Windows host by its authors.\n\n")
	}
	fmt.Fprintf(&b, "This project rests on %d claims about hosts; the conformance kit can ask a host about %d.\n\n| evidence | claims |\n|---|---|\n", len(all), len(all)-out)
	for _, version := range versions(all) {
		fmt.Fprintf(&b, "| seen to hold on Windows %s | %d |\n", version.windows, version.claims)
	}
	if counts[Seen] > 0 {
		fmt.Fprintf(&b, "| seen to hold on any of them | %d |\n", counts[Seen])
	}
	fmt.Fprintf(&b, "| documented, or recorded from a real host by others | %d |\n| inferred | %d |\n| open | %d |\n", counts[Documented], counts[Inferred], counts[Open])
	return b.String()
}

// seenOn holds how many claims were seen on a version of Windows.
type seenOn struct {
	windows string
	claims  int
}

func versions(all []Claim) []seenOn {
	var list []seenOn
	for _, c := range all {
		for _, s := range c.On {
			i := slices.IndexFunc(list, func(v seenOn) bool { return v.windows == s.Windows })
			if i < 0 {
				i = len(list)
				list = append(list, seenOn{windows: s.Windows})
			}
			list[i].claims++
		}
	}
	slices.SortFunc(list, func(a, b seenOn) int { return CompareVersions(a.windows, b.windows) })
	return list
}

// Replace puts the state of proof into a README; false when it has no place for it.
func Replace(readme, proof string) (string, bool) {
	before, rest, begins := strings.Cut(readme, ProofBegins)
	_, after, ends := strings.Cut(rest, ProofEnds)
	return before + ProofBegins + proof + ProofEnds + after, begins && ends
}
