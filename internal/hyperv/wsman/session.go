package wsman

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const (
	// answerSlack is how much longer than the operation timeout an answer may
	// take: the host reports a time-out itself, and that answer has to arrive.
	answerSlack = 30 * time.Second
	// maxIdle is how long a connection may be idle: hosts close it after two
	// minutes and count it as a request until then.
	maxIdle = 90 * time.Second
)

// session is a pool of authenticated connections to one host.
type session struct {
	wire        *wire
	tls         *tls.Config      // nil for http
	mechanism   secure.Mechanism // nil with Basic and a certificate
	seals       bool             // bodies go through the security context
	dialRaw     func(ctx context.Context, network, address string) (net.Conn, error)
	dialTimeout time.Duration

	account            *Account
	everyMessageProves bool // Basic: a password in each header
	confirmation       func() (Confirmation, bool)
	ask                func(ctx context.Context, c Confirmation, over transport) (node string, err error)

	slots chan struct{} // one per exchange under way
	reach reach

	mu     sync.Mutex
	idle   []*link // the last one used is last
	closed bool
}

// transport carries the message of a request and returns the answer.
type transport func(ctx context.Context, m message) (answer, error)

func newSession(cfg Config) (*session, error) {
	ep := cfg.Endpoint
	s := &session{
		wire:               newWire(cfg),
		mechanism:          cfg.Mechanism,
		seals:              cfg.Mechanism != nil && (!ep.HTTPS || ep.Insecure),
		dialRaw:            cfg.Dial,
		dialTimeout:        min(dialTimeout, cfg.RequestTimeout),
		account:            cfg.Account,
		everyMessageProves: cfg.Basic != nil,
		confirmation:       cfg.Confirm,
		slots:              make(chan struct{}, cfg.MaxConns),
	}
	var err error
	if ep.HTTPS {
		s.tls, err = tlsConfig(ep, cfg.Certificate)
	}
	return s, err
}

// message is a SOAP envelope on its way out.
type message struct {
	soap      []byte
	effectful bool
	confirmed bool   // only over a confirmed connection
	node      string // only over a connection to that node, if not empty
}

