package wsman

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// maxHandshake is the largest number of tokens that a mechanism exchanges.
const maxHandshake = 4

// logon lets handshakes in. Until one has succeeded they go one at a time, and
// the first rejection is final: a wrong password costs one failed logon, not one
// for each disk, which would lock the account out. Credentials that were good
// before get one more try, alone: a host that lost its domain controller for a
// moment, or a 401 that somebody forged on plain http, must not keep a process
// from detaching its disks.
type logon struct {
	turn chan struct{} // held by the handshake that goes alone

	mu      sync.Mutex
	proven  bool
	refused error
}

// enter waits until a handshake may begin. The function it returns records how
// the handshake and its first message ended.
func (g *logon) enter(ctx context.Context) (settle func(error), err error) {
	proven, refused := g.state()
	alone := !proven && refused == nil
	if alone {
		select {
		case g.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if proven, refused = g.state(); proven || refused != nil {
			<-g.turn
			alone = false
		}
	}
	if refused != nil {
		return nil, refused
	}
	return func(err error) {
		g.record(err)
		if alone {
			<-g.turn
		}
	}, nil
}

func (g *logon) state() (proven bool, refused error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.proven, g.refused
}

func (g *logon) record(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.proven = true
	case !errors.Is(err, secure.ErrRejected):
	case g.proven:
		g.proven = false
	default:
		g.refused = err
	}
}

// handshake exchanges tokens until messages can be wrapped. The last token, if
// there is one, is left to ride on the first message.
func (s *session) handshake(ctx context.Context, l *link) ([]byte, error) {
	if l.context == nil {
		return nil, nil
	}
	s.counters.handshakes.Add(1)
	token, established, err := l.context.Next(ctx, nil)
	for turn := 0; err == nil && !established; turn++ {
		var in []byte
		if in, err = s.sendToken(ctx, l, token); err != nil {
			return nil, err
		}
		if in == nil || turn == maxHandshake {
			return nil, &AuthError{Err: fmt.Errorf("%w: handshake without end", secure.ErrMalformed)}
		}
		token, established, err = l.context.Next(ctx, in)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, &AuthError{Err: err}
	}
	l.established = true
	return token, nil
}

// sendToken sends a token without a message and returns the one that answers
// it, nil when the host is content without.
func (s *session) sendToken(ctx context.Context, l *link, token []byte) ([]byte, error) {
	r, err := s.send(ctx, l, token, nil, secure.SOAPType)
	if err != nil {
		return nil, err
	}
	in, offered, err := r.negotiate()
	switch {
	case r.status != http.StatusOK && r.status != http.StatusUnauthorized:
		return nil, &HTTPError{Status: r.status}
	case err != nil:
		return nil, &AuthError{Schemes: r.schemes(), Err: fmt.Errorf("%w: %w", secure.ErrMalformed, err)}
	case r.status == http.StatusOK, in != nil:
		return in, nil
	case !offered:
		return nil, &AuthError{Schemes: r.schemes(), Err: ErrSchemeNotOffered}
	}
	return nil, &AuthError{Schemes: r.schemes(), Err: secure.ErrRejected}
}
