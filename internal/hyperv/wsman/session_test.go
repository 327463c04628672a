package wsman_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

func jobReference(id string) cim.Reference {
	return cim.Reference{ResourceURI: jobURI, Selectors: []cim.Selector{{Name: "InstanceID", Value: id}}}
}

func compact(path string) wsman.Invocation {
	return wsman.Invocation{
		Target: cim.NewReference(cim.NamespaceVirtualizationV2, cim.ClassImageManagementService,
			cim.Selector{Name: "CreationClassName", Value: cim.ClassImageManagementService}),
		Method: "CompactVirtualHardDisk",
		Params: []wsman.Param{{Name: "Path", Value: cim.Text(path)}, {Name: "Mode", Value: cim.Text("1")}},
	}
}

// echo answers Gets with a running job and invocations with success.
func echo(r fakeRequest) fakeAnswer {
	if strings.Contains(r.soap, "CompactVirtualHardDisk_INPUT") {
		return output(r, "CompactVirtualHardDisk")
	}
	return job(r, "4")
}

func mustGet(ctx context.Context, t *testing.T, c *wsman.Client, id string) {
	t.Helper()
	i, err := c.Get(ctx, jobReference(id))
	if err != nil {
		t.Fatal(err)
	}
	if state, _, err := i.Uint("JobState", 16); err != nil || state != 4 || i.Class != "Msvm_StorageJob" {
		t.Fatalf("Get = class %s, JobState %d, %v; want Msvm_StorageJob, 4", i.Class, state, err)
	}
}

func TestSessionReusesItsConnection(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, echo)
	h.start()
	c := h.client()
	for i := range 3 {
		mustGet(t.Context(), t, c, fmt.Sprint(i))
	}
	conns, handshakes, posts := h.totals()
	if conns != 1 || handshakes != 1 || posts != 4 {
		t.Errorf("%d connections, %d handshakes, %d posts; want 1, 1, 4", conns, handshakes, posts)
	}
	s := c.Stats()
	if s.Exchanges != 4 || s.Connections != 1 || s.Handshakes != 1 || s.BytesSent == 0 || s.BytesReceived == 0 {
		t.Errorf("Stats() = %+v", s)
	}
}

func TestSessionBoundsItsConnections(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, echo)
	h.start()
	c := h.client(func(cfg *wsman.Config) { cfg.MaxConns = 3 })
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), jobReference(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if conns, _, _ := h.totals(); conns > 3 {
		t.Errorf("%d connections, want at most 3", conns)
	}
	if n := h.seen("transfer/Get"); n != 32 {
		t.Errorf("%d requests seen, want 32", n)
	}
}

func TestSessionSurvivesIdleDrop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t, echo)
		h.start()
		c := h.client()
		for i := range 4 {
			// A message that changes something is sent again too, because no part of it was
			// written.
			if _, err := c.Invoke(t.Context(), compact(fmt.Sprintf(`D:\%d.vhdx`, i))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			h.dropIdle()
			synctest.Wait()
			if n := h.seen(fmt.Sprintf(`D:\%d.vhdx`, i)); n != 1 {
				t.Errorf("message %d seen %d times, want once", i, n)
			}
		}
		if conns, _, _ := h.totals(); conns != 4 {
			t.Errorf("%d connections, want 4", conns)
		}
	})
}

func TestSessionCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := newFakeHost(t, func(r fakeRequest) fakeAnswer {
			if strings.Contains(r.soap, "SLOW") {
				<-release
			}
			return echo(r)
		})
		h.start()
		c := h.client(func(cfg *wsman.Config) { cfg.MaxConns = 1 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.Invoke(ctx, compact("SLOW"))
		var outcome *wsman.OutcomeError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &outcome) || time.Since(start) != time.Second {
			t.Errorf("Invoke = %v after %v, want DeadlineExceeded with an open outcome after 1s", err, time.Since(start))
		}
		if errors.As(err, new(*wsman.ConnectionError)) || wsman.Retryable(err) {
			t.Errorf("Invoke = %v: the caller gave up, the connection was not lost", err)
		}
		mustGet(t.Context(), t, c, "after")

		// A host that never answers: 60 s for the host, 30 s more for the way.
		start = time.Now()
		_, err = c.Invoke(t.Context(), compact("SLOW"))
		if !errors.As(err, &outcome) || time.Since(start) != 90*time.Second {
			t.Errorf("Invoke = %v after %v, want an open outcome after 1m30s", err, time.Since(start))
		}

		// Waiting for a connection honours the context.
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = c.Invoke(t.Context(), compact("SLOW"))
		}()
		synctest.Wait()
		ctx, cancel2 := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel2()
		start = time.Now()
		_, err = c.Invoke(ctx, compact("WAITING"))
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &outcome) || time.Since(start) != 3*time.Second || h.seen("WAITING") != 0 {
			t.Errorf("Invoke = %v after %v; want DeadlineExceeded after 3s and nothing sent", err, time.Since(start))
		}
		close(release)
		<-done
	})
}

func TestSessionRetiresIdleConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t, echo)
		h.start()
		c := h.client()
		mustGet(t.Context(), t, c, "1")
		time.Sleep(80 * time.Second)
		mustGet(t.Context(), t, c, "2")
		if conns, _, _ := h.totals(); conns != 1 {
			t.Errorf("%d connections after 80 s idle, want 1", conns)
		}
		time.Sleep(91 * time.Second)
		synctest.Wait()
		h.mu.Lock()
		for _, s := range h.live {
			if s != http.StateClosed {
				t.Errorf("connection is %v after 91 s idle, want closed", s)
			}
		}
		h.mu.Unlock()
		mustGet(t.Context(), t, c, "3")
		if conns, _, _ := h.totals(); conns != 2 {
			t.Errorf("%d connections after 91 s idle, want 2", conns)
		}
	})
}

func TestUnreachableHostCostsOneTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int64
		var up atomic.Bool
		h := newFakeHost(t, echo)
		h.start()
		c := h.client(func(cfg *wsman.Config) {
			cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials.Add(1)
				if up.Load() {
					return h.listener.dial(ctx, network, address)
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
		start := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := c.Get(t.Context(), jobReference("1"))
				var unreachable *wsman.UnreachableError
				if !errors.As(err, &unreachable) || unreachable.Address != "hv1.example:5985" || !wsman.Retryable(err) {
					t.Errorf("Get = %v, want an UnreachableError", err)
				}
			})
		}
		wg.Wait()
		if _, err := c.Invoke(t.Context(), compact("x")); errors.As(err, new(*wsman.OutcomeError)) || !errors.As(err, new(*wsman.UnreachableError)) {
			t.Errorf("Invoke = %v, want an UnreachableError: nothing was asked", err)
		}
		if took := time.Since(start); took != 30*time.Second || dials.Load() != 1 {
			t.Errorf("%d dials in %v, want 1 in 30s", dials.Load(), took)
		}
		up.Store(true)
		time.Sleep(31 * time.Second)
		mustGet(t.Context(), t, c, "later")

		// Once the host was reached, every dial is tried: a service that restarts is back soon.
		up.Store(false)
		synctest.Wait()
		h.dropIdle()
		synctest.Wait()
		before := dials.Load()
		for range 2 {
			if _, err := c.Get(t.Context(), jobReference("1")); !errors.As(err, new(*wsman.UnreachableError)) {
				t.Errorf("Get = %v, want an UnreachableError", err)
			}
		}
		if n := dials.Load() - before; n != 2 {
			t.Errorf("%d dials after the host was reached, want 2", n)
		}
	})
}

// A caller that gives up says nothing about the host.
func TestCancelledDialIsNotRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t, echo)
		h.start()
		var dials atomic.Int64
		c := h.client(func(cfg *wsman.Config) {
			cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if dials.Add(1) == 1 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return h.listener.dial(ctx, network, address)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Get(ctx, jobReference("1"))
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*wsman.UnreachableError)) {
			t.Errorf("Get = %v, want DeadlineExceeded alone", err)
		}
		mustGet(t.Context(), t, c, "2")
	})
}

func TestClosedClientKeepsNoConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t, echo)
		h.start()
		c := h.client()
		mustGet(t.Context(), t, c, "1")
		c.Close()
		mustGet(t.Context(), t, c, "2")
		synctest.Wait()
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, s := range h.live {
			if s != http.StateClosed {
				t.Errorf("connection is %v, want closed", s)
			}
		}
	})
}

func TestNewRefusals(t *testing.T) {
	t.Parallel()
	endpoint := func(https, insecure bool) *winrm.Endpoint {
		return &winrm.Endpoint{Host: "h", Port: 1, HTTPS: https, Insecure: insecure}
	}
	basic := &wsman.BasicCredentials{User: "u", Password: "canary"}
	for name, cfg := range map[string]wsman.Config{
		"no host":                {Mechanism: toy{}},
		"no authentication":      {Endpoint: endpoint(true, false)},
		"two kinds":              {Endpoint: endpoint(true, false), Mechanism: toy{}, Basic: basic},
		"basic over http":        {Endpoint: endpoint(false, false), Basic: basic},
		"basic unverified":       {Endpoint: endpoint(true, true), Basic: basic},
		"certificate over http":  {Endpoint: endpoint(false, false), Certificate: true},
		"certificate unverified": {Endpoint: endpoint(true, true), Certificate: true},
		"certificate missing":    {Endpoint: endpoint(true, false), Certificate: true},
		"negative limit":         {Endpoint: endpoint(true, false), Mechanism: toy{}, MaxConns: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := wsman.New(cfg); err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("New = %v, want a refusal", err)
			}
		})
	}
	if _, err := wsman.New(wsman.Config{Endpoint: endpoint(true, false), Basic: basic}); err != nil {
		t.Errorf("New = %v, want Basic over verified https accepted", err)
	}
}
