package replay

import "strings"

// names pairs the names that the two hosts give to the same thing.
type names struct {
	simulatedOf, recordedOf map[string]string
}

func newNames() *names {
	return &names{simulatedOf: map[string]string{}, recordedOf: map[string]string{}}
}

// agree pairs two names and reports whether neither has another counterpart.
// Letter case does not count: where it matters it has been compared before.
func (n *names) agree(recorded, simulated string) bool {
	recorded, simulated = strings.ToLower(recorded), strings.ToLower(simulated)
	s, known := n.simulatedOf[recorded]
	r, taken := n.recordedOf[simulated]
	if !known && !taken {
		n.simulatedOf[recorded], n.recordedOf[simulated] = simulated, recorded
		return true
	}
	return known && taken && s == simulated && r == recorded
}
