package winrmsim

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Operation is what a request asks for.
type Operation string

// Operations that rules can match and requests are recorded under.
const (
	OperationGet       Operation = "Get"
	OperationEnumerate Operation = "Enumerate"
	OperationPull      Operation = "Pull"
	OperationRelease   Operation = "Release"
	OperationInvoke    Operation = "Invoke"
	OperationIdentify  Operation = "Identify"
	// OperationHandshake is an authentication request without a message.
	OperationHandshake Operation = "Handshake"
)

// Parameter is one selector or one input parameter of a request.
type Parameter struct{ Name, Value string }

// Request is a WS-Management request that a host received and could read.
type Request struct {
	Time       time.Time
	Operation  Operation
	Action     string
	Namespace  string
	Class      string // * for WQL
	Method     string // of an Invoke
	MessageID  string
	Selectors  []Parameter
	Parameters []Parameter // input of an Invoke, without secrets
	Filter     string      // of an Enumerate
	User       string      // DOMAIN\name
	Client     string      // of DialAs or ListenAs, empty for others
	Sealed     bool
	Connection int    // counts the connections of the host
	Status     int    // HTTP status of the answer, 0 if there was none
	Code       uint32 // WSManFault code of the answer, 0 without a fault
}

// Parameter returns the value of an input parameter.
func (r Request) Parameter(name string) (string, bool) {
	for _, p := range r.Parameters {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

// record counts and keeps what reached a host.
type record struct {
	mu           sync.Mutex
	requests     []*Request
	exchanges    int
	connections  int
	logons       int
	failedLogons int
}

// add keeps a request; its outcome is filled in by finish.
func (r *record) add(q Request) *Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, &q)
	return &q
}

func (r *record) finish(q *Request, status int, code uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q.Status, q.Code = status, code
}

// count adds one to a counter.
func (r *record) count(counter *int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	*counter++
	return *counter
}

func (r *record) read(counter *int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *counter
}

// isSecret reports whether the value of a parameter must not be kept.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "password") || strings.Contains(name, "secret") || strings.Contains(name, "credential")
}

// Requests lists the requests that the host could read, in order of arrival.
// Values of parameters that look like secrets are not kept.
func (s *Server) Requests() []Request {
	s.record.mu.Lock()
	defer s.record.mu.Unlock()
	all := make([]Request, len(s.record.requests))
	for i, q := range s.record.requests {
		all[i] = *q
		all[i].Selectors = slices.Clone(q.Selectors)
		all[i].Parameters = slices.Clone(q.Parameters)
	}
	return all
}

// Calls counts the calls of a method that reached the host, answered or not.
func (s *Server) Calls(method string) int {
	n := 0
	for _, q := range s.Requests() {
		if q.Operation == OperationInvoke && strings.EqualFold(q.Method, method) {
			n++
		}
	}
	return n
}

// Exchanges counts the HTTP requests, handshakes included.
func (s *Server) Exchanges() int { return s.record.read(&s.record.exchanges) }

// Connections counts the connections that were opened.
func (s *Server) Connections() int { return s.record.read(&s.record.connections) }

// Logons counts the security contexts that were established; with Basic and
// certificates, the connections on which a request was let in.
func (s *Server) Logons() int { return s.record.read(&s.record.logons) }

// FailedLogons counts the logons that the host refused.
func (s *Server) FailedLogons() int { return s.record.read(&s.record.failedLogons) }
