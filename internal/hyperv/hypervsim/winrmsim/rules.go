package winrmsim

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Rule makes the host misbehave towards some requests. Fields left empty match
// everything. Rules are asked in the order in which they were added; the first
// that matches and is not used up decides.
type Rule struct {
	Operation Operation
	Class     string
	Method    string
	// Client is the name of the client, of DialAs or ListenAs.
	Client string
	// Path is compared with the parameter Path (or SelectionCriterion) of a method:
	// a glob with * and ? where it has one of these, else a part of the path.
	// Letter case does not count.
	Path string
	// Skip lets that many matching requests pass first.
	Skip int
	// Times is how often the rule applies, once if 0, always if negative.
	Times int
	// Func, if set, is called with the request before the effect, outside of all
	// locks of the host.
	Func func(Request)
	// Effect is what happens; the zero Effect answers as if there were no rule.
	Effect Effect
}

// String names the rule in a failed test.
func (r Rule) String() string {
	return fmt.Sprintf("operation=%q class=%q method=%q path=%q skip=%d times=%d effect=%s",
		r.Operation, r.Class, r.Method, r.Path, r.Skip, r.Times, r.Effect)
}

// Effect is what a rule does to a request or to its answer.
type Effect struct {
	kind   effectKind
	code   uint32
	form   FaultForm
	status int
	text   string
	size   int
	delay  time.Duration
}

type effectKind string

const (
	effectNone         effectKind = "none"
	effectFault        effectKind = "fault"
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
	if e.kind == "" {
		return string(effectNone)
	}
	return string(e.kind)
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

// rules are the rules of a host and how often each was met.
type rules struct {
	mu   sync.Mutex
	list []*activeRule
}

type activeRule struct {
	Rule
	seen, used int
}

// limit is how often the rule applies; negative is always.
func (r *activeRule) limit() int {
	if r.Times == 0 {
		return 1
	}
	return r.Times
}

func (r *activeRule) matches(q *Request) bool {
	switch {
	case r.Operation != "" && r.Operation != q.Operation,
		r.Class != "" && !strings.EqualFold(r.Class, q.Class),
		r.Method != "" && !strings.EqualFold(r.Method, q.Method),
		r.Client != "" && r.Client != q.Client:
		return false
	// Whoever means every request does not mean the handshakes.
	case r.Operation == "" && q.Operation == OperationHandshake:
		return false
	}
	return r.Path == "" || matchesPath(r.Path, q)
}

func matchesPath(pattern string, q *Request) bool {
	value, ok := q.Parameter("Path")
	if !ok {
		if value, ok = q.Parameter("SelectionCriterion"); !ok {
			return false
		}
	}
	pattern, value = strings.ToLower(pattern), strings.ToLower(value)
	if !strings.ContainsAny(pattern, "*?") {
		return strings.Contains(value, pattern)
	}
	return wildcard(pattern, value, '*', '?')
}

// AddRule adds a rule. A host of RunT fails the test if it is not used up.
func (s *Server) AddRule(r Rule) {
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	s.rules.list = append(s.rules.list, &activeRule{Rule: r})
}

// ClearRules forgets all rules, used or not.
func (s *Server) ClearRules() {
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	s.rules.list = nil
}

// UnusedRules lists the rules that did not apply as often as they should; one
// that applies always should have applied once.
func (s *Server) UnusedRules() []Rule {
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	var unused []Rule
	for _, r := range s.rules.list {
		if want := r.limit(); r.used < want || (want < 0 && r.used == 0) {
			unused = append(unused, r.Rule)
		}
	}
	return unused
}

// apply finds the effect for a request and calls the rule's function.
func (r *rules) apply(q Request) Effect {
	rule := r.find(&q)
	if rule == nil {
		return Effect{}
	}
	if rule.Func != nil {
		rule.Func(q)
	}
	return rule.Effect
}

func (r *rules) find(q *Request) *Rule {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.list {
		if !a.matches(q) || (a.limit() >= 0 && a.used >= a.limit()) {
			continue
		}
		if a.seen++; a.seen <= a.Skip {
			continue
		}
		a.used++
		found := a.Rule
		return &found
	}
	return nil
}
