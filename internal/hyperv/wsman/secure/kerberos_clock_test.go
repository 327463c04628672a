package secure_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-krb5/krb5/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// authenticators collects the times of all authenticators and finds equal ones.
type authenticators struct {
	mu    sync.Mutex
	times map[time.Time]int
}

func (a *authenticators) add(v types.Authenticator) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.times[v.CTime.Add(time.Duration(v.Cusec)*time.Microsecond)]++
}

func (a *authenticators) check(t *testing.T, want int) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for at, count := range a.times {
		if n += count; count > 1 {
			t.Errorf("%d authenticators of %v", count, at)
		}
	}
	if n != want {
		t.Errorf("%d authenticators, want %d", n, want)
	}
}

// All authenticators of one process differ, whichever caller asks for them and however coarse the
// clock is: here it stands still.
func TestKerberosAuthenticatorsDiffer(t *testing.T) { //nolint:paralleltest // tests beside it would live in other centuries
	const aliases, hosts, contexts = 2, 10, 3
	config := passwordConfig(t, newFakeKDC(18))
	synctest.Test(t, func(t *testing.T) {
		seen := authenticators{times: map[time.Time]int{}}
		kdc := newFakeKDC(18)
		kdc.authenticated = seen.add
		config.Dial = kdc.dial
		var wg sync.WaitGroup
		for range aliases {
			k, err := secure.NewKerberos(config)
			if err != nil {
				t.Fatal(err)
			}
			for n := range hosts {
				m, err := k.ForHost(fmt.Sprintf("%s.%d", testHost, n))
				if err != nil {
					t.Fatal(err)
				}
				for range contexts {
					wg.Go(func() { logOn(t, m, &kerberosAcceptor{service: kdc.service, told: seen.add}) })
				}
			}
		}
		wg.Wait()
		seen.check(t, aliases*hosts*(1+contexts))
	})
}

// logOn runs a handshake to its end.
func logOn(t *testing.T, m secure.Mechanism, host *kerberosAcceptor) {
	t.Helper()
	x, err := m.NewContext(nil)
	if err != nil {
		t.Error(err)
		return
	}
	token, _, err := x.Next(t.Context(), nil)
	if err != nil {
		t.Error(err)
		return
	}
	answer, err := host.accept(token)
	if err != nil {
		t.Error(err)
		return
	}
	if _, established, err := x.Next(t.Context(), answer); err != nil || !established {
		t.Errorf("established %v, %v", established, err)
	}
}
