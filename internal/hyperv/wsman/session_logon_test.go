package wsman_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// A 401 to a token that goes along with a message could be forged after the
// message had been passed on, so a message that changes something goes without
// a token.
func TestInvocationOnNewConnectionGoesAfterTheHandshake(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, echo)
	h.start()
	c := h.client()
	if _, err := c.Invoke(t.Context(), compact(`D:\a.vhdx`)); err != nil {
		t.Fatal(err)
	}
	if _, _, posts := h.totals(); posts != 3 {
		t.Errorf("%d posts, want 3: two tokens, then the message", posts)
	}
	h3 := newFakeHost(t, echo)
	h3.blank = http.StatusInternalServerError
	h3.start()
	if _, err := h3.client().Invoke(t.Context(), compact(`D:\a.vhdx`)); err != nil {
		t.Errorf("Invoke = %v: what the host says to a request without a message does not matter", err)
	}
	h2 := newFakeHost(t, echo)
	h2.password = "other"
	h2.start()
	_, err := h2.client().Invoke(t.Context(), compact(`D:\a.vhdx`))
	var outcome *wsman.OutcomeError
	if !errors.Is(err, secure.ErrRejected) || errors.As(err, &outcome) {
		t.Errorf("Invoke = %v, want a plain rejection", err)
	}
}

func TestSessionOneFailedLogon(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, echo)
	h.password = "other"
	h.start()
	c := h.client()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			_, err := c.Get(t.Context(), jobReference("1"))
			var auth *wsman.AuthError
			if !errors.Is(err, secure.ErrRejected) || !errors.As(err, &auth) || strings.Join(auth.Schemes, " ") != "Negotiate Kerberos" {
				t.Errorf("Get = %v, want a rejection that names the schemes", err)
			}
		})
	}
	wg.Wait()
	if n := h.failedLogons(); n != 1 {
		t.Errorf("%d logons with a wrong password, want 1", n)
	}
}

func TestSessionRefusesWeakContext(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, echo)
	h.weak = true
	h.start()
	c := h.client()
	_, err := c.Get(t.Context(), jobReference("1"))
	if !errors.Is(err, secure.ErrWeakContext) || h.seen("") != 0 {
		t.Errorf("Get = %v, %d messages seen; want ErrWeakContext, none", err, h.seen(""))
	}
}

// A device on the way that ends connections makes logging on impossible; that
// must not look like a lost message.
func TestSessionConnectionEndsInHandshake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t, echo)
		h.closes = true
		h.start()
		c := h.client()
		for _, call := range []func() error{
			func() error { _, err := c.Get(t.Context(), jobReference("1")); return err },
			func() error { _, err := c.Invoke(t.Context(), compact("x")); return err },
		} {
			if err := call(); !errors.As(err, new(*wsman.ConnectionError)) || errors.As(err, new(*wsman.OutcomeError)) {
				t.Errorf("error = %v, want a ConnectionError alone", err)
			}
		}
		if h.seen("") != 0 {
			t.Errorf("%d messages seen, want none", h.seen(""))
		}
	})
}

func TestSessionSchemeNotOffered(t *testing.T) {
	t.Parallel()
	p := newKeyPair(t, "hv1.example")
	h := newFakeHost(t, echo)
	h.header = "Basic only"
	h.startTLS(&tls.Config{Certificates: []tls.Certificate{p.certificate}})
	_, err := h.client(https(p)).Get(t.Context(), jobReference("1"))
	var auth *wsman.AuthError
	if !errors.Is(err, wsman.ErrSchemeNotOffered) || errors.Is(err, secure.ErrRejected) || !errors.As(err, &auth) || strings.Join(auth.Schemes, " ") != "Basic" {
		t.Errorf("Get = %v, want ErrSchemeNotOffered beside Basic", err)
	}
}

// A logon without a password is noted as well: a host that refuses a ticket is not asked again for
// each message, and a host that has accepted one before is asked again later.
func TestSessionTickets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t, echo)
		h.tickets, h.refuses = true, true
		h.start()
		tickets := func(cfg *wsman.Config) { cfg.Mechanism = ticket{} }
		c := h.client(tickets)
		for range 10 {
			if _, err := c.Get(t.Context(), jobReference("1")); !errors.Is(err, secure.ErrRejected) {
				t.Errorf("Get = %v, want a rejection", err)
			}
		}
		if _, handshakes, _ := h.totals(); handshakes != 1 {
			t.Errorf("%d tickets shown, want 1", handshakes)
		}

		h.count(func() { h.refuses = false })
		c = h.client(tickets)
		mustGet(t.Context(), t, c, "1")
		h.count(func() { h.refuses = true })
		synctest.Wait()
		h.dropIdle()
		synctest.Wait()
		if _, err := c.Get(t.Context(), jobReference("2")); again(err).IsZero() {
			t.Errorf("Get = %v, want another try later", err)
		}
		h.count(func() { h.refuses = false })
		time.Sleep(30 * time.Second)
		mustGet(t.Context(), t, c, "3")
	})
}

// slow is a mechanism that waits for a key distribution centre.
type slow struct{ toy }

func (slow) NewContext([]byte) (secure.Context, error) { return slowContext{}, nil }

type slowContext struct{ secure.Context }

func (slowContext) Next(ctx context.Context, _ []byte) ([]byte, bool, error) {
	<-ctx.Done()
	return nil, false, ctx.Err()
}

func TestCancelledLogonIsNoRejection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t, echo)
		h.start()
		c := h.client(func(cfg *wsman.Config) { cfg.Mechanism = slow{} })
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := c.Get(ctx, jobReference("1"))
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*wsman.AuthError)) {
				t.Errorf("Get = %v, want DeadlineExceeded alone", err)
			}
		}
	})
}
