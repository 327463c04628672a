package winrmsim

import (
	"cmp"
	"fmt"
	"time"
)

// Effect is what a rule does to a request or to its answer.
type Effect struct {
	kind   effectKind
	code   uint32
	form   FaultForm
	status int
	text   string
	size   int
	delay  time.Duration
	late   time.Duration // begins the work that much after the request
	hold   time.Duration // sends the answer that much after it is there
}

type effectKind string

const (
	effectNone         effectKind = "none"
	effectFault        effectKind = "fault"
	effectReturns      effectKind = "return value"
	effectReturnsAfter effectKind = "return value after the work"
	effectFaultAfter   effectKind = "fault after the work"
	effectStatus       effectKind = "HTTP status"
	effectResetBefore  effectKind = "reset before the work"
	effectResetAfter   effectKind = "reset after the work"
	effectCut          effectKind = "answer cut in half"
	effectGarbage      effectKind = "garbage"
	effectContentType  effectKind = "content type"
	effectUnauthorized effectKind = "401"
	effectDelay        effectKind = "delay"
	effectHang         effectKind = "hang"
	effectRelatesTo    effectKind = "wrong RelatesTo"
	effectUnsealed     effectKind = "unsealed answer"
	effectTampered     effectKind = "tampered answer"
	effectReplayed     effectKind = "replayed answer"
	effectOversized    effectKind = "oversized answer"
)

// String names the effect.
func (e Effect) String() string {
	name := string(cmp.Or(e.kind, effectNone))
	if e.late > 0 {
		name += fmt.Sprintf(", the work %s late", e.late)
	}
	if e.hold > 0 {
		name += fmt.Sprintf(", the answer held for %s", e.hold)
	}
	return name
}

// replacesWork reports whether the effect comes instead of the work.
func (e Effect) replacesWork() bool {
	switch e.kind {
	case effectFault, effectReturns, effectStatus, effectUnauthorized, effectResetBefore:
		return true
	default:
		return false
	}
}

// Fault answers with this WSManFault code instead of doing the work. Subcode
// and texts come from the table of faults.
func Fault(code uint32, form FaultForm) Effect {
	return Effect{kind: effectFault, code: code, form: form}
}

// FaultAfter does the work and then answers with a fault.
func FaultAfter(code uint32, form FaultForm) Effect {
	return Effect{kind: effectFaultAfter, code: code, form: form}
}

// Returns answers an Invoke with this return value and nothing else instead of
// doing the work.
func Returns(value uint32) Effect { return Effect{kind: effectReturns, code: value} }

// ReturnsAfter does the work of an Invoke and answers with this return value and
// nothing else.
func ReturnsAfter(value uint32) Effect { return Effect{kind: effectReturnsAfter, code: value} }

// Late begins the work of a request with the delay d, whatever becomes of its
// answer and of the connection. An effect that comes instead of the work
// (Fault, Returns, Status, ResetBefore, Unauthorized) is carried out at once,
// and so is Hang; with others the answer waits for the work.
//
// Unverified on a real host (late-job): that a slow host which has answered
// with a time-out begins the work after all.
func Late(d time.Duration, e Effect) Effect {
	e.late = d
	return e
}

// Held carries out an effect, and sends the answer d later than it would
// otherwise be sent.
func Held(d time.Duration, e Effect) Effect {
	e.hold = d
	return e
}

// Status answers with this HTTP status and no body instead of doing the work.
func Status(status int) Effect { return Effect{kind: effectStatus, status: status} }

// ResetBefore resets the connection instead of doing the work.
func ResetBefore() Effect { return Effect{kind: effectResetBefore} }

// ResetAfter does the work and resets the connection instead of answering.
func ResetAfter() Effect { return Effect{kind: effectResetAfter} }

// CutAnswer does the work, sends half of the answer and closes the connection.
func CutAnswer() Effect { return Effect{kind: effectCut} }

// Garbage does the work and answers with bytes that are no message, labelled as
// the answer would have been.
func Garbage() Effect { return Effect{kind: effectGarbage} }

// ContentType does the work and labels the answer wrongly.
func ContentType(contentType string) Effect {
	return Effect{kind: effectContentType, text: contentType}
}

// Unauthorized answers 401 instead of doing the work and forgets the security
// context of the connection.
func Unauthorized() Effect { return Effect{kind: effectUnauthorized} }

// Delay does the work and answers that much later.
func Delay(d time.Duration) Effect { return Effect{kind: effectDelay, delay: d} }

// Hang does the work and never answers; it ends with the connection.
func Hang() Effect { return Effect{kind: effectHang} }

// WrongRelatesTo does the work and answers to another message.
func WrongRelatesTo() Effect { return Effect{kind: effectRelatesTo} }

// Unsealed does the work and answers without the sealing that the request had.
func Unsealed() Effect { return Effect{kind: effectUnsealed} }

// Tampered does the work and flips one bit of the sealed answer.
func Tampered() Effect { return Effect{kind: effectTampered} }

// Replayed does the work and sends the previous sealed answer of the connection
// again.
func Replayed() Effect { return Effect{kind: effectReplayed} }

// Oversized does the work and pads the answer with white space to this size.
func Oversized(size int) Effect { return Effect{kind: effectOversized, size: size} }
