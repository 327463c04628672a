package secure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-krb5/krb5/iana/errorcode"
	"github.com/go-krb5/krb5/keytab"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

var aesTypes = map[string]int32{
	"aes128-cts-hmac-sha1-96":    17,
	"aes256-cts-hmac-sha1-96":    18,
	"aes128-cts-hmac-sha256-128": 19,
	"aes256-cts-hmac-sha384-192": 20,
}

func writeFile(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func passwordConfig(t testing.TB, kdc *fakeKDC) secure.KerberosConfig {
	t.Helper()
	return secure.KerberosConfig{User: testUser, Password: testPassword, ConfPath: confFor(t, testRealm), Dial: kdc.dial}
}

func newKerberos(t testing.TB, config secure.KerberosConfig) *secure.Kerberos {
	t.Helper()
	k, err := secure.NewKerberos(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// newContext starts a context with the host.
func newContext(t testing.TB, k *secure.Kerberos, binding []byte) secure.Context {
	t.Helper()
	m, err := k.ForHost(testHost)
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.NewContext(binding)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// establishKerberos runs a whole handshake.
func establishKerberos(t testing.TB, k *secure.Kerberos, binding []byte, host *kerberosAcceptor) secure.Context {
	t.Helper()
	x := newContext(t, k, binding)
	token, established, err := x.Next(t.Context(), nil)
	if err != nil || established {
		t.Fatalf("first token: established %v, %v", established, err)
	}
	answer, err := host.accept(token)
	if err != nil {
		t.Fatal(err)
	}
	if token, established, err = x.Next(t.Context(), answer); err != nil || !established || token != nil {
		t.Fatalf("AP-REP: %d bytes, established %v, %v", len(token), established, err)
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
	if !errors.Is(err, secure.ErrWeakContext) {
		t.Errorf("RC4: %v, want ErrWeakContext", err)
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

// An answer that does not come from the host the ticket is for, or not for this
// request, ends the context.
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

// Many contexts, for several hosts at once, cost one login and one ticket each host.
func TestKerberosOneLogin(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	k := newKerberos(t, passwordConfig(t, kdc))
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			host := &kerberosAcceptor{service: kdc.service}
			x := establishKerberos(t, k, nil, host)
			if got, err := x.Unwrap(host.wrap([]byte("x"))); err != nil || string(got) != "x" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	wg.Wait()
	if logins, tickets := kdc.logins.Load(), kdc.tickets.Load(); logins != 1 || tickets != 1 {
		t.Errorf("%d logins and %d tickets, want 1 and 1", logins, tickets)
	}
}

// A wrong password is tried once, however many connections want in: more tries lock
// the account.
func TestKerberosOneFailedLogin(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	config.Password = "wrong"
	k := newKerberos(t, config)
	for range 5 {
		_, _, err := newContext(t, k, nil).Next(t.Context(), nil)
		var e *secure.KDCError
		if !errors.As(err, &e) || e.Code != errorcode.KDC_ERR_PREAUTH_FAILED || !errors.Is(err, secure.ErrRejected) {
			t.Fatalf("%v, want KDC_ERR_PREAUTH_FAILED and ErrRejected", err)
		}
		if strings.Contains(err.Error(), "wrong\"") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	if n := kdc.logins.Load(); n != 1 {
		t.Errorf("%d logins with a wrong password, want 1", n)
	}
}

func TestKDCErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code int32
		name string
		is   error
	}{
		{6, "KDC_ERR_C_PRINCIPAL_UNKNOWN", secure.ErrRejected},
		{7, "KDC_ERR_S_PRINCIPAL_UNKNOWN", nil},
		{14, "KDC_ERR_ETYPE_NOSUPP", nil},
		{18, "KDC_ERR_CLIENT_REVOKED", secure.ErrRejected},
		{23, "KDC_ERR_KEY_EXPIRED", secure.ErrRejected},
		{24, "KDC_ERR_PREAUTH_FAILED", secure.ErrRejected},
		{32, "KRB_AP_ERR_TKT_EXPIRED", secure.ErrTicketExpired},
		{37, "KRB_AP_ERR_SKEW", secure.ErrClockSkew},
		{999, "UNKNOWN", nil},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.code), func(t *testing.T) {
			t.Parallel()
			kdc := newFakeKDC(18)
			kdc.fail = tt.code
			_, _, err := newContext(t, newKerberos(t, passwordConfig(t, kdc)), nil).Next(t.Context(), nil)
			var e *secure.KDCError
			if !errors.As(err, &e) {
				t.Fatalf("%v is no KDCError", err)
			}
			if e.Code != tt.code || e.Name != tt.name || e.Realm != testRealm {
				t.Errorf("%+v", e)
			}
			for _, s := range []error{secure.ErrRejected, secure.ErrClockSkew, secure.ErrTicketExpired} {
				if got := errors.Is(err, s); got != (tt.is == s) {
					t.Errorf("Is(%v) = %v", s, got)
				}
			}
		})
	}
}

// An answer to another request is not taken, not even from the KDC itself.
func TestKerberosReplayedAnswers(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	kdc.replay = true
	first := newKerberos(t, passwordConfig(t, kdc))
	if _, _, err := newContext(t, first, nil).Next(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	other, err := first.ForHost(testHost + ".other")
	if err != nil {
		t.Fatal(err)
	}
	x, err := other.NewContext(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := x.Next(t.Context(), nil); !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("ticket of another service: %v, want ErrMalformed", err)
	}
	if _, _, err := newContext(t, newKerberos(t, passwordConfig(t, kdc)), nil).Next(t.Context(), nil); !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("login of another time: %v, want ErrMalformed", err)
	}
}

// Work that nobody vouches for is bounded.
func TestKerberosIterations(t *testing.T) {
	t.Parallel()
	for _, iterations := range []string{"00000000", "ffffffff", "00040001", "0001"} {
		kdc := newFakeKDC(18)
		kdc.s2k = iterations
		_, _, err := newContext(t, newKerberos(t, passwordConfig(t, kdc)), nil).Next(t.Context(), nil)
		if !errors.Is(err, secure.ErrMalformed) {
			t.Errorf("%s iterations: %v, want ErrMalformed", iterations, err)
		}
	}
}

func TestKerberosLogin(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*fakeKDC){
		"salt in both answers":   func(*fakeKDC) {},
		"salt in the first only": func(k *fakeKDC) { k.terse = true },
		"no preauthentication":   func(k *fakeKDC) { k.open = true },
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kdc := newFakeKDC(18)
			arrange(kdc)
			establishKerberos(t, newKerberos(t, passwordConfig(t, kdc)), nil, &kerberosAcceptor{service: kdc.service})
			config := passwordConfig(t, kdc)
			config.Password = "wrong"
			if _, _, err := newContext(t, newKerberos(t, config), nil).Next(t.Context(), nil); err == nil {
				t.Error("a wrong password was good enough")
			}
		})
	}
}

// Hosts share one login.
func TestKerberosManyHosts(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	k := newKerberos(t, passwordConfig(t, kdc))
	for _, host := range []string{testHost, testHost + ".a", testHost + ".b", testHost} {
		m, err := k.ForHost(host)
		if err != nil {
			t.Fatal(err)
		}
		x, err := m.NewContext(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := x.Next(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if logins, tickets := kdc.logins.Load(), kdc.tickets.Load(); logins != 1 || tickets != 3 {
		t.Errorf("%d logins and %d tickets, want 1 and 3", logins, tickets)
	}
}

func TestKerberosTicketCache(t *testing.T) {
	t.Parallel()
	const tgt = "krbtgt/" + testRealm
	tests := map[string]struct {
		entries []cached
		tickets int64 // asked of the KDC
		err     error
	}{
		"ticket-granting ticket":     {[]cached{{tgt, time.Hour}}, 1, nil},
		"ticket of the service":      {[]cached{{testSPN, time.Hour}}, 0, nil},
		"both":                       {[]cached{{tgt, time.Hour}, {testSPN, time.Hour}}, 0, nil},
		"old ticket of the service":  {[]cached{{tgt, time.Hour}, {testSPN, time.Second}}, 1, nil},
		"old ticket-granting ticket": {[]cached{{tgt, -time.Hour}}, 0, secure.ErrTicketExpired},
		"about to end":               {[]cached{{tgt, time.Minute}}, 0, secure.ErrTicketExpired},
		"other tickets":              {[]cached{{"HTTP/else", time.Hour}, {"krbtgt/ELSE", time.Hour}}, 0, secure.ErrTicketExpired},
		"empty":                      {nil, 0, secure.ErrTicketExpired},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kdc := newFakeKDC(18)
			config := passwordConfig(t, kdc)
			config.Password, config.CachePath = "", kdc.cache(t, tt.entries...)
			k := newKerberos(t, config)
			for range 2 {
				x := newContext(t, k, nil)
				token, _, err := x.Next(t.Context(), nil)
				if !errors.Is(err, tt.err) {
					t.Fatalf("%v, want %v", err, tt.err)
				}
				if err != nil {
					continue
				}
				if _, err := (&kerberosAcceptor{service: kdc.service}).accept(token); err != nil {
					t.Error(err)
				}
			}
			if n := kdc.tickets.Load(); n != tt.tickets {
				t.Errorf("%d tickets asked for, want %d", n, tt.tickets)
			}
			if n := kdc.logins.Load(); n != 0 {
				t.Errorf("%d logins", n)
			}
		})
	}
}

// Whoever keeps the cache fresh from outside is believed.
func TestKerberosTicketCacheIsReadAgain(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	config.User, config.Password, config.CachePath = "", "", kdc.cache(t, cached{"krbtgt/" + testRealm, -time.Hour})
	k := newKerberos(t, config)
	if _, _, err := newContext(t, k, nil).Next(t.Context(), nil); !errors.Is(err, secure.ErrTicketExpired) {
		t.Fatalf("%v, want ErrTicketExpired", err)
	}
	kdc.writeCache(t, config.CachePath, cached{"krbtgt/" + testRealm, time.Hour})
	establishKerberos(t, k, nil, &kerberosAcceptor{service: kdc.service})
}

// A cache cut off anywhere is an error or lacks tickets, no more.
func TestKerberosTicketCacheCutOff(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	whole, err := os.ReadFile(kdc.cache(t, cached{"krbtgt/" + testRealm, time.Hour}))
	if err != nil {
		t.Fatal(err)
	}
	config.Password = ""
	for n := 0; n < len(whole); n += 7 {
		config.CachePath = writeFile(t, "ccache", whole[:n])
		k, err := secure.NewKerberos(config)
		if err != nil {
			continue
		}
		if _, _, err := newContext(t, k, nil).Next(t.Context(), nil); err == nil {
			t.Errorf("the first %d of %d bytes are enough", n, len(whole))
		}
	}
}

func TestKerberosTicketCacheOfAnother(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	config.User, config.Password, config.CachePath = "somebody", "", kdc.cache(t)
	if _, err := secure.NewKerberos(config); err == nil || !strings.Contains(err.Error(), "somebody") {
		t.Errorf("%v, want an error that names both", err)
	}
}

func TestKerberosUnknownService(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	m, err := newKerberos(t, passwordConfig(t, kdc)).ForHost("other.corp.test")
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.NewContext(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = x.Next(t.Context(), nil)
	var e *secure.KDCError
	if !errors.As(err, &e) || e.Code != errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN || e.SPN != "HTTP/other.corp.test" {
		t.Errorf("%v, want KDC_ERR_S_PRINCIPAL_UNKNOWN for HTTP/other.corp.test", err)
	}
}

func TestKerberosClockOfKDC(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-time.Hour, time.Hour} {
		kdc := newFakeKDC(18)
		kdc.skew = skew
		_, _, err := newContext(t, newKerberos(t, passwordConfig(t, kdc)), nil).Next(t.Context(), nil)
		if !errors.Is(err, secure.ErrClockSkew) {
			t.Errorf("clock off by %v: %v, want ErrClockSkew", skew, err)
		}
	}
}

// Tickets are used up to shortly before their end, then replaced.
func TestKerberosRenewsTickets(t *testing.T) {
	t.Parallel()
	config := passwordConfig(t, newFakeKDC(18))
	synctest.Test(t, func(t *testing.T) {
		kdc := newFakeKDC(18)
		kdc.life = time.Hour
		config.Dial = kdc.dial
		k, err := secure.NewKerberos(config)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int64{1, 1, 2, 2} {
			establishKerberos(t, k, nil, &kerberosAcceptor{service: kdc.service})
			if logins, tickets := kdc.logins.Load(), kdc.tickets.Load(); logins != want || tickets != want {
				t.Errorf("%d logins and %d tickets, want %d", logins, tickets, want)
			}
			time.Sleep(30 * time.Minute)
		}
	})
}

// A KDC that does not answer holds nobody beyond his context, and nobody else either.
func TestKerberosCancel(t *testing.T) {
	t.Parallel()
	config := passwordConfig(t, newFakeKDC(18))
	synctest.Test(t, func(t *testing.T) {
		kdc := newFakeKDC(18)
		kdc.silent = make(chan struct{})
		config.Dial = kdc.dial
		k, err := secure.NewKerberos(config)
		if err != nil {
			t.Fatal(err)
		}
		defer close(kdc.silent)
		start := time.Now()
		var wg sync.WaitGroup
		for range 3 { // one asks the KDC, the others wait for him
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				m, err := k.ForHost(testHost)
				if err != nil {
					t.Error(err)
					return
				}
				x, err := m.NewContext(nil)
				if err != nil {
					t.Error(err)
					return
				}
				if _, _, err := x.Next(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, want DeadlineExceeded", err)
				}
			})
		}
		wg.Wait()
		if d := time.Since(start); d != time.Second {
			t.Errorf("waited %v, want 1s", d)
		}
	})
}

