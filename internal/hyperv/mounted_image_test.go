package hyperv_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestAttachedReadOnly: one enumeration answers for all disks of a host, and only an attachment
// that a run of ours may have left counts.
func TestAttachedReadOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const other, writable = `D:\VMs\other.vhdx`, `D:\VMs\writable.vhdx`
		sim, host := simulate(t, disk(), hypervsim.WithVHD(hypervsim.VHD{Path: other}, hypervsim.VHD{Path: writable}))
		for path, readOnly := range map[string]bool{diskPath: true, writable: false} {
			if err := sim.Attach(path, readOnly); err != nil {
				t.Fatal(err)
			}
		}
		look := func() (attached [3]bool) {
			for i, path := range []string{diskPath, other, writable} {
				var err error
				if attached[i], err = host.AttachedReadOnly(t.Context(), path); err != nil {
					t.Fatal(err)
				}
			}
			return attached
		}
		if got, want := look(), [3]bool{true, false, false}; got != want {
			t.Errorf("attached = %v, want %v", got, want)
		}
		if got := len(sim.Requests()); got != 1 {
			t.Errorf("requests = %d, want 1 for all disks", got)
		}
		sim.Detach(diskPath)
		time.Sleep(2 * time.Minute)
		if got := look(); got != [3]bool{} {
			t.Errorf("attached = %v some minutes later, want nothing", got)
		}
	})
}
