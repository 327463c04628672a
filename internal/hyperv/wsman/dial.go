package wsman

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const (
	dialTimeout = 30 * time.Second
	keepAlive   = 30 * time.Second
)

// dial makes a connection, with TLS, and the security context for it.
func (s *session) dial(ctx context.Context) (*link, error) {
	settle, err := s.reach.enter(ctx)
	if err != nil {
		return nil, err
	}
	conn, raw, err := s.connect(ctx)
	settle(err)
	if err != nil {
		return nil, err
	}
	s.wire.counters.connections.Add(1)
	if s.mechanism == nil {
		return newLink(s.wire, conn, raw, nil), nil
	}
	sec, err := s.newContext(conn)
	if err != nil {
		_ = conn.Close()
		return nil, &AuthError{Err: err}
	}
	return newLink(s.wire, conn, raw, sec), nil
}

// newContext starts a security context that is bound to the TLS connection, if conn
// is one.
func (s *session) newContext(conn net.Conn) (secure.Context, error) {
	t, ok := conn.(*tls.Conn)
	if !ok {
		return s.mechanism.NewContext(nil)
	}
	binding, err := secure.ChannelBinding(t.ConnectionState())
	if err != nil {
		return nil, err
	}
	return s.mechanism.NewContext(binding)
}

// connect dials and makes TLS before the first byte of HTTP: the security
// context needs the certificate.
func (s *session) connect(ctx context.Context) (net.Conn, *countedConn, error) {
	dialCtx, cancel := context.WithTimeout(ctx, s.dialTimeout)
	defer cancel()
	conn, err := s.dialRaw(dialCtx, "tcp", s.wire.address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		return nil, nil, &UnreachableError{Address: s.wire.address, Err: err}
	}
	raw := newCountedConn(conn, &s.wire.counters)
	if s.tls == nil {
		return raw, raw, nil
	}
	t := tls.Client(raw, s.tls)
	if err := t.HandshakeContext(dialCtx); err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		return nil, nil, raw.tlsFailure(s.wire.address, s.tls.ServerName, err)
	}
	return t, raw, nil
}