// Each KDC gets some seconds, then the next one is asked.
func TestKerberosNextKDC(t *testing.T) {
	t.Parallel()
	conf := writeFile(t, "krb5.conf", []byte("[libdefaults]\n default_realm = "+testRealm+"\n[realms]\n "+testRealm+
		" = {\n  kdc = refuses\n  kdc = silent:88\n  kdc = busy\n  kdc = tcp/works\n }\n"))
	synctest.Test(t, func(t *testing.T) {
		kdc, silent, busy := newFakeKDC(18), newFakeKDC(18), newFakeKDC(18)
		silent.silent = make(chan struct{})
		defer close(silent.silent)
		busy.fail = errorcode.KDC_ERR_SVC_UNAVAILABLE
		var asked []string
		k, err := secure.NewKerberos(secure.KerberosConfig{
			User: testUser, Password: testPassword, ConfPath: conf,
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				asked = append(asked, address)
				switch address {
				case "refuses:88":
					return nil, errors.New("connection refused")
				case "silent:88":
					return silent.dial(ctx, network, address)
				case "busy:88":
					return busy.dial(ctx, network, address)
				case "works:88":
					return kdc.dial(ctx, network, address)
				}
				return nil, errors.New("unknown " + address)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		m, err := k.ForHost(testHost)
		if err != nil {
			t.Fatal(err)
		}
		x, err := m.NewContext(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := x.Next(t.Context(), nil); err != nil {
			t.Fatalf("%v, asked %v", err, asked)
		}
	})
}

func TestKerberosNoKDC(t *testing.T) {
	t.Parallel()
	config := passwordConfig(t, newFakeKDC(18))
	config.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }
	_, _, err := newContext(t, newKerberos(t, config), nil).Next(t.Context(), nil)
	if !errors.Is(err, secure.ErrNoKDC) {
		t.Errorf("%v, want ErrNoKDC", err)
	}
	config.Realm = "ELSE.TEST"
	_, _, err = newContext(t, newKerberos(t, config), nil).Next(t.Context(), nil)
	if !errors.Is(err, secure.ErrNoKDC) {
		t.Errorf("unknown realm: %v, want ErrNoKDC", err)
	}
}

// The host may live in another realm: the KDC says so, or krb5.conf does.
func TestKerberosOtherRealm(t *testing.T) {
	t.Parallel()
	const other = "OTHER.TEST"
	for name, extra := range map[string]string{
		"referral":     "",
		"domain_realm": "[domain_realm]\n .corp.test = " + other + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home, away := newFakeKDC(18), newFakeKDC(17)
			away.realm = other
			home.spn = "HTTP/nothing"
			home.trust[other] = randomKey(18)
			away.trust[testRealm] = home.trust[other]
			home.peers = map[string]*fakeKDC{other: away}
			if extra == "" {
				home.refer = map[string]string{testSPN: other}
			}
			conf := confFor(t, testRealm, other)
			b, err := os.ReadFile(conf)
			if err != nil {
				t.Fatal(err)
			}
			config := passwordConfig(t, home)
			config.ConfPath = writeFile(t, "krb5.conf", append(b, extra...))
			host := &kerberosAcceptor{service: away.service}
			x := establishKerberos(t, newKerberos(t, config), nil, host)
			exchange(t, x, host.wrap, host.unwrap)
		})
	}
}

