// Package claims lists what this project takes to be true of Hyper-V hosts:
// each claim once, with its source. Code that relies on a claim that no source
// proves names it by its ID; the conformance kit asks a host about it.
package claims

import (
	"cmp"
	"slices"
	"strings"
)

// Evidence says how well a claim is supported.
type Evidence string

// The kinds of evidence, the strongest first.
const (
	// Seen to hold by the conformance kit, on the hosts of Claim.On.
	Seen Evidence = "seen"
	// Documented, or recorded from a real host by others.
	Documented Evidence = "documented"
	// Inferred from something that was seen or is documented.
	Inferred Evidence = "inferred"
	// Open: plausible, and no more.
	Open Evidence = "open"
)

// IsSettled reports whether a host that contradicts a claim proves this project
// wrong. A host that contradicts any other claim answers an open question.
func (e Evidence) IsSettled() bool { return e == Seen || e == Documented }

// Sighting is a kind of host on which the conformance kit has seen a claim
// hold.
type Sighting struct {
	// Windows is the version that the host reported, for example 10.0.26100.
	Windows string
	// Date is the day of the run, for example 2026-12-01.
	Date string
}

// Claim is one statement about hosts.
type Claim struct {
	// ID is short and never changes.
	ID string
	// Text is one sentence that a host can contradict.
	Text string
	// Source names the document, or says why the claim is plausible.
	Source string
	// Evidence is how well the claim is supported.
	Evidence Evidence
	// On lists the hosts of a claim that was seen, one for each version of Windows.
	On []Sighting
	// Untestable says why the conformance kit does not ask; empty when it does.
	Untestable string
}

// All returns every claim, those about the protocol first.
func All() []Claim {
	return slices.Concat(protocol, service, messages, classes, machines, scratch, surroundings, users, outOfReach)
}

// Find returns the claim with an ID.
func Find(id string) (Claim, bool) {
	for _, c := range All() {
		if c.ID == id {
			return c, true
		}
	}
	return Claim{}, false
}

// CompareVersions orders versions of Windows by their numbers.
func CompareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if c := cmp.Or(cmp.Compare(len(as[i]), len(bs[i])), strings.Compare(as[i], bs[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}
