package secure_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-krb5/krb5/iana/errorcode"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// Many contexts, for several hosts at once, cost one login and one ticket for each host.
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
				if got := errors.Is(err, s); got != errors.Is(tt.is, s) {
					t.Errorf("Is(%v) = %v", s, got)
				}
			}
		})
	}
}

// An answer to another request is not accepted, not even from the KDC itself.
func TestKerberosReplayedAnswers(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	kdc.replayTGS = true
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
	kdc.replayAS, kdc.replayTGS = true, false
	if _, _, err := newContext(t, newKerberos(t, passwordConfig(t, kdc)), nil).Next(t.Context(), nil); !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("login of another time: %v, want ErrMalformed", err)
	}
}

// The iterations that an unauthenticated answer asks for are bounded in both directions: a key that
// is quickly made is quickly guessed.
func TestKerberosIterations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		etype      int32
		iterations string
		want       error
	}{
		{18, "00000000", secure.ErrMalformed},
		{18, "ffffffff", secure.ErrMalformed},
		{18, "00040001", secure.ErrMalformed},
		{18, "0001", secure.ErrMalformed},
		{18, "00000001", secure.ErrWeakKey},
		{17, "00000fff", secure.ErrWeakKey},
		{18, "00000fff", secure.ErrWeakKey},
		{19, "00001000", secure.ErrWeakKey},
		{19, "00007fff", secure.ErrWeakKey},
		{20, "00007fff", secure.ErrWeakKey},
		{17, "00001000", nil},
		{18, "00001000", nil},
		{19, "00008000", nil},
		{20, "00008000", nil},
		{18, "00040000", nil},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.etype, " ", tt.iterations), func(t *testing.T) {
			t.Parallel()
			for _, open := range []bool{false, true} { // in the error that asks for preauthentication, and in the answer
				kdc := newFakeKDC(tt.etype)
				kdc.s2k, kdc.open = tt.iterations, open
				kdc.userKey() // made now
				_, _, err := newContext(t, newKerberos(t, passwordConfig(t, kdc)), nil).Next(t.Context(), nil)
				if !errors.Is(err, tt.want) {
					t.Errorf("open %v: %v, want %v", open, err, tt.want)
				}
			}
		})
	}
}

// An answer is accepted only if it names the client, the KDC and the service of the request.
func TestKerberosNamesInAnswers(t *testing.T) {
	t.Parallel()
	other := types.NewPrincipalName(1, "other")
	forgeries := map[string]func(*messages.KDCRepFields, *messages.EncKDCRepPart){
		"client":                func(r *messages.KDCRepFields, _ *messages.EncKDCRepPart) { r.CName = other },
		"realm of the client":   func(r *messages.KDCRepFields, _ *messages.EncKDCRepPart) { r.CRealm = "OTHER.TEST" },
		"service":               func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) { p.SName, r.Ticket.SName = other, other },
		"service, sealed":       func(_ *messages.KDCRepFields, p *messages.EncKDCRepPart) { p.SName = other },
		"service of the ticket": func(r *messages.KDCRepFields, _ *messages.EncKDCRepPart) { r.Ticket.SName = other },
		"no service": func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) {
			p.SName.NameString, r.Ticket.SName.NameString = nil, nil
		},
		"realm of the KDC": func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) {
			p.SRealm, r.Ticket.Realm = "OTHER.TEST", "OTHER.TEST"
		},
		"realm of the KDC, sealed": func(_ *messages.KDCRepFields, p *messages.EncKDCRepPart) { p.SRealm = "OTHER.TEST" },
		"realm of the ticket":      func(r *messages.KDCRepFields, _ *messages.EncKDCRepPart) { r.Ticket.Realm = "OTHER.TEST" },
		"referral within the realm": func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) {
			own := types.NewPrincipalName(2, "krbtgt/"+testRealm+"/x")
			p.SName, r.Ticket.SName = own, own
		},
		"referral of the ticket alone": func(r *messages.KDCRepFields, _ *messages.EncKDCRepPart) {
			r.Ticket.SName = types.NewPrincipalName(2, "krbtgt/OTHER.TEST")
		},
		"nonce": func(_ *messages.KDCRepFields, p *messages.EncKDCRepPart) { p.Nonce++ },
	}
	for name, forge := range forgeries {
		for _, toLogin := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, login %v", name, toLogin), func(t *testing.T) {
				t.Parallel()
				kdc := newFakeKDC(18)
				kdc.forge = func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) {
					if toLogin == (p.SName.NameString[0] == "krbtgt") {
						forge(r, p)
					}
				}
				_, _, err := newContext(t, newKerberos(t, passwordConfig(t, kdc)), nil).Next(t.Context(), nil)
				if !errors.Is(err, secure.ErrMalformed) {
					t.Errorf("%v, want ErrMalformed", err)
				}
				if want := int64(1); !toLogin && kdc.tickets.Load() != want {
					t.Errorf("%d tickets, want %d", kdc.tickets.Load(), want)
				}
			})
		}
	}
}

// A referral in a login is refused.
func TestKerberosLoginReferred(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	kdc.forge = func(r *messages.KDCRepFields, p *messages.EncKDCRepPart) {
		p.SName = types.NewPrincipalName(2, "krbtgt/OTHER.TEST")
		r.Ticket.SName = p.SName
	}
	_, _, err := newContext(t, newKerberos(t, passwordConfig(t, kdc)), nil).Next(t.Context(), nil)
	if !errors.Is(err, secure.ErrMalformed) {
		t.Errorf("%v, want ErrMalformed", err)
	}
}

// Windows compares names without regard to letter case, and its KDCs answer in their own spelling,
// which is used from then on.
func TestKerberosSpelling(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	config.User, config.Realm = strings.ToUpper(testUser), strings.ToLower(testRealm)
	config.ConfPath = confFor(t, strings.ToLower(testRealm), testRealm)
	host := &kerberosAcceptor{service: kdc.service, told: func(a types.Authenticator) {
		if a.CRealm != testRealm || a.CName.PrincipalNameString() != testUser {
			t.Errorf("the authenticator is that of %s@%s", a.CName.PrincipalNameString(), a.CRealm)
		}
	}}
	establishKerberos(t, newKerberos(t, config), nil, host)
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