// KDCs that refer to each other forever are left.
func TestKerberosReferralLoop(t *testing.T) {
	t.Parallel()
	const other = "OTHER.TEST"
	home, away := newFakeKDC(18), newFakeKDC(18)
	away.realm = other
	key := randomKey(18)
	home.trust[other], away.trust[testRealm] = key, key
	home.refer = map[string]string{testSPN: other}
	away.refer = map[string]string{testSPN: testRealm}
	home.peers = map[string]*fakeKDC{other: away}
	config := passwordConfig(t, home)
	config.ConfPath = confFor(t, testRealm, other)
	_, _, err := newContext(t, newKerberos(t, config), nil).Next(t.Context(), nil)
	if !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("%v, want ErrMalformed", err)
	}
}

func TestKerberosKeytab(t *testing.T) {
	t.Parallel()
	for name, etype := range aesTypes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kdc := newFakeKDC(etype)
			// The key table of a password and the default salt.
			table := keytab.New()
			if err := table.AddEntry(testUser, testRealm, testPassword, time.Now(), 3, etype); err != nil {
				t.Fatal(err)
			}
			table.Entries[0].Key = kdc.userKey()
			b, err := table.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{writeFile(t, "u.keytab", b), "FILE:" + writeFile(t, "u.keytab", b)} {
				for _, user := range []string{"", testUser, testUser + "@" + testRealm} {
					config := passwordConfig(t, kdc)
					config.User, config.Password, config.KeytabPath = user, "", path
					host := &kerberosAcceptor{service: kdc.service}
					x := establishKerberos(t, newKerberos(t, config), nil, host)
					exchange(t, x, host.wrap, host.unwrap)
				}
			}
		})
	}
}

