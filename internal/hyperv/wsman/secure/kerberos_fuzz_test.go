package secure_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

func FuzzKerberosAnswer(f *testing.F) {
	kdc := newFakeKDC(18)
	k := newKerberos(f, passwordConfig(f, kdc))
	token, _, err := newContext(f, k, nil).Next(f.Context(), nil)
	if err != nil {
		f.Fatal(err)
	}
	answer := must((&kerberosAcceptor{service: kdc.service}).accept(token))
	f.Add(answer)
	f.Add(token)
	f.Add(gssFrame(3, kdc.err(37, []byte("data"))))
	f.Add(gssFrame(2, nil))
	f.Add([]byte{0x60, 0x00})
	f.Fuzz(func(t *testing.T, answer []byte) {
		x := newContext(t, k, nil)
		if _, _, err := x.Next(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if _, established, err := x.Next(t.Context(), answer); err == nil || established {
			t.Fatal("an answer to another request was accepted")
		}
		if _, sealed, err := x.Wrap([]byte("SECRET")); err == nil {
			t.Fatalf("sealed %q", sealed)
		}
	})
}

func FuzzKerberosUnwrap(f *testing.F) {
	kdc := newFakeKDC(18)
	k := newKerberos(f, passwordConfig(f, kdc))
	host := &kerberosAcceptor{service: kdc.service}
	establishKerberos(f, k, nil, host)
	signature, sealed := host.wrap([]byte("x"))
	f.Add(signature, sealed)
	f.Add([]byte{}, []byte{})
	f.Add([]byte{5, 4, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78}, bytes.Repeat([]byte("x"), 80))
	f.Fuzz(func(t *testing.T, signature, sealed []byte) {
		x := establishKerberos(t, k, nil, &kerberosAcceptor{service: kdc.service})
		if plain, err := x.Unwrap(signature, sealed); err == nil {
			t.Fatalf("opened %q", plain)
		}
	})
}

func FuzzKerberosTicketCache(f *testing.F) {
	kdc := newFakeKDC(18)
	config := passwordConfig(f, kdc)
	config.User, config.Password = "", ""
	config.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no KDC") }
	for _, entries := range [][]cached{nil, {{"krbtgt/" + testRealm, time.Hour}}, {{testSPN, time.Hour}, {"HTTP/else", -time.Hour}}} {
		b, err := os.ReadFile(kdc.cache(f, entries...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		config := config
		config.CachePath = writeFile(t, "ccache", b)
		k, err := secure.NewKerberos(config)
		if err != nil {
			if !errors.Is(err, secure.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		_, _, _ = newContext(t, k, nil).Next(t.Context(), nil)
	})
}

// FuzzKDC answers logins with anything.
func FuzzKDC(f *testing.F) {
	kdc := newFakeKDC(18)
	f.Add(kdc.err(25, kdc.padata()))
	f.Add(kdc.err(25, nil))
	f.Add(kdc.err(24, nil))
	f.Add([]byte{0x6b, 0})
	config := passwordConfig(f, kdc)
	f.Fuzz(func(t *testing.T, answer []byte) {
		config := config
		config.Dial = func(context.Context, string, string) (net.Conn, error) { return answering(answer), nil }
		k, err := secure.NewKerberos(config)
		if err != nil {
			t.Fatal(err)
		}
		if token, _, err := newContext(t, k, nil).Next(t.Context(), nil); err == nil {
			t.Fatalf("token of %d bytes", len(token))
		}
	})
}

// answering is a connection that answers one request with b.
func answering(b []byte) net.Conn {
	client, server := net.Pipe()
	go func() {
		defer func() { _ = server.Close() }()
		buffer := make([]byte, 4096)
		if _, err := server.Read(buffer); err != nil {
			return
		}
		n := len(b)
		_, _ = server.Write(append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, b...))
	}()
	return client
}
