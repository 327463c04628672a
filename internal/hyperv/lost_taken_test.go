package hyperv_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestLostAndTakenOver: the answer to a compaction is lost, and its run waits for the job of a
// colleague, which may be its own. Meanwhile another process takes over the attachment. The first
// run does not detach it between the end of the other's job and the detach, or between two passes.
func TestLostAndTakenOver(t *testing.T) {
	t.Parallel()
	for _, passes := range []int{1, 2, 3} {
		for _, foreign := range []time.Duration{5 * time.Minute, 6 * time.Minute, 8 * time.Minute, 20 * time.Minute} {
			t.Run(fmt.Sprintf("%d passes/%s", passes, foreign), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = 3 * time.Minute }), other())
					if _, err := sim.Console(`HYPERV\colleague`).Compact(otherPath, foreign); err != nil {
						t.Fatal(err)
					}
					sim.AddRule(hypervsim.Rule{Client: "a", Method: "CompactVirtualHardDisk", Effect: hypervsim.ResetAfter()})
					a := background(t.Context(), process(t, sim, "a"), order())
					time.Sleep(40 * time.Second)
					b := background(t.Context(), process(t, sim, "b"), order(func(o *hyperv.Order) { o.MaxPasses = passes }))
					if got, err := a(); err == nil && got.LeftAttached {
						t.Errorf("a: %+v, %v", got, err)
					}
					if got, err := b(); err != nil {
						t.Errorf("b: %+v, %v", got, err)
					}
					clean(t, sim)
				})
			})
		}
	}
}
