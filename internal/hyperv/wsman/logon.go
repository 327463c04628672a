package wsman

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// maxHandshake is the largest number of tokens that a mechanism exchanges.
const maxHandshake = 4

// loggedOn logs on over l before m goes on. Messages with a proof of the
// password pass the gate of the account and hold it until the first answer. The
// steps before them do not, so that a host that hangs there delays no other
// host.
func (s *session) loggedOn(ctx context.Context, l *link, m message) (answer, error) {
	token, done, err := s.introduce(ctx, l)
	switch {
	case err != nil:
		return answer{}, s.account.outside(s.wire.address, undecided, err)
	case done:
		_ = s.account.outside(s.wire.address, accepted, nil)
		l.established = true
		return s.confirmed(ctx, l, m, nil)
	}
	settle, err := s.account.enter(ctx, s.wire.address, s.width())
	if err != nil {
		return answer{}, err
	}
	before := l.established
	a, err := s.proved(ctx, l, m, token)
	switch {
	case err == nil, l.established != before:
		return a, settle(accepted, err)
	case !before && gaveUp(ctx, err):
		return a, settle(unanswered, err)
	}
	return a, settle(undecided, err)
}

// gaveUp reports whether err is the end of a wait for an answer. A host that ends the connection
// has not judged the password, because hosts answer a wrong one.
func gaveUp(ctx context.Context, err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil && errors.Is(err, context.Cause(ctx))
}

// width is how many proofs may be under way to the host at once. With Basic
// authentication every message is one.
func (s *session) width() int {
	if s.everyMessageProves {
		return 2
	}
	return 1
}

// introduce begins the handshake of a mechanism: its first token, and its answer to the token of
// the host. A mechanism that then has no token left has been accepted by a host that proved that it
// could read the ticket.
func (s *session) introduce(ctx context.Context, l *link) (token []byte, accepted bool, err error) {
	if l.context == nil {
		return nil, false, nil
	}
	s.wire.counters.handshakes.Add(1)
	token, err = next(ctx, l, nil)
	if err == nil {
		token, err = s.reply(ctx, l, token)
	}
	return token, err == nil && l.wraps && token == nil, err
}

// proved sends the remaining tokens, and m along with the last one if m allows that.
func (s *session) proved(ctx context.Context, l *link, m message, token []byte) (a answer, err error) {
	for turn := 2; l.context != nil && !l.wraps; turn++ {
		if turn == maxHandshake {
			return answer{}, &AuthError{Err: fmt.Errorf("%w: handshake without end", secure.ErrMalformed)}
		}
		if token, err = s.reply(ctx, l, token); err != nil {
			return answer{}, err
		}
	}
	return s.confirmed(ctx, l, m, token)
}

// reply sends a token and returns the next one, which answers the host's token.
func (s *session) reply(ctx context.Context, l *link, token []byte) ([]byte, error) {
	in, err := l.exchangeToken(ctx, token)
	if err != nil {
		return nil, err
	}
	if in == nil {
		return nil, &AuthError{Err: fmt.Errorf("%w: handshake without end", secure.ErrMalformed)}
	}
	return next(ctx, l, in)
}

// next takes the host's token and returns the next one.
func next(ctx context.Context, l *link, in []byte) (token []byte, err error) {
	token, l.wraps, err = l.context.Next(ctx, in)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, &AuthError{Err: err}
	}
	return token, nil
}

// exchangeToken sends a token without a message and returns the one that
// answers it, nil if the host sends none.
func (l *link) exchangeToken(ctx context.Context, token []byte) ([]byte, error) {
	r, err := l.exchange(ctx, token, nil, secure.SOAPType)
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
