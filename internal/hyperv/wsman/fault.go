package wsman

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// QName is a qualified name.
type QName struct {
	// Space is the namespace.
	Space string
	// Local is the name in it.
	Local string
}

// String names q with the customary prefix of its namespace.
func (q QName) String() string {
	for _, prefix := range []string{"s", "a", "w", "n", "x", "e"} {
		if q.Space != "" && customary[prefix] == q.Space {
			return prefix + ":" + q.Local
		}
	}
	return q.Local
}

// Fault is a SOAP fault. Decisions go by its numbers, then by its names; its
// texts are in the language of the host.
type Fault struct {
	// Status is the HTTP status that it came with.
	Status int
	// Code is the SOAP code, for example s:Sender.
	Code QName
	// Subcode is the outermost subcode, for example a:DestinationUnreachable.
	Subcode QName
	// Detail is the fault detail URI of DSP0226.
	Detail string
	// Codes are the numbers in the detail, outermost first and each once: those
	// of WSManFault elements, then error_Code of MSFT_WmiError or StatusCode of
	// __ExtendedStatus.
	Codes []uint32
	// Reason is the text of the fault, followed by that of the provider if it
	// differs.
	Reason string
}

// Error implements error.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString("fault")
	for _, code := range f.Codes {
		fmt.Fprintf(&b, " %d (0x%08X)", code, code)
	}
	if f.Subcode.Local != "" {
		b.WriteString(" " + f.Subcode.String())
	} else if f.Code.Local != "" {
		b.WriteString(" " + f.Code.String())
	}
	if f.Detail != "" {
		b.WriteString(" " + f.Detail[strings.LastIndexByte(f.Detail, '/')+1:])
	}
	if f.Reason != "" {
		b.WriteString(": " + f.Reason)
	}
	return b.String()
}

// Has reports whether code is among the numbers of the fault.
func (f *Fault) Has(code uint32) bool { return slices.Contains(f.Codes, code) }

// IsSubcode reports whether the subcode is local in the namespace space.
func (f *Fault) IsSubcode(space, local string) bool {
	return f.Subcode == QName{Space: space, Local: local}
}

// decodeFault reads a s:Fault element in any of the forms that hosts were seen
// to send: with WSManFault, with one nested in it by a provider, with
// MSFT_WmiError, or without detail.
func decodeFault(status int, e *xmlNode) *Fault {
	code := e.child("Code", nsSOAP)
	f := &Fault{Status: status}
	if v := code.child("Value", nsSOAP); v != nil {
		f.Code = v.qname()
	}
	if v := code.child("Subcode", nsSOAP).child("Value", nsSOAP); v != nil {
		f.Subcode = v.qname()
	}
	texts := []string{collapse(e.child("Reason", nsSOAP).child("Text", nsSOAP).value())}
	detail := e.child("Detail", nsSOAP)
	f.details(detail, &texts)
	f.Reason = strings.Join(distinct(texts), " ")
	if len(f.Reason) > maxReason {
		f.Reason = strings.ToValidUTF8(f.Reason[:maxReason], "") + " …"
	}
	return f
}

// Bounds on the parts of a fault that are kept. No recorded one comes near
// them.
const (
	maxCodes  = 16
	maxTexts  = 4
	maxReason = 2000 // bytes
)

// details walks through the detail. Its elements are known by their local names
// alone: one recorded fault binds their prefix to a broken URI.
func (f *Fault) details(e *xmlNode, texts *[]string) {
	if e == nil {
		return
	}
	for _, c := range e.children {
		switch c.name.Local {
		case "FaultDetail":
			f.Detail = c.value()
		case "WSManFault":
			f.add(c.attribute("", "Code"))
		case "error_Code", "StatusCode":
			f.add(c.value())
		case "Message":
			if len(*texts) < maxTexts {
				*texts = append(*texts, collapse(c.value()))
			}
		}
		f.details(c, texts)
	}
}

// add notes a number, which hosts write as an unsigned or a signed decimal or
// in hexadecimal. Zero means no error.
func (f *Fault) add(text string) {
	base := 10
	text = strings.TrimSpace(text)
	if hex, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		text, base = hex, 16
	}
	n, err := strconv.ParseInt(text, base, 64)
	if err != nil || n == 0 || n < -1<<31 || n > 1<<32-1 {
		return
	}
	if code := uint32(n); len(f.Codes) < maxCodes && !f.Has(code) {
		f.Codes = append(f.Codes, code)
	}
}

// collapse makes one line of a text.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// distinct drops empty texts and those that repeat an earlier one.
func distinct(texts []string) []string {
	var kept []string
	for _, t := range texts {
		if t != "" && !slices.ContainsFunc(kept, func(k string) bool { return strings.Contains(k, t) }) {
			kept = append(kept, t)
		}
	}
	return kept
}
