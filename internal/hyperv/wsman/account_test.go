package wsman_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// logonFleet holds some hosts and a client for each, with one account.
type logonFleet struct {
	t       testing.TB
	hosts   []*fakeHost
	clients []*wsman.Client
}

func newLogonFleet(t testing.TB, hosts int, perHost bool, change ...func(*wsman.Config)) *logonFleet {
	t.Helper()
	f := &logonFleet{t: t}
	account := wsman.NewAccount(perHost)
	for i := range hosts {
		h := newFakeHost(t, echo)
		h.start()
		f.hosts = append(f.hosts, h)
		f.clients = append(f.clients, h.client(append(change, func(cfg *wsman.Config) {
			cfg.Endpoint, cfg.Account = &winrm.Endpoint{Host: fmt.Sprintf("hv%d", i), Port: 5985}, account
		})...))
	}
	return f
}

// get reads something on a new connection.
func (f *logonFleet) get(ctx context.Context, host int) error {
	synctest.Wait()
	f.hosts[host].dropIdle()
	synctest.Wait()
	_, err := f.clients[host].Get(ctx, jobReference("1"))
	return err
}

func (f *logonFleet) failed() int {
	n := 0
	for _, h := range f.hosts {
		n += h.failedLogons()
	}
	return n
}

// password changes the password of the account; hosts lists the hosts that know the new one, all if
// empty.
func (f *logonFleet) password(password string, hosts ...int) {
	for i, h := range f.hosts {
		if len(hosts) == 0 {
			h.setPassword(password)
		}
		for _, only := range hosts {
			if i == only {
				h.setPassword(password)
			}
		}
	}
}

// storm asks all hosts at once, often, and returns how many answers there were.
func (f *logonFleet) storm(parallel int) (answered int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range parallel {
		wg.Go(func() {
			if _, err := f.clients[i%len(f.clients)].Get(f.t.Context(), jobReference("1")); err == nil {
				mu.Lock()
				defer mu.Unlock()
				answered++
			} else if !errors.Is(err, secure.ErrRejected) {
				f.t.Errorf("Get = %v, want an answer or a rejection", err)
			}
		})
	}
	wg.Wait()
	return answered
}

func again(err error) time.Time {
	auth, _ := errors.AsType[*wsman.AuthError](err)
	if auth == nil {
		return time.Time{}
	}
	return auth.Again
}

// TestWrongPassword: there are two failed logons at most, however many hosts there are.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	for _, perHost := range []bool{false, true} {
		for hosts, want := range map[int]int{1: 1, 2: 2, 12: 2, 200: 2} {
			t.Run(fmt.Sprintf("%d hosts, an account of each %v", hosts, perHost), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newLogonFleet(t, hosts, perHost)
					f.password("other")
					if n := f.storm(1000); n != 0 || f.failed() != want {
						t.Errorf("%d failed logons, %d answers; want %d, none", f.failed(), n, want)
					}
					time.Sleep(24 * time.Hour)
					f.storm(100)
					if err := f.get(wsman.Insist(t.Context()), 0); err == nil || !again(err).IsZero() {
						t.Errorf("Get = %v, want a rejection for good", err)
					}
					if f.failed() != want {
						t.Errorf("%d failed logons a day later, want %d", f.failed(), want)
					}
				})
			})
		}
	}
}

// TestFirstHostRejects: one host may reject a right password; the others work, and
// it is tried again when they have accepted it.
func TestFirstHostRejects(t *testing.T) {
	t.Parallel()
	for _, perHost := range []bool{false, true} {
		t.Run(fmt.Sprint(perHost), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newLogonFleet(t, 200, perHost)
				f.password("other", 0)
				if err := f.get(t.Context(), 0); !errors.Is(err, secure.ErrRejected) {
					t.Fatal(err)
				}
				start := time.Now()
				for i := 1; i < 200; i++ {
					if err := f.get(t.Context(), i); err != nil {
						t.Fatalf("host %d: %v", i, err)
					}
				}
				if n := f.storm(1000); n != 995 {
					t.Errorf("%d answers, want 995: all but the first host's", n)
				}
				if err := f.get(t.Context(), 0); again(err) != start.Add(30*time.Second) {
					t.Errorf("Get = %v, want the next try in 30 s", err)
				}
				f.password("right", 0)
				time.Sleep(30 * time.Second)
				if err := f.get(t.Context(), 0); err != nil || f.failed() != 1 {
					t.Errorf("Get = %v after %d failed logons", err, f.failed())
				}
			})
		})
	}
}

