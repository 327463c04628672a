package secure_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

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

func TestKerberosTicketCacheRC4(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(23)
	config := passwordConfig(t, kdc)
	config.Password, config.CachePath = "", kdc.cache(t, cached{"krbtgt/" + testRealm, time.Hour})
	if _, _, err := newContext(t, newKerberos(t, config), nil).Next(t.Context(), nil); !errors.Is(err, secure.ErrNoAES) {
		t.Errorf("%v, want ErrNoAES", err)
	}
}

// A cache that another program renews is read again.
func TestKerberosTicketCacheIsReadAgain(t *testing.T) {
	t.Parallel()
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	config.User, config.Password, config.CachePath = "", "", kdc.cache(t, cached{"krbtgt/" + testRealm, -time.Hour})
	k := newKerberos(t, config)
	if _, _, err := newContext(t, k, nil).Next(t.Context(), nil); !errors.Is(err, secure.ErrTicketExpired) || !strings.Contains(err.Error(), "ended at") {
		t.Fatalf("%v, want ErrTicketExpired and when it ended", err)
	}
	kdc.writeCache(t, config.CachePath, cached{"krbtgt/" + testRealm, time.Hour})
	establishKerberos(t, k, nil, &kerberosAcceptor{service: kdc.service})
}

// A cache that is cut off anywhere is an error or lacks tickets, and does no other harm.
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

// Counts that are larger than the file mean a damaged file. The library's own reader makes room for
// what a count promises: 68 bytes, and the process is out of memory.
func TestKerberosTicketCacheCounts(t *testing.T) {
	t.Parallel()
	config := passwordConfig(t, newFakeKDC(18))
	config.Password = ""
	principal := []byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 'R', 0, 0, 0, 1, 'u'}
	head := append([]byte{5, 4, 0, 0}, bytes.Repeat(principal, 3)...)
	entry := append(bytes.Clone(head), make([]byte, 2+4+4*4+1+4)...) // key, times, flags
	huge := []byte{0x7f, 0xff, 0xff, 0xff}
	for name, b := range map[string][]byte{
		"names":      append(append([]byte{5, 4, 0, 0, 0, 0, 0, 1}, huge...), 0, 0, 0, 1, 'R'),
		"addresses":  append(bytes.Clone(entry), huge...),
		"restraints": append(append(bytes.Clone(entry), 0, 0, 0, 0), huge...),
		"key":        append(append(bytes.Clone(head), 0, 18), huge...),
	} {
		config.CachePath = writeFile(t, "ccache", b)
		if _, err := secure.NewKerberos(config); !errors.Is(err, secure.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
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
