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

// TestLostBesideOthers: compactions of others that nobody can have begun on the attachment, or that
// end all the time, do not keep it from being detached.
func TestLostBesideOthers(t *testing.T) {
	t.Parallel()
	short := func(o *hyperv.Order) { o.Timeout = 10 * time.Second }
	colleague := func(t *testing.T, sim *hypervsim.Host) {
		t.Helper()
		if _, err := sim.Console(`HYPERV\colleague`).Compact(otherPath, 2*time.Second); err != nil {
			t.Error(err)
		}
	}
	for name, tt := range map[string]struct {
		job    time.Duration
		lost   hypervsim.Effect
		before func(*testing.T, *hypervsim.Host)
		order  func(*hyperv.Order)
	}{
		"own short job": {3 * time.Second, hypervsim.ResetAfter(), func(*testing.T, *hypervsim.Host) {}, short},
		"ended before": {time.Minute, hypervsim.ResetBefore(), func(t *testing.T, sim *hypervsim.Host) {
			t.Helper()
			colleague(t, sim)
			time.Sleep(time.Minute)
		}, short},
		"a busy host": {time.Minute, hypervsim.ResetAfter(), func(t *testing.T, sim *hypervsim.Host) {
			t.Helper()
			for i := range 60 {
				time.AfterFunc(time.Duration(i)*10*time.Second, func() { colleague(t, sim) })
			}
		}, func(*hyperv.Order) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = tt.job }), other())
				tt.before(t, sim)
				sim.AddRule(hypervsim.Rule{Client: "a", Method: "CompactVirtualHardDisk", Effect: tt.lost})
				if got, err := process(t, sim, "a").Compact(t.Context(), order(tt.order)); got.LeftAttached {
					t.Errorf("%s: %v", got.Status, err)
				}
				clean(t, sim)
				time.Sleep(10 * time.Minute) // until the last of the others has begun
			})
		})
	}
}
