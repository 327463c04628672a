package hyperv

import (
	"fmt"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// CodeKind says which list of numbers a code belongs to.
type CodeKind string

// The lists of the numbers with which a host answers.
const (
	KindReturnValue CodeKind = "return value"       // of a WMI method
	KindHRESULT     CodeKind = "HRESULT"            // JobCompletionStatusCode of a storage job
	KindFault       CodeKind = "WSManFault code"    // of a WS-Management fault
	KindHTTP        CodeKind = "HTTP status"        // of an answer without a fault
	KindKerberos    CodeKind = "Kerberos KDC error" // of a KDC
	KindSSPI        CodeKind = "SSPI status"        // of this machine's Windows
)

// Code is one number with which a host can answer, and what is known about it.
type Code struct {
	Kind    CodeKind
	Number  uint32
	Meaning string
	// Hint is one sentence about what an administrator can do; may be empty.
	Hint string

	class error // see sentinel
}

// sentinel returns the error that the number stands for, nil if there is none.
// A fault code that proves no refusal leaves the outcome open.
func (c Code) sentinel() error {
	if c.class == nil && c.Kind == KindFault && !(&wsman.Fault{Codes: []uint32{c.Number}}).Refused() {
		return ErrOutcomeUnknown
	}
	return c.class
}

// String returns the number, followed by its meaning. HRESULTs, fault codes and statuses are shown
// in decimal and hexadecimal, because hosts print the one and documents the other.
func (c Code) String() string {
	if c.Kind == KindHRESULT || c.Kind == KindFault || c.Kind == KindSSPI {
		return fmt.Sprintf("%s 0x%08X (%d): %s", c.Kind, c.Number, c.Number, c.Meaning)
	}
	return fmt.Sprintf("%s %d: %s", c.Kind, c.Number, c.Meaning)
}

// Codes lists every number that this package knows, in the order of its lists.
func Codes() []Code {
	var all []Code
	for _, list := range [...][]Code{returnValues, hresults, faultCodes, httpStatuses, kdcErrors, sspiStatuses} {
		all = append(all, list...)
	}
	return all
}

// lookUp finds a number in one list.
func lookUp(list []Code, number uint32) (Code, bool) {
	for _, c := range list {
		if c.Number == number {
			return c, true
		}
	}
	return Code{}, false
}
