package hyperv_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestGatesAfterAWait: a linked clone of the disk is made, or the disk exchanged, while
// the run waits for something. Nothing is compacted then.
func TestGatesAfterAWait(t *testing.T) {
	t.Parallel()
	for wait, arrange := range map[string]func(*testing.T, *hypervsim.Host, *hyperv.Host) (other func()){
		"an attachment without a holder": func(t *testing.T, sim *hypervsim.Host, _ *hyperv.Host) func() {
			t.Helper()
			if err := sim.AttachFor("killed", diskPath); err != nil {
				t.Fatal(err)
			}
			return func() {}
		},
		"another process": func(t *testing.T, sim *hypervsim.Host, _ *hyperv.Host) func() {
			t.Helper()
			wait := background(t.Context(), process(t, sim, "other"), order())
			time.Sleep(time.Minute)
			return func() { _, _ = wait() }
		},
		"another spelling": func(t *testing.T, _ *hypervsim.Host, h *hyperv.Host) func() {
			t.Helper()
			wait := background(t.Context(), h, order(func(o *hyperv.Order) { o.Path = `D:\VMS~1\sql01.vhdx` }))
			time.Sleep(time.Minute)
			return func() { _, _ = wait() }
		},
		"a lost answer": func(t *testing.T, sim *hypervsim.Host, _ *hyperv.Host) func() {
			t.Helper()
			sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: hypervsim.ResetBefore()})
			return func() {}
		},
		"the first of two passes": func(*testing.T, *hypervsim.Host, *hyperv.Host) func() {
			return func() {}
		},
	} {
		for what, event := range map[string]func(*hypervsim.Host) error{
			"a clone": func(sim *hypervsim.Host) error {
				sim.AddVHD(child(clone, diskPath))
				sim.AddVM(hypervsim.VM{Name: "clone01", Disks: []string{clone}})
				return nil
			},
			"another disk": func(sim *hypervsim.Host) error {
				return sim.Change(diskPath, func(v *hypervsim.VHD) { v.VirtualDiskID = "5e3c1c5c-3f8d-4a45-9c50-2b1f7e5f0a77" })
			},
		} {
			t.Run(wait+"/"+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk(), hypervsim.WithShortName(`D:\VMs`, "VMS~1"))
					after := arrange(t, sim, host)
					before := sim.Compactions(diskPath)
					if wait == "the first of two passes" {
						before = 1
					}
					time.AfterFunc(30*time.Second, func() {
						if err := event(sim); err != nil {
							t.Error(err)
						}
					})
					got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.MaxPasses = 2 }))
					if err == nil || what == "a clone" && !errors.Is(err, hyperv.ErrDependedOn) {
						t.Errorf("result = %+v, %v, want it refused", got, err)
					}
					if n := sim.Compactions(diskPath); n != before {
						t.Errorf("%d compactions, want %d", n, before)
					}
					after()
					sim.TakeViolations() // of the run that was under way
				})
			})
		}
	}
}

// TestSizeAfterAWait: the size before a run is that after its wait, however short: what another run
// of the same disk reclaimed is not counted twice. The second run waits for its turn, or, under a
// spelling that only the host knows, for the attachment of the first.
func TestSizeAfterAWait(t *testing.T) {
	t.Parallel()
	for _, spelling := range []string{`d:/vms/SQL01.vhdx`, `D:\VMS~1\sql01.vhdx`} {
		synctest.Test(t, func(t *testing.T) {
			sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = 2 * time.Second }), hypervsim.WithShortName(`D:\VMs`, "VMS~1"))
			first := background(t.Context(), host, order())
			for sim.PeakCompactions() == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			second := background(t.Context(), host, order(func(o *hyperv.Order) { o.Path = spelling }))
			one, err := first()
			two, err2 := second()
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if one.Status != hyperv.StatusCompacted || two.Status != hyperv.StatusUnchanged {
				t.Errorf("%s: the first run is %s, the second %s", spelling, one.Status, two.Status)
			}
			clean(t, sim)
		})
	}
}
