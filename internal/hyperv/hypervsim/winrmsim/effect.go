package winrmsim

import (
	"net/http"
	"time"
)

// interrupt carries out the effects that come instead of the work.
func (s *Server) interrupt(x *exchange) bool {
	switch x.effect.kind {
	case effectFault:
		s.reply(x, nil, fault(x.effect.code))
	case effectStatus:
		s.finish(x, x.effect.status)
	case effectUnauthorized:
		s.unauthorized(x)
	case effectResetBefore:
		x.reset()
	default:
		return false
	}
	return true
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
		<-x.r.Context().Done()
		panic(http.ErrAbortHandler)
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
