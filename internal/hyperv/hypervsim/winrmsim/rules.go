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
	// Until is the time, by the clock of the host, from which the rule no
	// longer applies; zero means never.
	Until time.Time
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

// rules are the rules of a host and how often each has matched and was applied.
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
	case !isAny(string(r.Operation), string(q.Operation)), !isAny(r.Class, q.Class), !isAny(r.Method, q.Method), !isAny(r.Client, q.Client):
		return false
	// A rule for every request does not apply to handshakes.
	case r.Operation == "" && q.Operation == OperationHandshake:
		return false
	case !r.Until.IsZero() && !q.Time.Before(r.Until):
		return false
	}
	return r.Path == "" || matchesPath(r.Path, q)
}

// isAny reports whether a field of a rule matches that of a request; an empty
// field matches any.
func isAny(field, value string) bool { return field == "" || strings.EqualFold(field, value) }

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
