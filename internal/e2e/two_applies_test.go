//go:build linux

package e2e_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// Two applies at once from two states on one host, on one disk or on two: one is killed, and the
// other goes on as if nothing had happened; then an apply puts right what the killed one left. A
// third process keeps the host busy all the time.
func TestTwoApplies(t *testing.T) {
	t.Parallel()
	const moments = 20
	var all []int
	for i := range moments {
		all = append(all, i)
	}
	for _, i := range sample.Every(7, all) {
		shared, after := i%2 == 0, time.Duration(i)*150*time.Millisecond
		t.Run(fmt.Sprintf("one_disk=%t/killed_after_%s", shared, after), func(t *testing.T) {
			t.Parallel()
			twoApplies(t, shared, after)
		})
	}
}

func twoApplies(t *testing.T, shared bool, after time.Duration) {
	t.Helper()
	second := killed()
	second.Path = `D:\VMs\second.vhdx`
	busy := hypervsim.VHD{Path: `D:\VMs\busy.vhdx`, FileSize: gib, ReclaimableMounted: 1}
	sim := hypervsim.RunT(t, hypervsim.WithVHD(killed(), second, busy))
	keepBusy(t, sim, busy.Path)

	path := second.Path
	if shared {
		path = killedDisk
	}
	survivor, dying := applyOf(t, sim, "survivor", killedDisk), applyOf(t, sim, "dying", path)
	going, gone := survivor.startApply(), dying.startApply()
	time.Sleep(after)
	gone.signal(syscall.SIGKILL)
	gone.wait()
	if code := going.wait(); code != 0 {
		t.Errorf("the surviving apply ended with %d:\n%s", code, going.output())
	}
	dying.expect(0, "apply")
	survivor.expect(0, "apply")
	for _, v := range sim.Violations() {
		t.Errorf("the host was treated badly: %s", v)
	}
	for _, a := range sim.Attachments() {
		if a.Path != busy.Path {
			t.Errorf("%s is still attached for %s", a.Path, a.Client)
		}
	}
	for _, w := range []workspace{survivor, dying} {
		w.expect(0, "plan", "-detailed-exitcode")
	}
}

// applyOf is a workspace whose provider reaches the host as a client of that name.
func applyOf(t *testing.T, sim *hypervsim.Host, client, path string) workspace {
	t.Helper()
	address, err := sim.ListenAs(t.Context(), client)
	must(t, err)
	w := newWorkspace(t)
	w.write("main.tf", providerBlock(address.Port)+fmt.Sprintf(`
resource "hyperv_vhd_compaction" "disk" {
  host = %q
  path = %q
}
`, sim.HostName(), path))
	return w
}

// keepBusy makes a person at the console compact an attached disk of the host over and over.
func keepBusy(t *testing.T, sim *hypervsim.Host, path string) {
	t.Helper()
	console := sim.Console(`HYPERV01\colleague`)
	must(t, console.Attach(path, true))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, _ = console.Compact(path, 20*time.Second) // refused while the last one runs
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
}
