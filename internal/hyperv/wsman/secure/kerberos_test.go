package secure_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-krb5/krb5/iana/errorcode"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

var aesTypes = map[string]int32{
	"aes128-cts-hmac-sha1-96":    17,
	"aes256-cts-hmac-sha1-96":    18,
	"aes128-cts-hmac-sha256-128": 19,
	"aes256-cts-hmac-sha384-192": 20,
}

func writeFile(tb testing.TB, name string, b []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func passwordConfig(tb testing.TB, kdc *fakeKDC) secure.KerberosConfig {
	tb.Helper()
	return secure.KerberosConfig{User: testUser, Password: testPassword, ConfPath: confFor(tb, testRealm), Dial: kdc.dial}
}

func newKerberos(tb testing.TB, config secure.KerberosConfig) *secure.Kerberos {
	tb.Helper()
	k, err := secure.NewKerberos(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(k.Close)
	return k
}

// newContext starts a context with the host.
func newContext(tb testing.TB, k *secure.Kerberos, binding []byte) secure.Context {
	tb.Helper()
	m, err := k.ForHost(testHost)
	if err != nil {
		tb.Fatal(err)
	}
	x, err := m.NewContext(binding)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

// establishKerberos runs a whole handshake.
func establishKerberos(tb testing.TB, k *secure.Kerberos, binding []byte, host *kerberosAcceptor) secure.Context {
	tb.Helper()
	x := newContext(tb, k, binding)
	token, established, err := x.Next(tb.Context(), nil)
	if err != nil || established {
		tb.Fatalf("first token: established %v, %v", established, err)
	}
	answer, err := host.accept(token)
	if err != nil {
		tb.Fatal(err)
	}
	if token, established, err = x.Next(tb.Context(), answer); err != nil || !established || token != nil {
		tb.Fatalf("AP-REP: %d bytes, established %v, %v", len(token), established, err)
	}
	return x
}

func TestKerberosSealsBothWays(t *testing.T) {
	t.Parallel()
	hosts := map[string]kerberosAcceptor{
		"as Windows":        {},
		"without a subkey":  {noSubkey: true},
		"not rotated":       {unrotate: true},
		"filler":            {extra: 16},
		"filler rotated":    {extra: 16, together: true},
		"filler, unrotated": {extra: 3, unrotate: true},
		"channel bindings":  {binding: []byte("tls-server-end-point:0123456789abcdef")},
	}
	for typeName, etype := range aesTypes {
		kdc := newFakeKDC(etype)
		k := newKerberos(t, passwordConfig(t, kdc))
		for name, host := range hosts {
			t.Run(typeName+" "+name, func(t *testing.T) {
				t.Parallel()
				host := host
				host.service = kdc.service
				x := establishKerberos(t, k, host.binding, &host)
				exchange(t, x, host.wrap, host.unwrap)
			})
		}
	}
}

func TestKerberosRefusesRC4(t *testing.T) {
	t.Parallel()
	k := newKerberos(t, passwordConfig(t, newFakeKDC(23)))
	_, _, err := newContext(t, k, nil).Next(t.Context(), nil)
	if !errors.Is(err, secure.ErrNoAES) {
		t.Errorf("RC4: %v, want ErrNoAES", err)
	}
}

func TestKerberosWrongBinding(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	x := newContext(t, newKerberos(t, passwordConfig(t, kdc)), []byte("tls-server-end-point:a"))
	token, _, err := x.Next(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&kerberosAcceptor{service: kdc.service, binding: []byte("tls-server-end-point:b")}).accept(token); err == nil {
		t.Error("the host accepted the binding of another connection")
	}
}

// An answer that does not come from the host for which the ticket is, or that
// is not for this request, ends the context.
func TestKerberosMutualAuthentication(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	k := newKerberos(t, passwordConfig(t, kdc))
	accept := func(t *testing.T, token []byte, host kerberosAcceptor) []byte {
		t.Helper()
		host.service = kdc.service
		answer, err := host.accept(token)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	otherContext := func(t *testing.T) []byte {
		t.Helper()
		token, _, err := newContext(t, k, nil).Next(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return accept(t, token, kerberosAcceptor{})
	}
	otherServer := func(t *testing.T) []byte {
		t.Helper()
		other := newFakeKDC(18)
		token, _, err := newContext(t, newKerberos(t, passwordConfig(t, other)), nil).Next(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&kerberosAcceptor{service: other.service}).accept(token)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	tests := map[string]struct {
		answer func(t *testing.T, token []byte) []byte
		want   error
	}{
		"another time": {func(t *testing.T, token []byte) []byte {
			t.Helper()
			return accept(t, token, kerberosAcceptor{shift: time.Second})
		}, secure.ErrTampered},
		"answer to another request": {func(t *testing.T, _ []byte) []byte { t.Helper(); return otherContext(t) }, secure.ErrTampered},
		"answer of another server":  {func(t *testing.T, _ []byte) []byte { t.Helper(); return otherServer(t) }, secure.ErrTampered},
		"our own token":             {func(_ *testing.T, token []byte) []byte { return token }, secure.ErrMalformed},
		"changed": {func(t *testing.T, token []byte) []byte {
			t.Helper()
			answer := accept(t, token, kerberosAcceptor{})
			return flip(answer, len(answer)-1)
		}, secure.ErrTampered},
		"cut off": {func(t *testing.T, token []byte) []byte {
			t.Helper()
			answer := accept(t, token, kerberosAcceptor{})
			return answer[:len(answer)-1]
		}, secure.ErrMalformed},
		"empty":          {func(*testing.T, []byte) []byte { return []byte{} }, secure.ErrMalformed},
		"an NTLM answer": {func(*testing.T, []byte) []byte { return (&ntlmAcceptor{}).challengeFor(nil) }, secure.ErrMalformed},
		"no answer":      {func(*testing.T, []byte) []byte { return nil }, secure.ErrMalformed},
		"clocks differ": {func(*testing.T, []byte) []byte {
			return gssFrame(3, kdc.err(errorcode.KRB_AP_ERR_SKEW, nil))
		}, secure.ErrClockSkew},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newContext(t, k, nil)
			token, _, err := x.Next(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			out, established, err := x.Next(t.Context(), tt.answer(t, token))
			if !errors.Is(err, tt.want) || established || out != nil {
				t.Fatalf("Next = %d bytes, %v, %v, want %v", len(out), established, err, tt.want)
			}
			if _, sealed, err := x.Wrap([]byte("SECRET")); !errors.Is(err, secure.ErrWeakContext) || sealed != nil {
				t.Errorf("Wrap = %q, %v", sealed, err)
			}
			if _, err := x.Unwrap(nil, nil); err == nil {
				t.Error("Unwrap works without a context")
			}
		})
	}
}

func TestKerberosTampered(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	k := newKerberos(t, passwordConfig(t, kdc))
	for name, tamper := range tamperings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "signature longer" {
				t.Skip("the data of a Kerberos token may begin anywhere")
			}
			host := &kerberosAcceptor{service: kdc.service}
			checkTampered(t, establishKerberos(t, k, nil, host), tamper, host.wrap)
		})
	}
	t.Run("replayed", func(t *testing.T) {
		t.Parallel()
		host := &kerberosAcceptor{service: kdc.service}
		checkReplayed(t, establishKerberos(t, k, nil, host), host.wrap)
	})
	t.Run("our own message", func(t *testing.T) {
		t.Parallel()
		host := &kerberosAcceptor{service: kdc.service, noSubkey: true}
		x := establishKerberos(t, k, nil, host)
		signature, sealed, err := x.Wrap([]byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := x.Unwrap(signature, sealed); !errors.Is(err, secure.ErrTampered) {
			t.Errorf("reflected message: %q, %v, want ErrTampered", plain, err)
		}
	})
}

func TestKerberosPrintsItsNameOnly(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	k := newKerberos(t, config)
	m, err := k.ForHost(testHost)
	if err != nil {
		t.Fatal(err)
	}
	x := establishKerberos(t, k, nil, &kerberosAcceptor{service: kdc.service})
	for _, v := range []any{k, m, x} {
		checkPrints(t, v, testPassword)
		if got := fmt.Sprintf("%+v", v); got != "Kerberos" {
			t.Errorf("%T prints %q", v, got)
		}
	}
	if k.String() != "Kerberos" || m.String() != "Kerberos" {
		t.Errorf("%q, %q", k.String(), m.String())
	}
	config.Lookup, config.Dial = nil, nil
	checkPrints(t, config, testPassword)
}

func TestKerberosClosed(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	k := newKerberos(t, passwordConfig(t, kdc))
	host := &kerberosAcceptor{service: kdc.service}
	x := establishKerberos(t, k, nil, host)
	k.Close()
	exchange(t, x, host.wrap, host.unwrap)
	if _, _, err := newContext(t, k, nil).Next(t.Context(), nil); err == nil {
		t.Error("a closed Kerberos gave out a ticket")
	}
}
