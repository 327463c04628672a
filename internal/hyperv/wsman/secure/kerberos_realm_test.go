package secure_test

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-krb5/krb5/iana/errorcode"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// A KDC that does not answer holds up no caller beyond its context, neither the one that asks it
// nor those that wait for that one.
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
		for range 3 { // one asks the KDC, the others wait for it
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

// A login goes on when its caller gives up: the KDC counts what it was asked, and
// callers without patience would lock the account one after the other.
func TestKerberosImpatientCallers(t *testing.T) {
	t.Parallel()
	for _, wrong := range []bool{true, false} {
		config := passwordConfig(t, newFakeKDC(18))
		synctest.Test(t, func(t *testing.T) {
			kdc := newFakeKDC(18)
			kdc.judging = 3 * time.Second
			config.Dial = kdc.dial
			if wrong {
				config.Password = "wrong"
			}
			k, err := secure.NewKerberos(config)
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			m, err := k.ForHost(testHost)
			if err != nil {
				t.Fatal(err)
			}
			ask := func(patience time.Duration) error {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				x, err := m.NewContext(nil)
				if err != nil {
					t.Fatal(err)
				}
				_, _, err = x.Next(ctx, nil)
				return err
			}
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					for range 10 {
						_ = ask(time.Second)
					}
				})
			}
			wg.Wait()
			if n := kdc.logins.Load(); n != 1 {
				t.Errorf("%d logins, want 1", n)
			}
			if err := ask(time.Minute); errors.Is(err, secure.ErrRejected) != wrong || (err == nil) == wrong {
				t.Errorf("with a wrong password %v: %v", wrong, err)
			}
		})
	}
}

// If no KDC of a realm answers, the failure of one login is reported to all callers that wait.
func TestKerberosSilentKDC(t *testing.T) {
	t.Parallel()
	config := passwordConfig(t, newFakeKDC(18))
	synctest.Test(t, func(t *testing.T) {
		kdc := newFakeKDC(18)
		kdc.silent = make(chan struct{})
		defer close(kdc.silent)
		var dials atomic.Int64
		config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return kdc.dial(ctx, network, address)
		}
		k, err := secure.NewKerberos(config)
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		ask := func() {
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
			if _, _, err := x.Next(t.Context(), nil); !errors.Is(err, secure.ErrNoKDC) {
				t.Errorf("%v, want ErrNoKDC", err)
			}
		}
		start := time.Now()
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(ask)
		}
		wg.Wait()
		if took := time.Since(start); took > 10*time.Second || dials.Load() != 1 {
			t.Errorf("%d dials in %s, want one in some seconds", dials.Load(), took)
		}
		time.Sleep(30 * time.Second)
		if ask(); dials.Load() != 2 {
			t.Errorf("%d dials half a minute later, want 2", dials.Load())
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

// The host may be in another realm: the KDC says so, or krb5.conf does.
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

// Referrals between KDCs that refer to each other forever are given up.
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
