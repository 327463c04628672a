package secure_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const testPassword = "S3cr3t-Pässwörd"

// establishNTLM runs a handshake and returns the context.
func establishNTLM(t testing.TB, config secure.NTLMConfig, binding []byte, host *ntlmAcceptor) secure.Context {
	t.Helper()
	x, out, err := answerNTLM(t, config, binding, host)
	if err != nil {
		t.Fatal(err)
	}
	if err := host.accept(out); err != nil {
		t.Fatal(err)
	}
	return x
}

// answerNTLM runs a handshake up to the answer to the challenge.
func answerNTLM(t testing.TB, config secure.NTLMConfig, binding []byte, host *ntlmAcceptor) (secure.Context, []byte, error) {
	t.Helper()
	x, err := secure.NewNTLM(config).NewContext(binding)
	if err != nil {
		t.Fatal(err)
	}
	negotiate, established, err := x.Next(t.Context(), nil)
	if err != nil || established {
		t.Fatalf("first token: established %v, %v", established, err)
	}
	out, established, err := x.Next(t.Context(), host.challengeFor(negotiate))
	if established != (err == nil) {
		t.Fatalf("second token: established %v, %v", established, err)
	}
	return x, out, err
}

func TestNTLMSealsBothWays(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		user, wantUser, wantDomain string
	}{
		"domain user":         {`CORP\admin`, "admin", "CORP"},
		"user principal name": {"admin@corp.example.com", "admin@corp.example.com", ""},
		"local user":          {"Administrator", "Administrator", ""},
		"account of the host": {`.\admin`, "admin", "HOST"},
		"not of any domain":   {`\admin`, "admin", ""},
		"japanese":            {"山田太郎", "山田太郎", ""},
		"umlaut":              {"jürgen", "jürgen", ""},
		"dotless":             {`CORP\yılmaz`, "yılmaz", "CORP"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := &ntlmAcceptor{password: testPassword}
			x := establishNTLM(t, secure.NTLMConfig{User: tt.user, Password: testPassword}, nil, host)
			if host.user != tt.wantUser || host.domain != tt.wantDomain {
				t.Errorf("logged on as %q of %q, want %q of %q", host.user, host.domain, tt.wantUser, tt.wantDomain)
			}
			exchange(t, x, host.wrap, host.unwrap)
		})
	}
}

// exchange sends messages of several lengths both ways.
func exchange(t *testing.T, x secure.Context, wrap func([]byte) ([]byte, []byte), unwrap func(signature, sealed []byte) ([]byte, error)) {
	t.Helper()
	for _, n := range []int{0, 1, 15, 16, 17, 4000, 120_000} {
		message := bytes.Repeat([]byte("x"), n)
		signature, sealed, err := x.Wrap(message)
		if err != nil {
			t.Fatal(err)
		}
		if n > 8 && bytes.Contains(sealed, message[:8]) {
			t.Fatalf("%d bytes went out in the clear", n)
		}
		if len(sealed) != n {
			t.Fatalf("%d bytes were sealed as %d", n, len(sealed))
		}
		got, err := unwrap(signature, sealed)
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("host opened %d of %d bytes: %v", len(got), n, err)
		}
		if got, err = x.Unwrap(wrap(message)); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("client opened %d of %d bytes: %v", len(got), n, err)
		}
	}
}

func TestNTLMTargetInformation(t *testing.T) {
	t.Parallel()
	binding := []byte("tls-server-end-point:0123456789abcdef0123456789abcdef")
	tests := map[string]struct {
		binding []byte
		spn     string
	}{
		"http":              {nil, ""},
		"https":             {binding, ""},
		"https and service": {binding, "HTTP/host.corp.example.com"},
		"http and service":  {nil, "HTTP/host.corp.example.com"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := &ntlmAcceptor{password: testPassword, binding: tt.binding}
			establishNTLM(t, secure.NTLMConfig{User: "u", Password: testPassword, SPN: tt.spn}, tt.binding, host)
			if got := from16(host.pairs[9]); got != tt.spn {
				t.Errorf("target name %q, want %q", got, tt.spn)
			}
			if _, sent := host.pairs[10]; sent != (tt.binding != nil) {
				t.Errorf("binding sent: %v", sent)
			}
			// The flag that announces the MIC, and none of those that the host sets.
			if got := host.pairs[6]; !bytes.Equal(got, []byte{2, 0, 0, 0}) {
				t.Errorf("flags % x", got)
			}
		})
	}
}

