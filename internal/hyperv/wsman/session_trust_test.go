package wsman_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

func TestSessionForgottenContext(t *testing.T) {
	t.Parallel()
	t.Run("a read is sent once more", func(t *testing.T) {
		t.Parallel()
		h := newFakeHost(t, echo)
		h.start()
		c := h.client()
		mustGet(t.Context(), t, c, "first")
		h.forgetContexts(1)
		mustGet(t.Context(), t, c, "second")
		if conns, handshakes, _ := h.totals(); conns != 2 || handshakes != 2 || h.seen("second") != 1 {
			t.Errorf("%d connections, %d handshakes, message seen %d times; want 2, 2, 1", conns, handshakes, h.seen("second"))
		}
	})
	t.Run("an invocation is not", func(t *testing.T) {
		t.Parallel()
		h := newFakeHost(t, echo)
		h.start()
		c := h.client()
		mustGet(t.Context(), t, c, "first")
		h.forgetContexts(1)
		_, err := c.Invoke(t.Context(), compact(`D:\a.vhdx`))
		var outcome *wsman.OutcomeError
		if !errors.As(err, &outcome) || !errors.Is(err, wsman.ErrContextRefused) {
			t.Errorf("Invoke = %v, want an OutcomeError for the refused context", err)
		}
		_, handshakes, posts := h.totals()
		if handshakes != 1 || posts != 3 {
			t.Errorf("%d handshakes, %d posts; want 1, 3", handshakes, posts)
		}
		// The credentials are not doubted.
		mustGet(t.Context(), t, c, "after")
	})
	t.Run("but on verified TLS nobody else can have said so", func(t *testing.T) {
		t.Parallel()
		p := newKeyPair(t, "hv1.example")
		h := newFakeHost(t, echo)
		h.open = true
		h.startTLS(&tls.Config{Certificates: []tls.Certificate{p.certificate}})
		c := h.client(https(p))
		mustGet(t.Context(), t, c, "first")
		h.forgetContexts(1)
		if _, err := c.Invoke(t.Context(), compact(`D:\a.vhdx`)); err != nil || h.seen("a.vhdx") != 1 {
			t.Errorf("Invoke = %v, seen %d times; want success, once", err, h.seen("a.vhdx"))
		}
		if _, handshakes, _ := h.totals(); handshakes != 2 {
			t.Errorf("%d handshakes, want 2", handshakes)
		}
	})
	t.Run("nor is one with Basic", func(t *testing.T) {
		t.Parallel()
		h, c := basicHost(t, echo)
		if _, err := c.Invoke(t.Context(), compact(`D:\a.vhdx`)); err != nil {
			t.Fatal(err)
		}
		h.forgetContexts(1)
		_, err := c.Invoke(t.Context(), compact(`D:\b.vhdx`))
		if !wsman.Refused(err) || !errors.Is(err, secure.ErrRejected) {
			t.Errorf("Invoke = %v, want a rejection", err)
		}
		if _, _, posts := h.totals(); posts != 2 {
			t.Errorf("%d posts, want 2", posts)
		}
	})
}

func TestSessionLostAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var drops atomic.Int64
		h := newFakeHost(t, func(r fakeRequest) fakeAnswer {
			if drops.Add(-1) >= 0 {
				return fakeAnswer{drop: true}
			}
			return echo(r)
		})
		h.start()
		c := h.client()

		drops.Store(1)
		_, err := c.Invoke(t.Context(), compact(`D:\a.vhdx`))
		var outcome *wsman.OutcomeError
		var lost *wsman.ConnectionError
		if !errors.As(err, &outcome) || !errors.As(err, &lost) || h.seen("a.vhdx") != 1 {
			t.Errorf("Invoke = %v, seen %d times; want an OutcomeError, once", err, h.seen("a.vhdx"))
		}

		drops.Store(1)
		mustGet(t.Context(), t, c, "read")
		if n := h.seen("read"); n != 2 {
			t.Errorf("read seen %d times, want 2", n)
		}

		drops.Store(1)
		inv := compact(`D:\readonly.vhdx`)
		inv.ReadOnly = true
		if _, err := c.Invoke(t.Context(), inv); err != nil || h.seen("readonly.vhdx") != 2 {
			t.Errorf("Invoke = %v, seen %d times; want success, twice", err, h.seen("readonly.vhdx"))
		}

		drops.Store(100)
		_, err = c.Get(t.Context(), jobReference("gone"))
		if errors.As(err, &outcome) || !errors.As(err, &lost) || h.seen("gone") != 3 {
			t.Errorf("Get = %v, seen %d times; want a ConnectionError and no OutcomeError, 3 times", err, h.seen("gone"))
		}
		drops.Store(0)
	})
}

func TestSessionTrustsNothingInTheClear(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer fakeAnswer
		check  func(error) bool
	}{
		"a success":      {fakeAnswer{clear: true}, func(err error) bool { return errors.Is(err, secure.ErrTampered) }},
		"a fault":        {fakeAnswer{clear: true, status: 500}, func(err error) bool { return isHTTPError(err, 500) }},
		"a web page":     {fakeAnswer{clear: true, status: 404, content: "text/html"}, func(err error) bool { return isHTTPError(err, 404) }},
		"a broken seal":  {fakeAnswer{tamper: true}, func(err error) bool { return errors.Is(err, secure.ErrTampered) }},
		"a broken form":  {fakeAnswer{clear: true, content: sealedType}, func(err error) bool { return errors.Is(err, secure.ErrMalformed) }},
		"a moved target": {fakeAnswer{clear: true, status: 307}, func(err error) bool { return isHTTPError(err, 307) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFakeHost(t, func(r fakeRequest) fakeAnswer {
				a := tt.answer
				a.soap = job(r, "7").soap
				if a.status == 500 {
					a.soap = fault(r.id, "w:AccessDenied", 5).soap
				}
				return a
			})
			h.start()
			c := h.client()
			if i, err := c.Get(t.Context(), jobReference("1")); !tt.check(err) {
				t.Errorf("Get = %v, %v", i, err)
			}
			_, err := c.Invoke(t.Context(), compact(`D:\a.vhdx`))
			var outcome *wsman.OutcomeError
			if !errors.As(err, &outcome) || !tt.check(err) {
				t.Errorf("Invoke = %v, want an OutcomeError", err)
			}
		})
	}
}

func isHTTPError(err error, status int) bool {
	var e *wsman.HTTPError
	return errors.As(err, &e) && e.Status == status
}

func TestAnswerLimit(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, func(r fakeRequest) fakeAnswer { return job(r, strings.Repeat("4", 5000)) })
	h.start()
	c := h.client(func(cfg *wsman.Config) { cfg.MaxAnswer = 4000 })
	_, err := c.Get(t.Context(), jobReference("1"))
	if !errors.As(err, new(*wsman.DecodeError)) {
		t.Errorf("Get = %v, want a DecodeError", err)
	}
}
