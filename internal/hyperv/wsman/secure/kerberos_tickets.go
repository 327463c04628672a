package secure

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// ticketMargin is how long a ticket must still hold to be used for a new context.
	ticketMargin = 2 * time.Minute
	// loginTimeout bounds a login, which asks one KDC after the other.
	loginTimeout = time.Minute
	// noKDCFor is how long a realm whose KDCs did not answer is left alone, so that their time-outs
	// are waited for once, not once for each host.
	noKDCFor = 30 * time.Second
)

// ticketFor returns a valid ticket for the service, from memory if there is one.
func (k *Kerberos) ticketFor(ctx context.Context, spn servicePrincipal) (kerberosTicket, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return kerberosTicket{}, context.Cause(ctx)
	}
	if k.closed {
		return kerberosTicket{}, errClosed
	}
	if t := k.tickets[spn.String()]; t.fresh() {
		return t.kerberosTicket, nil
	}
	if err := k.ensureTGT(ctx, spn); err != nil {
		return kerberosTicket{}, err
	}
	// The cache just read may have held the service's ticket as well.
	t := k.tickets[spn.String()]
	if !t.fresh() {
		var err error
		if t, err = k.serviceTicket(ctx, k.tgt, spn); err != nil {
			return kerberosTicket{}, err
		}
		k.tickets[spn.String()] = t
	}
	return t.kerberosTicket, nil
}

// ensureTGT gets a ticket-granting ticket unless there is a valid one. Bad
// credentials are tried once, because a second try could only help to lock the
// account.
func (k *Kerberos) ensureTGT(ctx context.Context, spn servicePrincipal) error {
	if k.secret == nil && !k.tgt.fresh() {
		return k.readCache(spn)
	}
	for !k.tgt.fresh() {
		if err := k.loggedOn(ctx); err != nil {
			return err
		}
	}
	return nil
}

// login is one login that is under way or has ended. It goes on when its caller gives up: the KDC
// counts every request, and the next caller would ask again.
type login struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed once the fields below are set
	at     time.Time
	tgt    grantedTicket
	err    error
}

// loggedOn waits for the result of the login that is under way, or of a new one.
func (k *Kerberos) loggedOn(ctx context.Context) error {
	if k.login == nil || k.login.isOver() {
		k.login = k.beginLogin(ctx)
	}
	l := k.login
	select {
	case <-l.ended:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if l.err == nil {
		k.tgt, k.login = l.tgt, nil
	}
	return l.err
}

// isOver reports whether a login has failed and may be tried again. One with bad
// credentials may not, see ensureTGT.
func (l *login) isOver() bool {
	select {
	case <-l.ended:
	default:
		return false
	}
	waits := errors.Is(l.err, ErrNoKDC) && time.Since(l.at) < noKDCFor
	return l.err != nil && !waits && !errors.Is(l.err, ErrRejected)
}

func (k *Kerberos) beginLogin(ctx context.Context) *login {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loginTimeout)
	l := &login{cancel: cancel, ended: make(chan struct{})}
	secret := k.secret
	go func() {
		defer close(l.ended)
		defer cancel()
		l.tgt, l.err = k.logIn(ctx, secret)
		if errors.Is(l.err, context.DeadlineExceeded) {
			l.err = fmt.Errorf("realm %s: %w within %s", secret.realm, ErrNoKDC, loginTimeout)
		}
		l.at = time.Now()
	}()
	return l
}