// A local account of the host is never sent in a form for which the host would search a domain.
func TestNTLMHostWithoutName(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]error{`.\admin`: secure.ErrMalformed, "admin": nil, `LAB\admin`: nil} {
		_, _, err := answerNTLM(t, secure.NTLMConfig{User: user, Password: testPassword}, nil, &ntlmAcceptor{password: testPassword, nameless: true})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", user, err, want)
		}
	}
}

func TestNTLMWrongBinding(t *testing.T) {
	t.Parallel()
	host := &ntlmAcceptor{password: testPassword, binding: []byte("tls-server-end-point:host")}
	_, out, err := answerNTLM(t, secure.NTLMConfig{User: "u", Password: testPassword}, []byte("tls-server-end-point:other"), host)
	if err != nil {
		t.Fatal(err)
	}
	if err := host.accept(out); err == nil {
		t.Error("the host accepted the binding of another connection")
	}
}

// Without sealing, or without the timestamp on which the MIC depends, no message may go out.
func TestNTLMRefusesWeakChallenge(t *testing.T) {
	t.Parallel()
	tests := map[string]*ntlmAcceptor{
		"no timestamp":          {noTime: true},
		"no target information": {noInfo: true},
	}
	for _, bit := range []uint32{flagUnicode, flagSign, flagSeal, flagESS, flag128, flagKeyExch} {
		tests[fmt.Sprintf("flag %#x cleared", bit)] = &ntlmAcceptor{flags: (sealFlags | 0x00828204) &^ bit}
	}
	for name, host := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, out, err := answerNTLM(t, secure.NTLMConfig{User: "u", Password: testPassword}, nil, host)
			if !errors.Is(err, secure.ErrWeakContext) || out != nil {
				t.Fatalf("answered with %d bytes, %v", len(out), err)
			}
			if _, sealed, err := x.Wrap([]byte("SECRET")); !errors.Is(err, secure.ErrWeakContext) || sealed != nil {
				t.Errorf("Wrap = %q, %v", sealed, err)
			}
		})
	}
}

func TestNTLMChallengeWithoutVersion(t *testing.T) {
	t.Parallel()
	host := &ntlmAcceptor{password: testPassword, noVersion: true}
	x := establishNTLM(t, secure.NTLMConfig{User: "u", Password: testPassword}, nil, host)
	exchange(t, x, host.wrap, host.unwrap)
}

func TestNTLMMalformedChallenge(t *testing.T) {
	t.Parallel()
	good := (&ntlmAcceptor{}).challengeFor(nil)
	edit := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	tests := map[string][]byte{
		"empty":                   {},
		"short":                   good[:47],
		"another signature":       edit(0, 'X'),
		"authenticate message":    edit(8, 3),
		"information beyond end":  edit(44, 0xff, 0xff, 0xff, 0x7f),
		"information cut off":     good[:len(good)-1],
		"information without end": edit(40, 20, 0, 20, 0),
	}
	for name, challenge := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, err := secure.NewNTLM(secure.NTLMConfig{User: "u", Password: testPassword}).NewContext(nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := x.Next(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			out, established, err := x.Next(t.Context(), challenge)
			if !errors.Is(err, secure.ErrMalformed) || out != nil || established {
				t.Errorf("Next = %d bytes, %v, %v, want ErrMalformed", len(out), established, err)
			}
		})
	}
}

