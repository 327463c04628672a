package wsman_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// TestStaleAcceptance: an acceptance from before the password changed, whose answer comes late,
// does not end the row of rejections.
func TestStaleAcceptance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newLogonFleet(t, 4, false)
		f.storm(4)
		answer := f.hosts[0].answer
		f.hosts[0].count(func() {
			f.hosts[0].answer = func(r fakeRequest) fakeAnswer { // accepted already
				time.Sleep(20 * time.Second)
				return answer(r)
			}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := f.get(t.Context(), 0); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(5 * time.Second)
		f.password("other")
		for until := time.Now().Add(time.Hour); time.Now().Before(until); time.Sleep(5 * time.Second) {
			for host := 1; host < 4; host++ {
				_ = f.get(t.Context(), host)
			}
		}
		wg.Wait()
		if f.failed() > 4 {
			t.Errorf("%d failed logons, want 4 at most", f.failed())
		}
	})
}

// TestOthersFirst: a host that has rejected an account in doubt leaves the next try to
// one that has not.
func TestOthersFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newLogonFleet(t, 2, false)
		f.storm(2)
		f.password("other", 0)
		_ = f.get(t.Context(), 0)
		time.Sleep(30 * time.Second)
		if err := f.get(t.Context(), 0); again(err) != time.Now().Add(10*time.Second) {
			t.Errorf("Get = %v, want it left to the other host for ten seconds", err)
		}
		if err := f.get(t.Context(), 1); err != nil || f.failed() != 1 {
			t.Errorf("Get = %v after %d failed logons, want an answer after one", err, f.failed())
		}
	})
}

// TestLocalAccountsStandAlone: a slow logon on one host does not hold up the separate account of
// another host.
func TestLocalAccountsStandAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newLogonFleet(t, 2, true)
		f.storm(2)
		f.password("other", 0)
		_ = f.get(t.Context(), 0)
		time.Sleep(30 * time.Second)
		f.password("right", 0)
		f.hosts[1].count(func() { f.hosts[1].slow = time.Minute })
		f.hosts[1].dropIdle()
		synctest.Wait()
		go func() { _, _ = f.clients[1].Get(t.Context(), jobReference("1")) }()
		synctest.Wait()
		start := time.Now()
		if _, err := f.clients[0].Get(t.Context(), jobReference("1")); err != nil || time.Since(start) > 0 {
			t.Errorf("Get = %v after %s, want an answer at once", err, time.Since(start))
		}
		time.Sleep(2 * time.Minute)
	})
}

// TestInsistOnce: callers who insist have one try for each doubt, however many callers there are.
func TestInsistOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newLogonFleet(t, 1, false)
		f.storm(1)
		f.password("other")
		_ = f.get(t.Context(), 0)
		for range 5 {
			_ = f.get(wsman.Insist(t.Context()), 0)
		}
		if f.failed() != 2 {
			t.Errorf("%d failed logons, want 2", f.failed())
		}
	})
}

// TestRejectionElsewhere: an error names the host that has rejected the credentials, if it is not
// the one that is asked.
func TestRejectionElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newLogonFleet(t, 4, false)
		f.password("other")
		for host := range 4 {
			err := f.get(t.Context(), host)
			auth, ok := errors.AsType[*wsman.AuthError](err)
			if !ok || !errors.Is(err, secure.ErrRejected) {
				t.Fatalf("host %d: %v, want a rejection", host, err)
			}
			by := ""
			if host >= 2 {
				by = "hv1:5985"
			}
			if auth.RejectedBy != by || strings.Contains(err.Error(), "hv1:5985") != (by != "") || len(auth.Schemes) > 0 != (by == "") {
				t.Errorf("host %d: %v, rejected by %q, want %q", host, err, auth.RejectedBy, by)
			}
		}
		if err := f.get(t.Context(), 0); err == nil || strings.Contains(err.Error(), "hv1:5985") {
			t.Errorf("host 0 again: %v, want what it said itself", err)
		}
	})
}

// TestFirstLogonsOfAFleet: two at a time, once one host has accepted the account.
func TestFirstLogonsOfAFleet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const hosts, judgement = 200, 100 * time.Millisecond
		f := newLogonFleet(t, hosts, false)
		f.slow(judgement)
		start := time.Now()
		if n := f.storm(hosts); n != hosts {
			t.Errorf("%d answers", n)
		}
		took := time.Since(start)
		t.Logf("%d hosts that take %s over a logon: all logged on in %s", hosts, judgement, took)
		if most := judgement + hosts*judgement/2; took > most {
			t.Errorf("%s, want %s at most", took, most)
		}
	})
}
