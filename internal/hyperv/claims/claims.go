// Package claims lists what this project takes for true about Hyper-V hosts:
// each claim once, with its source. Code that relies on one that no source
// proves names it by its ID; the conformance kit asks a host about it.
package claims

import "slices"

// Evidence says how well a claim is known.
type Evidence string

// The kinds of evidence.
const (
	// Confirmed: documented, or recorded from a real host.
	Confirmed Evidence = "C"
	// Inferred from what is confirmed.
	Inferred Evidence = "I"
	// Unverified: plausible, and no more.
	Unverified Evidence = "U"
)

// Claim is one statement about hosts.
type Claim struct {
	// ID is short and never changes.
	ID string
	// Text is one sentence that a host can contradict.
	Text string
	// Source names the document, or says why the claim is plausible.
	Source string
	// Evidence is how well it is known.
	Evidence Evidence
	// Untestable says why the conformance kit does not ask; empty when it does.
	Untestable string
}

// All returns every claim, those about the protocol first.
func All() []Claim { return slices.Concat(protocol, messages, classes, scratch, outOfReach) }

// Find returns the claim with an ID.
func Find(id string) (Claim, bool) {
	for _, c := range All() {
		if c.ID == id {
			return c, true
		}
	}
	return Claim{}, false
}
