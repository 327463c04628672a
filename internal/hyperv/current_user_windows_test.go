//go:build wine

package hyperv_test

import (
	"errors"
	"os"
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
	sim, fleet := currentUserHost(t, hypervsim.WithVHD(hypervsim.VHD{Path: path, FileSize: 10 * gib, ReclaimableMounted: gib, Immediate: true, AttachImmediate: true}))
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
	if sim.Logons() < 2 || sim.FailedLogons() != 0 {
		t.Errorf("%d logons and %d failed ones", sim.Logons(), sim.FailedLogons())
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