func TestKerberosForHost(t *testing.T) {
	t.Parallel()
	config := passwordConfig(t, newFakeKDC(18))
	k := newKerberos(t, config)
	for _, address := range []string{"192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0"} {
		if m, err := k.ForHost(address); err == nil || m != nil || !strings.Contains(err.Error(), "full name") {
			t.Errorf("ForHost(%q) = %v, %v, want a clear error", address, m, err)
		}
	}
	for _, host := range []string{"HOST.corp.TEST", "host.corp.test."} {
		m, err := k.ForHost(host)
		if err != nil {
			t.Fatal(err)
		}
		x, err := m.NewContext(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := x.Next(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	config.SPN = testSPN
	if _, err := newKerberos(t, config).ForHost("192.0.2.1"); err != nil {
		t.Errorf("address with an SPN: %v", err)
	}
	config.SPN = "nonsense"
	if _, err := secure.NewKerberos(config); err == nil {
		t.Error("the SPN \"nonsense\" was taken")
	}
}

func TestKerberosConfig(t *testing.T) {
	t.Parallel()
	conf := confFor(t, testRealm)
	damaged := writeFile(t, "damaged", []byte{5, 4, 0, 12, 0, 1, 0, 8, 0xff})
	env := func(pairs ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1], true
				}
			}
			return "", false
		}
	}
	tests := map[string]struct {
		config secure.KerberosConfig
		want   string // within the error; empty: none
	}{
		"password":         {secure.KerberosConfig{User: "u", Password: "p", ConfPath: conf}, ""},
		"KRB5_CONFIG":      {secure.KerberosConfig{User: "u", Password: "p", Lookup: env("KRB5_CONFIG", "/nonexistent:"+conf)}, ""},
		"no configuration": {secure.KerberosConfig{User: "u@REALM", Password: "p"}, ""},
		"missing file":     {secure.KerberosConfig{User: "u", Password: "p", ConfPath: "/nonexistent"}, "krb5.conf"},
		"missing files":    {secure.KerberosConfig{User: "u", Password: "p", Lookup: env("KRB5_CONFIG", "/nonexistent")}, "krb5.conf"},
		"nothing":          {secure.KerberosConfig{User: "u", ConfPath: conf}, "no password"},
		"two":              {secure.KerberosConfig{User: "u", Password: "p", KeytabPath: "k", ConfPath: conf}, "one of"},
		"no user":          {secure.KerberosConfig{Password: "p", ConfPath: conf}, "no user"},
		"no keytab":        {secure.KerberosConfig{User: "u", KeytabPath: "/nonexistent", ConfPath: conf}, "key table"},
		"damaged keytab":   {secure.KerberosConfig{User: "u", KeytabPath: damaged, ConfPath: conf}, "damaged"},
		"damaged cache":    {secure.KerberosConfig{CachePath: damaged, ConfPath: conf}, "damaged"},
		"keyring":          {secure.KerberosConfig{ConfPath: conf, Lookup: env("KRB5CCNAME", "KEYRING:persistent:0")}, "KEYRING"},
		"KCM":              {secure.KerberosConfig{ConfPath: conf, Lookup: env("KRB5CCNAME", "KCM:")}, "KCM"},
		"directory":        {secure.KerberosConfig{CachePath: "DIR:/run/user/0/krb5cc", ConfPath: conf}, "DIR"},
		"another realm":    {secure.KerberosConfig{User: "u@ONE", Realm: "TWO", Password: "p", ConfPath: conf}, "suffix"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := secure.NewKerberos(tt.config)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, %v, want an error with %q", k, err, tt.want)
			}
		})
	}
}

