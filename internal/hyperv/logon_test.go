package hyperv_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// site is some hosts of one domain, and a fleet that reaches them.
type site struct {
	t        *testing.T
	accounts *hypervsim.Accounts // of the domain
	hosts    []*hypervsim.Host
	network  *hypervsim.Network
	fleet    *hyperv.Fleet
}

func hostName(i int) string { return fmt.Sprintf("hv%03d", i) }

// newSite makes hosts whose user is a domain account, or a local account of each host if local is
// set, with options for each host.
func newSite(t *testing.T, hosts int, local bool, opts func(i int) []hypervsim.Option) *site {
	t.Helper()
	s := &site{t: t, accounts: hypervsim.NewAccounts(), network: hypervsim.NewNetwork()}
	user := testUser
	if local {
		user = "admin"
	}
	for i := range hosts {
		all := []hypervsim.Option{hypervsim.WithUser(user, testPassword), hypervsim.WithoutListener(), hypervsim.WithComputerName(hostName(i))}
		if !local {
			all = append(all, hypervsim.WithDomain("HYPERV", "hyperv.example"), hypervsim.WithAccounts(s.accounts))
		}
		h := hypervsim.RunT(t, append(all, opts(i)...)...)
		s.hosts = append(s.hosts, h)
		s.network.Point(hostName(i), h)
	}
	if local {
		user = `.\admin`
	}
	var err error
	if s.fleet, err = hyperv.NewFleet(hyperv.Config{
		Auth: hyperv.AuthNTLM, Username: user, Password: testPassword, RequestTimeout: time.Minute,
		MaxConcurrentCompactions: 2, MaxConcurrentRequests: 5, Dial: s.network.DialAs(""),
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.fleet.Close)
	return s
}

func (s *site) host(i int) *hyperv.Host {
	s.t.Helper()
	h, err := s.fleet.Host(hostName(i))
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

// storm reads a disk on all hosts, with so many requests at once, and returns
// which hosts answered everything, and which nothing.
func (s *site) storm(parallel int) (good, bad int) {
	s.t.Helper()
	var wg sync.WaitGroup
	answered, failed := make([]atomic.Int64, len(s.hosts)), make([]atomic.Int64, len(s.hosts))
	for i := range parallel {
		n := i % len(s.hosts)
		host := s.host(n)
		wg.Go(func() {
			switch _, err := host.FileSize(s.t.Context(), diskPath); {
			case err == nil:
				answered[n].Add(1)
			case errors.Is(err, hyperv.ErrUnauthenticated):
				failed[n].Add(1)
			default:
				s.t.Errorf("FileSize = %v", err)
			}
		})
	}
	wg.Wait()
	for i := range s.hosts {
		if failed[i].Load() == 0 {
			good++
		}
		if answered[i].Load() == 0 {
			bad++
		}
	}
	return good, bad
}

func withDisk(int) []hypervsim.Option { return []hypervsim.Option{disk()} }

// TestOneWrongPassword: a wrong password never locks the account of a domain.
func TestOneWrongPassword(t *testing.T) {
	t.Parallel()
	for _, hosts := range []int{1, 12, 200} {
		t.Run(fmt.Sprint(hosts), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, hosts, false, withDisk)
				s.accounts.SetPassword(testUser, "another one")
				if good, _ := s.storm(1000); good != 0 || s.accounts.FailedLogons() > 2 || s.accounts.FailedLogons() == 0 {
					t.Errorf("%d hosts answered, %d failed logons; want none and 2 at most", good, s.accounts.FailedLogons())
				}
			})
		})
	}
}

// TestOneHostRejects: of 200 hosts the first to answer rejects a right password.
func TestOneHostRejects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 200, false, func(i int) []hypervsim.Option {
			if i != 0 {
				return withDisk(i)
			}
			broken := hypervsim.NewAccounts() // a broken trust: the database has an old password of the account
			broken.SetPassword(testUser, "an old one")
			return append(withDisk(i), hypervsim.WithAccounts(broken))
		})
		if _, err := s.host(0).FileSize(t.Context(), diskPath); !errors.Is(err, hyperv.ErrUnauthenticated) {
			t.Fatal(err)
		}
		if good, bad := s.storm(1000); good != 199 || bad != 1 {
			t.Errorf("%d hosts work and %d do not, want 199 and 1", good, bad)
		}
	})
}