func TestNTLMOrder(t *testing.T) {
	t.Parallel()
	host := &ntlmAcceptor{password: testPassword}
	x := establishNTLM(t, secure.NTLMConfig{User: "u", Password: testPassword}, nil, host)
	if _, _, err := x.Next(t.Context(), host.challenge); !errors.Is(err, secure.ErrRejected) {
		t.Errorf("a second challenge: %v, want ErrRejected", err)
	}
	y, err := secure.NewNTLM(secure.NTLMConfig{User: "u", Password: testPassword}).NewContext(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := y.Next(t.Context(), host.challenge); !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("a challenge nobody asked for: %v, want ErrMalformed", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := y.Next(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancellation: %v", err)
	}
}

// tamperings are changes that a sealed answer may undergo on its way.
var tamperings = map[string]func(signature, sealed []byte) ([]byte, []byte){
	"ciphertext changed": func(g, s []byte) ([]byte, []byte) { return g, flip(s, 3) },
	"checksum changed":   func(g, s []byte) ([]byte, []byte) { return flip(g, 5), s },
	"sequence changed":   func(g, s []byte) ([]byte, []byte) { return flip(g, 12), s },
	"version changed":    func(g, s []byte) ([]byte, []byte) { return flip(g, 0), s },
	"ciphertext cut":     func(g, s []byte) ([]byte, []byte) { return g, s[:len(s)-1] },
	"ciphertext longer":  func(g, s []byte) ([]byte, []byte) { return g, append(bytes.Clone(s), 0) },
	"signature cut":      func(g, s []byte) ([]byte, []byte) { return g[:15], s },
	"signature longer":   func(g, s []byte) ([]byte, []byte) { return append(bytes.Clone(g), 0), s },
	"no signature":       func(_, s []byte) ([]byte, []byte) { return nil, s },
	"nothing":            func(_, _ []byte) ([]byte, []byte) { return nil, nil },
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestNTLMTampered(t *testing.T) {
	t.Parallel()
	for name, tamper := range tamperings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := &ntlmAcceptor{password: testPassword}
			x := establishNTLM(t, secure.NTLMConfig{User: "u", Password: testPassword}, nil, host)
			checkTampered(t, x, tamper, host.wrap)
		})
	}
}

// checkTampered expects that neither the changed answer nor any later one opens.
func checkTampered(t *testing.T, x secure.Context, tamper func(g, s []byte) ([]byte, []byte), wrap func([]byte) ([]byte, []byte)) {
	t.Helper()
	signature, sealed := wrap([]byte("<s:Envelope/>"))
	plain, err := x.Unwrap(tamper(signature, sealed))
	if plain != nil || !errors.Is(err, secure.ErrTampered) && !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("changed answer: %q, %v", plain, err)
	}
	if plain, err = x.Unwrap(signature, sealed); plain != nil || err == nil {
		t.Errorf("the answer itself after the changed one: %q, %v", plain, err)
	}
	if plain, err = x.Unwrap(wrap([]byte("<s:Envelope/>"))); plain != nil || err == nil {
		t.Errorf("answer after a changed one: %q, %v", plain, err)
	}
}

func TestNTLMReplayed(t *testing.T) {
	t.Parallel()
	host := &ntlmAcceptor{password: testPassword}
	x := establishNTLM(t, secure.NTLMConfig{User: "u", Password: testPassword}, nil, host)
	checkReplayed(t, x, host.wrap)
}

func checkReplayed(t *testing.T, x secure.Context, wrap func([]byte) ([]byte, []byte)) {
	t.Helper()
	signature, sealed := wrap([]byte("first"))
	if _, err := x.Unwrap(signature, sealed); err != nil {
		t.Fatal(err)
	}
	if plain, err := x.Unwrap(signature, sealed); !errors.Is(err, secure.ErrTampered) {
		t.Errorf("replayed answer: %q, %v, want ErrTampered", plain, err)
	}
}

