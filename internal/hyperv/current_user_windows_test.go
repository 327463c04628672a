//go:build wine

package hyperv_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// currentUserHost is a simulated host on a socket that knows the user whom a build for
// Wine logs on.
func currentUserHost(t *testing.T, opts ...hypervsim.Option) (*hypervsim.Host, *hyperv.Fleet) {
	t.Helper()
	user := os.Getenv("HYPERV_WINE_DOMAIN") + `\` + os.Getenv("HYPERV_WINE_USER")
	sim := hypervsim.RunT(t, append(opts, hypervsim.WithUser(user, "S3cr3t-Pässwörd"))...)
	fleet, err := hyperv.NewFleet(hyperv.Config{
		Auth: hyperv.AuthWindows, Port: sim.Port(), RequestTimeout: time.Minute, MaxConcurrentCompactions: 2, MaxConcurrentRequests: 8,
	})
	if err != nil {
		t.Fatal(err)
	}
	return sim, fleet
}

// By SSPI a disk is attached, compacted and detached while others are read over eight
// connections, and LSA keeps nothing afterwards.
func TestCurrentUser(t *testing.T) { //nolint:paralleltest // it counts what the whole process holds
	const path = `D:\VMs\sql01.vhdx`
	var mu sync.Mutex
	var now, most int // requests under way
	slowly := func(_, answer string) string {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		now--
		return answer
	}
	sim, fleet := currentUserHost(t, hypervsim.WithAnswer(slowly),
		hypervsim.WithVHD(hypervsim.VHD{Path: path, FileSize: 10 * gib, ReclaimableMounted: gib, Immediate: true, AttachImmediate: true}))
	host, err := fleet.Host("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	result, err := host.Compact(t.Context(), hyperv.Order{Path: path, AllowAttach: true, Timeout: time.Minute})
	if err != nil || result.FileSizeBytes == nil || *result.FileSizeBytes != 9*gib {
		t.Errorf("%+v, %v", result, err)
	}
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := host.Inspect(t.Context(), path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	clean(t, sim)
	if most != 8 || sim.Logons() < 8 || sim.FailedLogons() != 0 {
		t.Errorf("%d requests at once, %d logons and %d failed ones, want 8 connections at once", most, sim.Logons(), sim.FailedLogons())
	}
	if secure.LiveHandles() == 0 {
		t.Error("nothing is counted")
	}
	fleet.Close()
	if n := secure.LiveHandles(); n != 0 {
		t.Errorf("%d handles are left", n)
	}
}

// A wrong password is one failed logon.
func TestCurrentUserRejected(t *testing.T) { //nolint:paralleltest // as above
	sim := hypervsim.RunT(t, hypervsim.WithUser(`ELSE\somebody`, "x"))
	fleet, err := hyperv.NewFleet(hyperv.Config{
		Auth: hyperv.AuthWindows, Port: sim.Port(), RequestTimeout: time.Minute, MaxConcurrentCompactions: 2, MaxConcurrentRequests: 8,
	})
	if err != nil {
		t.Fatal(err)
	}
	host, err := fleet.Host("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := host.Inspect(t.Context(), `D:\x.vhdx`); !errors.Is(err, hyperv.ErrUnauthenticated) {
				t.Errorf("%v, want ErrUnauthenticated", err)
			}
		})
	}
	wg.Wait()
	if n := sim.FailedLogons(); n != 1 {
		t.Errorf("%d failed logons, want 1", n)
	}
	fleet.Close()
	if n := secure.LiveHandles(); n != 0 {
		t.Errorf("%d handles are left", n)
	}
}

// Whatever a host does amid a logon, LSA keeps nothing of it.
func TestCurrentUserGivesBack(t *testing.T) { //nolint:paralleltest // as above
	offer := func(value string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", value)
			w.WriteHeader(status)
		}
	}
	for name, host := range map[string]http.HandlerFunc{ //nolint:paralleltest // as above
		"another scheme only":       offer("Basic realm=x", http.StatusUnauthorized),
		"no token":                  offer("Negotiate", http.StatusUnauthorized),
		"a token that is none":      offer("Negotiate bm8gdG9rZW4=", http.StatusUnauthorized),
		"no base64":                 offer("Negotiate %%%", http.StatusUnauthorized),
		"good without a handshake":  offer("Negotiate", http.StatusOK),
		"an error":                  offer("Negotiate", http.StatusInternalServerError),
		"the end of the connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"nothing, for a long time":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(host)
			t.Cleanup(srv.Close)
			_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
			must(t, err)
			number, err := strconv.Atoi(port)
			must(t, err)
			fleet, err := hyperv.NewFleet(hyperv.Config{
				Auth: hyperv.AuthWindows, Port: number, RequestTimeout: time.Minute, MaxConcurrentCompactions: 2, MaxConcurrentRequests: 8,
			})
			must(t, err)
			there, err := fleet.Host("127.0.0.1")
			must(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if _, err := there.Inspect(ctx, `D:\x.vhdx`); err == nil {
						t.Error("a host that is none told of a disk")
					}
				})
			}
			wg.Wait()
			fleet.Close()
			for end := time.Now().Add(5 * time.Second); secure.LiveHandles() != 0 && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond) // behind a step that was still under way
			}
			if n := secure.LiveHandles(); n != 0 {
				t.Errorf("%d handles are left", n)
			}
		})
	}
}
