package winrmsim

import (
	"net/http"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// interrupt carries out the effects that replace the work, and reports whether there was one.
func (s *Server) interrupt(x *exchange) bool {
	if x.effect.kind == effectHang && x.effect.late > 0 { // delayWork does the work
		x.hang()
	}
	if !x.effect.replacesWork() {
		return false
	}
	if x.effect.hold > 0 {
		x.wait(x.effect.hold)
	}
	switch x.effect.kind {
	case effectFault:
		s.reply(x, nil, fault(x.effect.code))
	case effectReturns:
		s.reply(x, x.returnValue(), nil)
	case effectStatus:
		s.finish(x, x.effect.status)
	case effectUnauthorized:
		s.unauthorized(x)
	case effectResetBefore:
		x.reset()
	default: // none of these replaces the work
	}
	return true
}

// replaceAnswer holds the answer back, and carries out the effects that replace it
// after the work.
func (x *exchange) replaceAnswer(a *answer, fail *wmi.Failure) (*answer, *wmi.Failure) {
	if x.effect.hold > 0 {
		x.wait(x.effect.hold)
	}
	switch {
	case x.effect.kind == effectFaultAfter:
		return nil, fault(x.effect.code)
	case x.effect.kind == effectReturnsAfter && fail == nil:
		return x.returnValue(), nil
	}
	return a, fail
}

// returnValue is the output of a method that returns the value of the effect, and
// no job.
func (x *exchange) returnValue() *answer {
	o := &wmi.Object{Properties: []wmi.Property{wmi.Uint32("ReturnValue", x.effect.code)}}
	return &answer{action: x.envelope.action + "Response", body: output(x.envelope.target, x.envelope.method, o)}
}

// hang waits until the client has gone.
func (x *exchange) hang() {
	<-x.r.Context().Done()
	panic(http.ErrAbortHandler)
}

// delayWork postpones the work, or has it done in the background if its answer
// does not wait for it.
func (s *Server) delayWork(x *exchange) {
	if x.effect.late == 0 {
		return
	}
	if !x.effect.replacesWork() && x.effect.kind != effectHang {
		if !s.sleep(x.effect.late) {
			panic(http.ErrAbortHandler)
		}
		x.now = s.config.Clock()
		return
	}
	late := &exchange{c: x.c, user: x.user, envelope: x.envelope, asked: x.asked}
	delay := x.effect.late
	s.serving.Go(func() {
		if s.sleep(delay) {
			late.now = s.config.Clock()
			_, _ = s.admit(late) // no client waits for the answer
		}
	})
}

// sleep waits, whatever the client does. It returns false if the server is closed first.
func (s *Server) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.base.Done():
		return false
	}
}

// handshakeRule applies the rules for handshakes. It reports whether one of them
// has answered.
func (s *Server) handshakeRule(x *exchange) bool {
	if x.r.Header.Get("Authorization") == "" {
		return false
	}
	x.effect = s.rules.apply(Request{Time: x.now, Operation: OperationHandshake, Client: x.c.client, Connection: x.c.number})
	switch x.effect.kind {
	case effectDelay:
		x.wait(x.effect.delay)
	case effectHang:
		x.hang()
	case effectStatus, effectUnauthorized, effectResetBefore:
		return s.interrupt(x)
	default: // the other effects are for messages
	}
	return false
}

// distortSealed carries out the effects on sealed answers.
func (x *exchange) distortSealed(body []byte, size int) []byte {
	last := x.c.lastSealed
	x.c.lastSealed = body
	switch {
	case x.effect.kind == effectReplayed && last != nil:
		return last
	case x.effect.kind == effectTampered:
		body[len(body)-len(closingDelimiter)-(size+1)/2] ^= 1
	}
	return body
}

// wait holds the exchange for d; it ends it when the client goes first.
func (x *exchange) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// reset closes the connection the hard way.
func (x *exchange) reset() {
	hangUp(x.c.net)
	panic(http.ErrAbortHandler)
}