func TestNTLMReordered(t *testing.T) {
	t.Parallel()
	host := &ntlmAcceptor{password: testPassword}
	x := establishNTLM(t, secure.NTLMConfig{User: "u", Password: testPassword}, nil, host)
	host.wrap([]byte("first"))
	if plain, err := x.Unwrap(host.wrap([]byte("second"))); !errors.Is(err, secure.ErrTampered) {
		t.Errorf("second answer first: %q, %v, want ErrTampered", plain, err)
	}
}

// prints writes a value in all the ways in which it may reach a log.
func prints(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
		fmt.Fprintf(&b, verb+"\n", []any{v})
		fmt.Fprintf(&b, verb+"\n", struct{ V any }{v})
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("text", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("json", "v", v)
	if j, err := json.Marshal(v); err == nil {
		b.Write(j)
	}
	return b.String()
}

func TestNTLMPrintsItsNameOnly(t *testing.T) {
	t.Parallel()
	config := secure.NTLMConfig{User: `CORP\admin`, Password: "hunter2", SPN: "HTTP/h"}
	mechanism := secure.NewNTLM(config)
	x, err := mechanism.NewContext(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("NTLM", mechanism.String()); diff != "" {
		t.Error(diff)
	}
	for _, v := range []any{mechanism, *mechanism, x} {
		checkPrints(t, v, "hunter2", "admin")
	}
	// A caller may marshal a configuration field by field.
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, config); got != "NTLM" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func checkPrints(t *testing.T, v any, secrets ...string) {
	t.Helper()
	got := prints(v)
	for _, s := range secrets {
		if strings.Contains(got, s) || strings.Contains(got, fmt.Sprintf("%x", s)) {
			t.Errorf("%T prints %q in %q", v, s, got)
		}
	}
}

func FuzzNTLMChallenge(f *testing.F) {
	f.Add((&ntlmAcceptor{}).challengeFor(nil))
	f.Add((&ntlmAcceptor{noTime: true}).challengeFor(nil))
	f.Add((&ntlmAcceptor{noInfo: true}).challengeFor(nil))
	f.Add((&ntlmAcceptor{noVersion: true}).challengeFor(nil))
	f.Add((&ntlmAcceptor{flags: 0x00880011}).challengeFor(nil))
	mechanism := secure.NewNTLM(secure.NTLMConfig{User: `D\u`, Password: "p", SPN: "HTTP/h"})
	secret := []byte("<s:Envelope>SECRET")
	f.Fuzz(func(t *testing.T, challenge []byte) {
		x, err := mechanism.NewContext([]byte("tls-server-end-point:x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := x.Next(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		out, established, err := x.Next(t.Context(), challenge)
		signature, sealed, wrapErr := x.Wrap(secret)
		if (err == nil) != established || (err == nil) != (wrapErr == nil) {
			t.Fatalf("established %v, %v, %v", established, err, wrapErr)
		}
		if err != nil {
			return
		}
		if len(signature) != 16 || bytes.Equal(sealed, secret) {
			t.Fatalf("signature of %d bytes, sealed %q", len(signature), sealed)
		}
		if f := binary.LittleEndian.Uint32(out[60:]); f&sealFlags != sealFlags {
			t.Fatalf("flags %#x", f)
		}
	})
}

func FuzzNTLMUnwrap(f *testing.F) {
	f.Add(make([]byte, 16), []byte("x"))
	f.Add([]byte{}, []byte{})
	f.Add([]byte{1, 0, 0, 0}, []byte("xxxxxxxxxxxxxxxxxxxx"))
	mechanism := secure.NewNTLM(secure.NTLMConfig{User: "u", Password: "p"})
	f.Fuzz(func(t *testing.T, signature, sealed []byte) {
		host := &ntlmAcceptor{}
		x, err := mechanism.NewContext(nil)
		if err != nil {
			t.Fatal(err)
		}
		negotiate, _, err := x.Next(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := x.Next(t.Context(), host.challengeFor(negotiate)); err != nil {
			t.Fatal(err)
		}
		if plain, err := x.Unwrap(signature, sealed); err == nil {
			t.Fatalf("opened %q", plain)
		}
	})
}