// TestPasswordChanges: a password that changes while a queue of disks is compacted costs the
// account of a domain four failed logons in the life of the process, and that of a host four on
// each.
func TestPasswordChanges(t *testing.T) {
	t.Parallel()
	// The rules have no other branches for more of them.
	disks, job, change := sample.Of(100, 36), sample.Of(20*time.Minute, 4*time.Minute), sample.Of(50*time.Minute, 6*time.Minute)
	for _, tt := range sample.Every(3, []struct {
		hosts int
		local bool
	}{{1, false}, {12, false}, {1, true}, {12, true}}) {
		t.Run(fmt.Sprintf("%d hosts, local accounts %v", tt.hosts, tt.local), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := func(i int) string { return fmt.Sprintf(`D:\VMs\disk%d.vhdx`, i) }
				s := newSite(t, tt.hosts, tt.local, func(n int) []hypervsim.Option {
					var all []hypervsim.Option
					for i := n; i < disks; i += tt.hosts {
						all = append(all, disk(func(v *hypervsim.VHD) { v.Path, v.JobDuration = path(i), job }))
					}
					return all
				})
				time.AfterFunc(change, func() {
					for i, h := range s.hosts {
						h.Accounts().SetPassword(map[bool]string{false: testUser, true: "admin"}[tt.local], "another one")
						s.network.Cut(hostName(i)) // established contexts would go on
					}
				})
				var wg sync.WaitGroup
				var compacted, told atomic.Int64
				for i := range disks {
					host := s.host(i % tt.hosts)
					wg.Go(func() {
						got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.Path = path(i) }))
						if err == nil {
							compacted.Add(1)
						}
						if got.LeftAttached {
							told.Add(1)
						}
					})
				}
				wg.Wait()
				attached := 0
				for i, h := range s.hosts {
					attached += len(h.Attachments())
					if n := h.Accounts().FailedLogons(); n > 4 {
						t.Errorf("host %d: %d failed logons, want 4 at most", i, n)
					}
				}
				if compacted.Load() == 0 || int(compacted.Load()) == disks || int64(attached) > told.Load() {
					t.Errorf("%d of %d disks were compacted; %d attached, %d told", compacted.Load(), disks, attached, told.Load())
				}
			})
		})
	}
}

// TestLocalAccountsApart: failed logons of a local account on some hosts do not affect the account
// of that name on another.
func TestLocalAccountsApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 3, true, withDisk)
		for i := range s.hosts {
			if _, err := s.host(i).FileSize(t.Context(), diskPath); err != nil {
				t.Fatal(err)
			}
		}
		for i := range s.hosts {
			s.network.Cut(hostName(i))
		}
		for i := range 2 {
			s.hosts[i].Accounts().SetPassword("admin", "another one")
		}
		for range 60 {
			for i := range 2 {
				if _, err := s.host(i).FileSize(t.Context(), diskPath); !errors.Is(err, hyperv.ErrUnauthenticated) {
					t.Errorf("host %d: %v, want a rejection", i, err)
				}
			}
			time.Sleep(10 * time.Second)
		}
		if _, err := s.host(2).FileSize(t.Context(), diskPath); err != nil {
			t.Errorf("the host whose account is as it was: %v", err)
		}
	})
}

