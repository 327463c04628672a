//go:build wine

package secure_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// newWindows starts a context that is closed with the test.
func newWindows(t *testing.T, binding []byte) secure.Context {
	t.Helper()
	m, err := secure.NewCurrentUser("HTTP/host.corp.test")
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.NewContext(binding)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeTwice(t, x) })
	return x
}

// closeTwice closes a context as a connection may: more than once.
func closeTwice(t *testing.T, x secure.Context) {
	t.Helper()
	for range 2 {
		if c, ok := x.(io.Closer); !ok || c.Close() != nil {
			t.Error("the context cannot be closed")
		}
	}
}

// establishWindows runs a handshake with an acceptor of NTLM.
func establishWindows(t *testing.T, host *ntlmAcceptor) secure.Context {
	t.Helper()
	x := newWindows(t, nil)
	negotiate, established, err := x.Next(t.Context(), nil)
	if err != nil || established {
		t.Fatalf("first token: established %v, %v", established, err)
	}
	out, established, err := x.Next(t.Context(), host.challengeFor(negotiate))
	if err != nil || !established {
		t.Fatalf("second token: established %v, %v", established, err)
	}
	if err := host.accept(out); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestWindowsSealsBothWays(t *testing.T) {
	t.Parallel()
	host := &ntlmAcceptor{password: testPassword, honest: true}
	x := establishWindows(t, host)
	exchange(t, x, host.wrap, host.unwrap)
	checkPrints(t, x, testPassword)
}

func TestWindowsTampered(t *testing.T) {
	t.Parallel()
	for name, tamper := range tamperings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			switch name {
			case "checksum changed", "version changed", "signature longer":
				t.Skip("Wine compares the second half of a signature only")
			}
			host := &ntlmAcceptor{password: testPassword, honest: true}
			checkTampered(t, establishWindows(t, host), tamper, host.wrap)
		})
	}
	t.Run("replayed", func(t *testing.T) {
		t.Parallel()
		host := &ntlmAcceptor{password: testPassword, honest: true}
		checkReplayed(t, establishWindows(t, host), host.wrap)
	})
}

func TestWindowsOrder(t *testing.T) {
	t.Parallel()
	host := &ntlmAcceptor{password: testPassword, honest: true}
	x := establishWindows(t, host)
	if _, _, err := x.Next(t.Context(), host.challenge); !errors.Is(err, secure.ErrRejected) {
		t.Errorf("a second challenge: %v, want ErrRejected", err)
	}
	y := newWindows(t, nil)
	if _, _, err := y.Next(t.Context(), host.challenge); !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("a challenge nobody asked for: %v, want ErrMalformed", err)
	}
	if _, sealed, err := y.Wrap([]byte("SECRET")); !errors.Is(err, secure.ErrWeakContext) || sealed != nil {
		t.Errorf("Wrap = %q, %v", sealed, err)
	}
	z := newWindows(t, nil)
	if _, _, err := z.Next(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, _, err := z.Next(t.Context(), []byte("no token at all"))
	var status *secure.SSPIError
	if !errors.As(err, &status) || !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("nonsense: %v, want ErrMalformed with a status", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	w := newWindows(t, nil)
	if _, _, err := w.Next(ended, nil); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("after cancellation: %v", err)
	}
}

func TestWindowsClosed(t *testing.T) {
	t.Parallel()
	host := &ntlmAcceptor{password: testPassword, honest: true}
	x := establishWindows(t, host)
	closeTwice(t, x)
	if _, sealed, err := x.Wrap([]byte("SECRET")); err == nil {
		t.Errorf("a closed context seals %q", sealed)
	}
	if plain, err := x.Unwrap(host.wrap([]byte("x"))); err == nil {
		t.Errorf("a closed context opens %q", plain)
	}
	if _, _, err := x.Next(t.Context(), nil); err == nil {
		t.Error("a closed context goes on")
	}
}

func TestWindowsSPN(t *testing.T) {
	t.Parallel()
	for _, spn := range []string{"", "nonsense", "HTTP/", "/host", "HTTP/h\x00"} {
		if _, err := secure.NewCurrentUser(spn); err == nil {
			t.Errorf("SPN %q was taken", spn)
		}
	}
}
