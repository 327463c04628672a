package wsman_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// impatiently asks all hosts, with ten callers at a time as Terraform has, none of which waits
// longer than patience.
func (f *logonFleet) impatiently(patience time.Duration) (answered int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for worker := range 10 {
		wg.Go(func() {
			for i := range 10 {
				ctx, cancel := context.WithTimeout(f.t.Context(), patience)
				_, err := f.clients[(worker+i)%len(f.clients)].Get(ctx, jobReference("1"))
				cancel()
				if err == nil {
					mu.Lock()
					answered++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return answered
}

func (f *logonFleet) slow(judgement time.Duration) {
	for _, h := range f.hosts {
		h.count(func() { h.slow = judgement })
	}
}

// TestUnansweredProofs: a proof whose caller gave up may be rejected all the same. That counts
// until the account is accepted, and for four minutes.
func TestUnansweredProofs(t *testing.T) {
	t.Parallel()
	for _, hosts := range []int{1, 12} {
		for _, perHost := range []bool{false, true} {
			for name, tt := range map[string]struct{ judgement, patience time.Duration }{
				"given up": {4 * time.Second, time.Second}, "slow": {4 * time.Second, time.Minute}, "timed out": {time.Minute, time.Hour},
			} {
				t.Run(fmt.Sprintf("%s, %d hosts, an account of each %v", name, hosts, perHost), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						f := newLogonFleet(t, hosts, perHost, func(cfg *wsman.Config) { cfg.RequestTimeout = time.Second })
						f.password("other")
						f.slow(tt.judgement)
						if n := f.impatiently(tt.patience); n != 0 {
							t.Errorf("%d answers", n)
						}
						if time.Sleep(time.Minute); f.failed() > 2 {
							t.Errorf("%d failed logons, want 2 at most", f.failed())
						}
					})
				})
			}
		}
	}
}

// TestUnansweredProofsAreForgotten: hosts that are slow to judge a right password delay no caller
// for long.
func TestUnansweredProofsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // one host: four minutes later
		f := newLogonFleet(t, 1, false)
		f.slow(2 * time.Second)
		for range 3 {
			f.impatiently(time.Second)
		}
		time.Sleep(30 * time.Second)
		f.slow(0)
		if err := f.get(t.Context(), 0); !errors.Is(err, wsman.ErrUnanswered) || again(err).IsZero() {
			t.Errorf("Get = %v, want it left for later", err)
		}
		time.Sleep(4 * time.Minute)
		if err := f.get(t.Context(), 0); err != nil {
			t.Error(err)
		}
		if n := f.storm(100); n != 100 {
			t.Errorf("%d answers, want 100", n)
		}
	})
	synctest.Test(t, func(t *testing.T) { // other hosts go first for ten seconds
		f := newLogonFleet(t, 3, false)
		f.hosts[0].count(func() { f.hosts[0].slow = 5 * time.Minute })
		go func() {
			for range 10 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_, _ = f.clients[0].Get(ctx, jobReference("1"))
				cancel()
			}
		}()
		time.Sleep(5 * time.Second)
		start := time.Now()
		for _, host := range []int{1, 2} {
			if err := f.get(t.Context(), host); err != nil || time.Since(start) > time.Second {
				t.Errorf("host %d: %v after %s", host, err, time.Since(start))
			}
		}
		f.hosts[0].count(func() { f.hosts[0].slow = 0 })
		if err := f.get(t.Context(), 0); err != nil { // settled by the other host
			t.Error(err)
		}
		time.Sleep(10 * time.Minute)
	})
}

// TestUnansweredProofsOfAProvenAccount: four proofs of a password that has changed, the last of
// them for callers who insist.
func TestUnansweredProofsOfAProvenAccount(t *testing.T) {
	t.Parallel()
	for _, perHost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newLogonFleet(t, 1, perHost)
			f.storm(1)
			f.password("other")
			f.slow(4 * time.Second)
			for range 20 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_ = f.get(ctx, 0)
				cancel()
			}
			if time.Sleep(10 * time.Second); f.failed() != 3 {
				t.Errorf("%d failed logons, want 3", f.failed())
			}
			for range 5 {
				ctx, cancel := context.WithTimeout(wsman.Insist(t.Context()), time.Second)
				_ = f.get(ctx, 0)
				cancel()
			}
			if time.Sleep(10 * time.Second); f.failed() != 4 {
				t.Errorf("%d failed logons of those who insist, want 4", f.failed())
			}
		})
	}
}

// TestUnansweredProofsEnd: one acceptance settles the proofs that went unanswered before it.
func TestUnansweredProofsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newLogonFleet(t, 1, false)
		f.storm(1)
		f.slow(4 * time.Second)
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_ = f.get(ctx, 0)
			cancel()
		}
		if err := f.get(t.Context(), 0); !errors.Is(err, wsman.ErrUnanswered) {
			t.Errorf("Get = %v, want it left for later", err)
		}
		if err := f.get(wsman.Insist(t.Context()), 0); err != nil {
			t.Errorf("who insists: %v", err)
		}
		for range 3 {
			if err := f.get(t.Context(), 0); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		}
	})
}