// TestLogonOutage: the domain is out of reach for some time of a run of six hours. The run goes on
// if that is less than the host keeps the record of its job; whatever happens, the disk is detached
// or reported as attached.
func TestLogonOutage(t *testing.T) {
	t.Parallel()
	const job = 6 * time.Hour
	for at, begins := range map[string]time.Duration{
		"before": 0, "after the start": 2 * time.Minute, "in the middle": 3 * time.Hour, "at the detach": job - time.Second,
	} {
		for _, away := range sample.Every(5, []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 30 * time.Minute}) {
			t.Run(fmt.Sprintf("%s, %s", at, away), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, 1, false, func(int) []hypervsim.Option {
						return []hypervsim.Option{disk(func(v *hypervsim.VHD) { v.JobDuration = job })}
					})
					host := s.host(0)
					if _, err := host.FileSize(t.Context(), diskPath); err != nil {
						t.Fatal(err)
					}
					out := func() {
						s.accounts.SetAway(true)
						s.network.Cut(hostName(0))
						time.AfterFunc(away, func() { s.accounts.SetAway(false) })
					}
					if begins == 0 {
						out()
					} else {
						time.AfterFunc(begins, out)
					}
					got, err := host.Compact(t.Context(), order())
					switch attached := len(s.hosts[0].Attachments()); {
					case begins == 0:
						if !errors.Is(err, hyperv.ErrUnauthenticated) || got.Run != nil || attached != 0 {
							t.Errorf("result = %+v, %v; want nothing started", got, err)
						}
					case away <= 2*time.Minute && (err != nil || got.Status != hyperv.StatusCompacted || attached != 0):
						t.Errorf("result = %+v, %v; want the run to survive", got, err)
					case attached > 0 && !got.LeftAttached:
						t.Errorf("result = %+v, %v; the disk is attached, which nobody is told", got, err)
					case err == nil && got.Status != hyperv.StatusCompacted:
						t.Errorf("result = %+v", got)
					}
					if n := s.hosts[0].FailedLogons(); n > 4 {
						t.Errorf("%d logons were rejected, want 4 at most", n)
					}
					t.Logf("%s after %s: %v, %v, left %v", got.Status, got.Detail, err, s.hosts[0].FailedLogons(), got.LeftAttached)
				})
			})
		}
	}
}

// TestLogonOutageAtTheSize: the size after a run is read when the domain is back.
func TestLogonOutageAtTheSize(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 1, false, func(int) []hypervsim.Option {
			return []hypervsim.Option{disk(func(v *hypervsim.VHD) { v.JobDuration = 10 * time.Minute })}
		})
		var once sync.Once
		got, err := s.host(0).Compact(t.Context(), order(mode(hyperv.ModePrezeroed), func(o *hyperv.Order) {
			o.OnProgress = func(p hyperv.Progress) {
				if p.Percent < 100 {
					return
				}
				once.Do(func() {
					s.accounts.SetAway(true)
					s.network.Cut(hostName(0)) // established contexts would go on
					time.AfterFunc(time.Minute, func() { s.accounts.SetAway(false) })
				})
			}
		}))
		once.Do(func() { t.Error("the end of the job was not reported") })
		if err != nil || got.Run == nil || got.Run.FileSizeAfterBytes == nil {
			t.Errorf("result = %+v, %v, want the size after the run", got, err)
		}
	})
}

// TestLogonOutageAtTheLastTries: a disk is given back though the domain is away for
// nearly all of the time that there is for it, however long the host takes over a logon.
func TestLogonOutageAtTheLastTries(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for slow := time.Duration(0); slow < 4*time.Second; slow += 250 * time.Millisecond {
		times = append(times, slow)
	}
	for _, slow := range sample.Every(5, times) {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, 1, false, func(int) []hypervsim.Option {
				return []hypervsim.Option{disk(func(v *hypervsim.VHD) { v.JobDuration = 10 * time.Minute })}
			})
			got, err := s.host(0).Compact(t.Context(), order(func(o *hyperv.Order) {
				o.OnProgress = func(p hyperv.Progress) {
					if p.Phase == hyperv.PhaseDetaching {
						s.accounts.SetAway(true)
						s.network.Cut(hostName(0))
						s.hosts[0].AddRule(hypervsim.Rule{Operation: hypervsim.OperationHandshake, Times: -1, Func: func(hypervsim.Request) { time.Sleep(slow) }})
						time.AfterFunc(4*time.Minute+30*time.Second, func() { s.accounts.SetAway(false) })
					}
				}
			}))
			if n := len(s.hosts[0].Attachments()); n != 0 || got.LeftAttached {
				t.Errorf("logons of %s: %d disks attached; result = %+v, %v", slow, n, got, err)
			}
			if n := s.hosts[0].FailedLogons(); n != 3 {
				t.Errorf("logons of %s: %d rejected, want those at once, after 30 s and after 4 min", slow, n)
			}
		})
	}
}