// Files that krb5.conf includes count, as do sections that come twice.
func TestKerberosIncludes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"krb5.conf":         "# comment\nincludedir " + dir + "/d\n\n[libdefaults]\n dns_lookup_kdc = no\n[realms]\n X.TEST = {\n  kdc = x\n }\ninclude " + dir + "/more\n[realms]\n Y.TEST = {\n  kdc = y\n }\n",
		"more":              "[domain_realm]\n .x.test = X.TEST\n",
		"d/realm.conf":      "[realms]\n " + testRealm + " = {\n  kdc = kdc.corp.test\n }\n",
		"d/default":         "[libdefaults]\n default_realm = " + testRealm + "\n",
		"d/ignored.bak":     "nonsense [\n",
		"d/.hidden.conf":    "nonsense [\n",
		"loop.conf":         "include " + dir + "/loop.conf\n",
		"missing.conf":      "include " + dir + "/none\n",
		"libdefaults.conf":  "[libdefaults]\n nonsense\n",
		"unsupported.conf":  "[libdefaults]\n default_realm = " + testRealm + "\n[realms]\n " + testRealm + " = {\n  kdc = k\n  auth_to_local_names = {\n   a = b\n  }\n }\n",
		"d/subdirectory/xx": "",
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	config.ConfPath = filepath.Join(dir, "krb5.conf")
	establishKerberos(t, newKerberos(t, config), nil, &kerberosAcceptor{service: kdc.service})

	for name, want := range map[string]string{
		"loop.conf": "nested", "missing.conf": "no such file", "libdefaults.conf": "nonsense", "unsupported.conf": "",
	} {
		config.ConfPath = filepath.Join(dir, name)
		_, err := secure.NewKerberos(config)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if name == "missing.conf" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
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
		defer server.Close()
		buffer := make([]byte, 4096)
		if _, err := server.Read(buffer); err != nil {
			return
		}
		n := len(b)
		_, _ = server.Write(append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, b...))
	}()
	return client
}