// TestManyHostsReject: hosts that come to reject a right password, one after
// the other, do not use up the tries that the account has left.
func TestManyHostsReject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hosts, bad := sample.Of(40, 12), sample.Of(20, 6)
		f := newLogonFleet(t, hosts, false)
		if n := f.storm(hosts); n != hosts {
			t.Fatalf("%d answers", n)
		}
		for broken := range bad {
			f.password("other", broken)
			for range 4 {
				time.Sleep(7 * time.Second)
				for i := range hosts { // those that reject come first, every time
					if err := f.get(t.Context(), i); (err != nil) != (i <= broken) {
						t.Fatalf("%d broken hosts, host %d: %v", broken+1, i, err)
					}
				}
			}
		}
		for i, h := range f.hosts {
			if n := h.failedLogons(); n > 4 {
				t.Errorf("host %d: %d failed logons", i, n)
			}
		}
	})
}

// TestPasswordChanged counts the failed logons in the life of the process after the password has
// changed.
func TestPasswordChanged(t *testing.T) {
	t.Parallel()
	for _, tt := range sample.Every(3, []struct {
		hosts   int
		perHost bool
		most    int // failed logons
	}{{2, false, 4}, {1, false, 4}, {12, false, 4}, {1, true, 4}, {12, true, 4 * 12}}) {
		t.Run(fmt.Sprintf("%d hosts, an account of each %v", tt.hosts, tt.perHost), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newLogonFleet(t, tt.hosts, tt.perHost)
				f.storm(100)
				f.password("other")
				ctx := wsman.Insist(t.Context())
				for until := time.Now().Add(time.Hour); time.Now().Before(until); time.Sleep(17 * time.Second) {
					for _, h := range f.hosts {
						synctest.Wait()
						h.dropIdle()
					}
					synctest.Wait()
					f.storm(50)
					if time.Until(until) < 50*time.Minute {
						_ = f.get(ctx, 0)
					}
				}
				if f.failed() > tt.most || f.failed() < min(tt.most, 3) {
					t.Errorf("%d failed logons in all, want %d at most", f.failed(), tt.most)
				}
				for i, h := range f.hosts {
					if n := h.failedLogons(); n > 4 {
						t.Errorf("host %d: %d failed logons", i, n)
					}
				}
			})
		})
	}
}

// TestLogonsComeBack: outages after which logons with the account succeed again.
func TestLogonsComeBack(t *testing.T) {
	t.Parallel()
	for _, hosts := range sample.Every(2, []int{1, 2, 12}) {
		for away, back := range map[time.Duration]time.Duration{
			5 * time.Second: 30 * time.Second, 30 * time.Second: 30 * time.Second,
			2 * time.Minute: 4 * time.Minute, 4 * time.Minute: 4 * time.Minute,
			5 * time.Minute: 0, 30 * time.Minute: 0, // too long to recover from
		} {
			t.Run(fmt.Sprintf("%d hosts, %s", hosts, away), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newLogonFleet(t, hosts, false)
					f.storm(hosts)
					f.password("none")
					start := time.Now()
					time.AfterFunc(away-time.Millisecond, func() { f.password("right") }) // before a try at that time
					var came time.Duration
					for ; time.Since(start) < time.Hour; time.Sleep(time.Second) {
						if err := f.get(t.Context(), int(time.Since(start)/time.Second)%hosts); err == nil {
							came = time.Since(start)
							break
						}
					}
					if came < back || came > back+10*time.Second || f.failed() > 4 {
						t.Errorf("back after %s with %d failed logons, want %s and at most 4", came, f.failed(), back)
					}
				})
			})
		}
	}
}

// TestRowOfRejections changes passwords at random: whatever happens, an account never meets more
// than four rejections in a row.
func TestRowOfRejections(t *testing.T) {
	t.Parallel()
	for seed := range sample.Of(uint64(25), 5) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			hosts := 1 + random.IntN(6)
			f := newLogonFleet(t, hosts, false)
			var mu sync.Mutex
			row := 0
			for _, h := range f.hosts {
				h.slow = time.Duration(random.IntN(8000)) * time.Millisecond
				h.verdicts = func(accepted bool) {
					mu.Lock()
					defer mu.Unlock()
					if row++; accepted {
						row = 0
					}
					if row > 4 {
						t.Errorf("seed %d: %d rejections in a row", seed, row)
					}
				}
			}
			for range 40 {
				if random.IntN(3) == 0 {
					f.password([]string{"right", "other"}[random.IntN(2)], random.IntN(hosts))
				}
				for _, h := range f.hosts {
					synctest.Wait()
					h.dropIdle()
				}
				go f.storm(10)
				time.Sleep(time.Duration(random.IntN(100000)) * time.Millisecond)
			}
			time.Sleep(time.Hour)
		})
	}
}