// exchange sends m and returns the answer. These are the steps, each named by what
// it adds to the one after it:
//
//	exchange    one of the connections that a host may have at once
//	over        that the connection is returned to the pool
//	loggedOn    the logon, on a new connection
//	confirmed   the node, where m needs it
//	sealed      the seal, where the channel has none
//	link        HTTP, within a time
//
// The message m goes out a second time, on a new connection, only if the host did not look at it
// the first time, or if it is a read whose security context the host had dropped.
func (s *session) exchange(ctx context.Context, m message) (answer, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
	if l := s.take(); l != nil {
		a, err := s.over(ctx, l, m)
		if !m.unseen(a, err) || ctx.Err() != nil {
			return a, err
		}
	}
	if err := s.account.held(ctx, s.wire.address); err != nil {
		return answer{}, err
	}
	l, err := s.dial(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := s.over(ctx, l, m)
	if errors.Is(err, errGone) {
		err = &ConnectionError{Address: s.wire.address, Err: err}
	}
	return a, err
}

// unseen reports whether m may go out again, because the host did not look at it. An idle
// connection may lead to a node that the name has left. A host that refuses a context has only
// looked at the header; but on plain http an attacker can forge that refusal after the host has
// acted. A context that ended here may have ended before or after m went out.
func (m message) unseen(a answer, err error) bool {
	_, otherNode := errors.AsType[*NodeError](err)
	switch {
	case otherNode, errors.Is(err, errGone):
		return true
	case errors.Is(err, ErrContextRefused), errors.Is(err, secure.ErrContextEnded):
		return !m.effectful || !a.written || refuses(err)
	}
	return false
}

// over sends m over l and returns l to the pool.
func (s *session) over(ctx context.Context, l *link, m message) (a answer, err error) {
	defer func() {
		a.node = l.node
		s.put(l, err)
	}()
	if l.established && !s.everyMessageProves {
		return s.confirmed(ctx, l, m, nil)
	}
	return s.loggedOn(ctx, l, m)
}

// confirmed confirms l if m needs that: the last token of the handshake never
// goes along with a message that changes something, because a 401 that an
// attacker can forge would then leave the outcome unknown.
func (s *session) confirmed(ctx context.Context, l *link, m message, token []byte) (answer, error) {
	if m.effectful || m.confirmed || m.node != "" {
		if err := s.confirm(ctx, l, token); err != nil {
			return answer{}, err
		}
		token = nil
	}
	if m.node != "" && !strings.EqualFold(m.node, l.node) {
		return answer{}, &NodeError{Want: m.node, Got: l.node}
	}
	return s.sealed(ctx, l, m, token)
}

// sealed seals m and opens the answer, where the channel does not protect them. The last token of
// the handshake, if there is one, goes along.
func (s *session) sealed(ctx context.Context, l *link, m message, token []byte) (answer, error) {
	body, contentType, err := s.seal(l, m.soap)
	if err != nil {
		return answer{}, &AuthError{Err: err}
	}
	r, err := l.exchange(ctx, token, body, contentType)
	switch {
	case errors.Is(err, errGone):
		return answer{}, err
	case err != nil:
		return answer{written: true}, err
	case r.status == http.StatusUnauthorized && l.context != nil && l.established && token == nil:
		return answer{written: true}, &AuthError{Schemes: r.schemes(), Err: ErrContextRefused, vouched: !s.seals}
	case r.status == http.StatusUnauthorized:
		return answer{written: true}, &AuthError{Schemes: r.schemes(), Err: secure.ErrRejected, vouched: !s.seals}
	}
	a, err := s.open(l, r)
	a.written = true
	l.established = l.established || err == nil
	return a, err
}

// seal returns the body of a request and its type.
func (s *session) seal(l *link, soap []byte) (body []byte, contentType string, err error) {
	if !s.seals {
		return soap, secure.SOAPType, nil
	}
	signature, sealed, err := l.context.Wrap(soap)
	return secure.EncodeSealed(secure.ProtocolSPNEGO, len(soap), signature, sealed), secure.SealedContentType(secure.ProtocolSPNEGO), err
}

// open takes the seal off an answer. Where we seal, nothing vouches for an
// answer in the clear: a 200 is refused, and of any other answer only the
// status is reported.
func (s *session) open(l *link, r *reply) (answer, error) {
	contentType := r.header.Get("Content-Type")
	switch {
	case secure.IsSealed(contentType) && l.context != nil:
		signature, sealed, err := secure.DecodeSealed(r.body)
		if err != nil {
			return answer{}, err
		}
		plain, err := l.context.Unwrap(signature, sealed)
		if err != nil {
			return answer{}, err
		}
		return answer{status: r.status, body: plain}, nil
	case s.seals && r.status == http.StatusOK:
		return answer{}, fmt.Errorf("%w: an answer in the clear on a sealed connection", secure.ErrTampered)
	case s.seals || !isSOAP(contentType):
		return answer{}, &HTTPError{Status: r.status, vouched: !s.seals}
	}
	return answer{status: r.status, body: r.body}, nil
}

// isSOAP reports whether a body may hold an envelope.
func isSOAP(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/soap+xml" || media == "text/xml")
}

// take returns the idle connection that was used last, nil if there is none.
// One that has been idle for too long was closed by its transport.
func (s *session) take() *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	l := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	return l
}

// put keeps l for the next exchange. After an error its context can no longer
// be relied on, so l is closed.
func (s *session) put(l *link, err error) {
	if err != nil || !s.keep(l) {
		l.close() // which can wait for a host that does not read
	}
}

// keep adds l to the idle connections, unless the session is closed.
func (s *session) keep(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.idle = append(s.idle, l)
	return true
}

func (s *session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, l := range s.idle {
		l.close()
	}
	s.idle = nil
}
