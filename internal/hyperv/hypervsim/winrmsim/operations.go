package winrmsim

import (
	"context"
	"sync"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// operations counts the operations that each user has under way.
type operations struct {
	mu      sync.Mutex
	perUser map[string]int
}

// begin counts one more, unless the user has as many as allowed.
func (o *operations) begin(user string, others, quota int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.perUser == nil {
		o.perUser = map[string]int{}
	}
	if o.perUser[user]+others >= quota {
		return false
	}
	o.perUser[user]++
	return true
}

func (o *operations) end(user string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.perUser[user]--
}

// admit does the work if the user's quota allows one operation more. An open
// enumeration is an operation; to go on with it or end it needs no other.
func (s *Server) admit(x *exchange) (*answer, *wmi.Failure) {
	switch x.envelope.operation {
	case OperationPull:
		return s.pull(x)
	case OperationRelease:
		return s.release(x)
	case OperationGet, OperationEnumerate, OperationInvoke, OperationIdentify, OperationHandshake:
	}
	if fail := s.refuses(x); fail != nil {
		return nil, fail
	}
	others := s.enumerations.of(x.user, x.now, s.config.EnumerationIdle)
	if !s.operations.begin(x.user, others, s.config.Quota) {
		return nil, fault(s.config.QuotaCode)
	}
	if x.effect.kind == effectDelay || x.effect.kind == effectHang {
		// The operation is under way for as long as its answer is held back.
		context.AfterFunc(x.r.Context(), func() { s.operations.end(x.user) })
	} else {
		defer s.operations.end(x.user)
	}
	return s.carryOut(x)
}

// carryOut carries out an operation that was admitted.
func (s *Server) carryOut(x *exchange) (*answer, *wmi.Failure) {
	switch x.envelope.operation {
	case OperationGet:
		return s.get(x)
	case OperationEnumerate:
		return s.enumerate(x)
	case OperationInvoke:
		return s.invoke(x)
	case OperationPull, OperationRelease, OperationIdentify, OperationHandshake:
	}
	return nil, fault(codeActionNotSupported)
}

// get answers a Get.
func (s *Server) get(x *exchange) (*answer, *wmi.Failure) {
	t := x.envelope.target
	o, fail := s.model.Get(x.caller(), t.namespace, t.class, x.envelope.selectors)
	if fail != nil {
		return nil, fail
	}
	a := &answer{action: actionGet + "Response", body: instance(t, o)}
	if len(a.body)+envelopeReserve > x.envelope.maxSize {
		return nil, tooLarge(x.envelope)
	}
	return a, nil
}

// invoke answers a method call. What was done cannot be undone when the answer
// turns out too large.
func (s *Server) invoke(x *exchange) (*answer, *wmi.Failure) {
	t := x.envelope.target
	in, fail := x.envelope.input()
	if fail != nil {
		return nil, fail
	}
	o, fail := s.model.Invoke(wmi.Call{
		Namespace: t.namespace, Class: t.class, Method: x.envelope.method,
		Keys: x.envelope.selectors, Input: in, Caller: x.caller(),
	})
	if fail != nil {
		return nil, fail
	}
	a := &answer{action: x.envelope.action + "Response", body: output(t, x.envelope.method, o)}
	if len(a.body)+envelopeReserve > x.envelope.maxSize {
		return nil, fault(codeUnreportableSuccess)
	}
	return a, nil
}