// TestInsist: one more try for work that must not be left undone, and no more.
func TestInsist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newLogonFleet(t, 1, false)
		f.storm(1)
		f.password("none")
		for _, wait := range []time.Duration{0, 30 * time.Second, 4 * time.Minute, 10 * time.Minute} {
			time.Sleep(wait)
			_ = f.get(t.Context(), 0)
		}
		if f.failed() != 3 {
			t.Errorf("%d failed logons, want 3", f.failed())
		}
		for range 3 {
			if err := f.get(wsman.Insist(t.Context()), 0); err == nil {
				t.Error("it was accepted")
			}
		}
		if f.failed() != 4 {
			t.Errorf("%d failed logons of those who insist, want 4", f.failed())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newLogonFleet(t, 1, false)
		f.storm(1)
		f.password("none")
		_ = f.get(t.Context(), 0)
		time.Sleep(time.Second)
		f.password("right")
		if err := f.get(t.Context(), 0); err == nil {
			t.Error("it was tried at once")
		}
		if err := f.get(wsman.Insist(t.Context()), 0); err != nil {
			t.Error(err)
		}
		if err := f.get(t.Context(), 0); err != nil { // logons succeed again
			t.Error(err)
		}
	})
}

// TestHostsThatHang: a host that hangs before the proof delays no other host;
// one that hangs while it judges the proof delays others for three seconds.
func TestHostsThatHang(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]func(cfg *wsman.Config){
		"at the connection": func(cfg *wsman.Config) {
			cfg.Dial = func(_ context.Context, _, _ string) (net.Conn, error) {
				client, _ := net.Pipe() // whose other end never reads
				return client, nil
			}
		},
		"with the proof": func(cfg *wsman.Config) {
			dial := cfg.Dial
			cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := dial(ctx, network, address)
				return &deaf{Conn: c}, err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				account := wsman.NewAccount(false)
				start := time.Now()
				var wg sync.WaitGroup
				client := func(i int, change func(*wsman.Config)) *wsman.Client {
					h := newFakeHost(t, echo)
					h.start()
					return h.client(func(cfg *wsman.Config) {
						cfg.Endpoint, cfg.Account = &winrm.Endpoint{Host: fmt.Sprintf("hv%d", i), Port: 5985}, account
					}, change)
				}
				hung := 3
				if name == "with the proof" {
					hung = 1
				}
				for i := range hung {
					c := client(i, hang)
					wg.Go(func() { _, _ = c.Get(t.Context(), jobReference("1")) })
				}
				synctest.Wait()
				c := client(9, func(*wsman.Config) {})
				if _, err := c.Get(t.Context(), jobReference("1")); err != nil || time.Since(start) > 10*time.Second {
					t.Errorf("Get = %v after %s, want an answer within 10 s", err, time.Since(start))
				}
				wg.Wait()
			})
		})
	}
}

// deaf is a connection from which nothing can be read after the first answer.
type deaf struct {
	net.Conn

	heard bool
}

func (c *deaf) Read(b []byte) (int, error) {
	if !c.heard {
		c.heard = true
		return c.Conn.Read(b)
	}
	var none [1]byte
	for { // until it is closed
		if _, err := c.Conn.Read(none[:]); err != nil {
			return 0, err
		}
	}
}

// TestBasicRejected: each message of Basic is a proof.
func TestBasicRejected(t *testing.T) {
	t.Parallel()
	h, c := basicHost(t, echo)
	var wg sync.WaitGroup
	ask := func(times int) (answered int) {
		var mu sync.Mutex
		for range times {
			wg.Go(func() {
				if _, err := c.Get(t.Context(), jobReference("1")); err == nil {
					mu.Lock()
					defer mu.Unlock()
					answered++
				}
			})
		}
		wg.Wait()
		return answered
	}
	if n := ask(50); n != 50 {
		t.Fatalf("%d answers", n)
	}
	h.count(func() { h.header = "Basic " + strings.Repeat("A", 8) })
	if n := ask(50); n != 0 || h.failedLogons() > 2 {
		t.Errorf("%d answers, %d failed logons at once; want none, 2 at most", n, h.failedLogons())
	}
}
