package wsman_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// lease is a mechanism whose contexts are kept outside of it: they have to be
// closed, and they end after a number of messages.
type lease struct {
	toy

	sealed, opened int // messages of a context; 0: no end
	live, made     *atomic.Int64
}

func (m lease) NewContext(binding []byte) (secure.Context, error) {
	x, err := m.toy.NewContext(binding)
	m.live.Add(1)
	m.made.Add(1)
	return &leasedContext{Context: x, lease: m}, err
}

type leasedContext struct {
	secure.Context

	lease          lease
	sealed, opened int
	closed         bool
}

func (x *leasedContext) Close() error {
	if !x.closed { // a connection may be closed twice
		x.lease.live.Add(-1)
	}
	x.closed = true
	return nil
}

func (x *leasedContext) Wrap(plain []byte) (signature, sealed []byte, err error) {
	if x.sealed++; x.lease.sealed > 0 && x.sealed > x.lease.sealed {
		return nil, nil, secure.ErrContextEnded
	}
	return x.Context.Wrap(plain)
}

func (x *leasedContext) Unwrap(signature, sealed []byte) ([]byte, error) {
	if x.opened++; x.lease.opened > 0 && x.opened > x.lease.opened {
		return nil, secure.ErrContextEnded
	}
	return x.Context.Unwrap(signature, sealed)
}

// A context is closed with its connection, however the connection ended.
func TestContextsAreClosed(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(fakeRequest) fakeAnswer{
		"good":     echo,
		"dropped":  func(fakeRequest) fakeAnswer { return fakeAnswer{drop: true} },
		"tampered": func(r fakeRequest) fakeAnswer { a := echo(r); a.tamper = true; return a },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFakeHost(t, answer)
			h.start()
			m := lease{toy: toy{password: "right"}, live: new(atomic.Int64), made: new(atomic.Int64)}
			c := h.client(func(cfg *wsman.Config) { cfg.Mechanism = m })
			_, err := c.Get(t.Context(), jobReference("1"))
			if (err == nil) != (name == "good") {
				t.Fatal(err)
			}
			if name == "good" && m.live.Load() != 1 {
				t.Errorf("%d contexts while the connection is kept, want 1", m.live.Load())
			}
			c.Close()
			if m.made.Load() == 0 || m.live.Load() != 0 {
				t.Errorf("%d of %d contexts are left", m.live.Load(), m.made.Load())
			}
		})
	}
}

// A context that has run out is replaced. A message that changes something is sent once: it may be
// repeated if the context ended before the message went out, but not if its answer could not be
// opened.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lease     lease
		effectful bool
		want      int // messages that the host took
		contexts  int64
		open      bool
	}{
		"read, before it went out":   {lease: lease{sealed: 1}, want: 2, contexts: 2},
		"read, when it came back":    {lease: lease{opened: 1}, want: 3, contexts: 2},
		"change, before it went out": {lease: lease{sealed: 1}, effectful: true, want: 2, contexts: 2},
		"change, when it came back":  {lease: lease{opened: 1}, effectful: true, want: 2, contexts: 1, open: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFakeHost(t, echo)
			h.start()
			m := tt.lease
			m.toy, m.live, m.made = toy{password: "right"}, new(atomic.Int64), new(atomic.Int64)
			c := h.client(func(cfg *wsman.Config) { cfg.Mechanism = m })
			if _, err := c.Get(t.Context(), jobReference("1")); err != nil {
				t.Fatal(err)
			}
			var err error
			if tt.effectful {
				_, err = c.Invoke(t.Context(), compact(`D:\x.vhdx`))
			} else {
				_, err = c.Get(t.Context(), jobReference("1"))
			}
			if open := errors.As(err, new(*wsman.OutcomeError)); open != tt.open || !tt.open && err != nil {
				t.Errorf("%v, open %v, want %v", err, open, tt.open)
			}
			if n := h.seen("Envelope"); n != tt.want || m.made.Load() != tt.contexts {
				t.Errorf("%d messages over %d contexts, want %d over %d", n, m.made.Load(), tt.want, tt.contexts)
			}
		})
	}
}
