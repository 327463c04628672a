package hyperv_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// TestLapsedAttachment: a run is kept from its host across the end of its job, for so long that
// another process takes over the attachment. The disk is not detached under the compaction of that
// process, and no second pass is begun on it.
func TestLapsedAttachment(t *testing.T) {
	t.Parallel()
	for name, tt := range sample.EveryNamed(8, map[string]struct {
		job         time.Duration
		from, until time.Duration // when something is wrong, around the end of the job
		rule        hypervsim.Rule
		passes      int
	}{
		"an outage":                   {time.Hour, -time.Minute, 220 * time.Second, hypervsim.Rule{Effect: hypervsim.ResetBefore()}, 1},
		"an outage before a pass":     {time.Hour, -time.Minute, 220 * time.Second, hypervsim.Rule{Effect: hypervsim.ResetBefore()}, 2},
		"no size":                     {time.Hour, -10 * time.Second, 220 * time.Second, hypervsim.Rule{Method: "GetVirtualHardDiskState", Effect: hypervsim.Hang()}, 1},
		"no size between two passes":  {time.Hour, -10 * time.Second, 220 * time.Second, hypervsim.Rule{Method: "GetVirtualHardDiskState", Effect: hypervsim.Delay(50 * time.Second)}, 2},
		"no look at the attachment":   {time.Hour, -10 * time.Second, 220 * time.Second, hypervsim.Rule{Class: "Msvm_MountedStorageImage", Effect: hypervsim.Delay(50 * time.Second)}, 1},
		"an outage, a short job":      {6 * time.Minute, -10 * time.Second, 80 * time.Second, hypervsim.Rule{Effect: hypervsim.ResetBefore()}, 1},
		"no size, a short job":        {6 * time.Minute, -10 * time.Second, 80 * time.Second, hypervsim.Rule{Method: "GetVirtualHardDiskState", Effect: hypervsim.Delay(45 * time.Second)}, 2},
		"interrupted in the meantime": {time.Hour, -time.Minute, 220 * time.Second, hypervsim.Rule{Effect: hypervsim.ResetBefore()}, 0},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.Progress = tt.job, hypervsim.ProgressAtEnd }))
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				time.AfterFunc(tt.job+tt.from, func() {
					tt.rule.Client, tt.rule.Times, tt.rule.Until = "a", -1, time.Now().Add(tt.until-tt.from)
					sim.AddRule(tt.rule)
				})
				if tt.passes == 0 {
					time.AfterFunc(tt.job+190*time.Second, interrupt)
				}
				first := background(ctx, process(t, sim, "a"), order(func(o *hyperv.Order) { o.MaxPasses = tt.passes }))
				time.Sleep(min(30*time.Minute, tt.job/4))
				got, err := process(t, sim, "b").Compact(t.Context(), order())
				if err != nil || got.LeftAttached {
					t.Errorf("the second process: %+v, %v", got, err)
				}
				claims(sim, "b", diskPath, got)
				got, _ = first()
				claims(sim, "a", diskPath, got)
				if got.Run == nil || got.Run.Passes == 0 {
					t.Errorf("the first process: %+v", got)
				}
				time.Sleep(2 * time.Hour)
				clean(t, sim)
			})
		})
	}
}

// TestSettledOnce: that a disk is not attached to another node any more is settled when this one
// takes our attach, also if it has to be watched later like that of anybody.
func TestSettledOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const job = time.Hour
		sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = job }), other())
		time.AfterFunc(job-10*time.Second, func() {
			if _, err := sim.Console(`HYPERV\colleague`).Compact(otherPath, time.Hour); err != nil {
				t.Error(err)
			}
			sim.AddRule(hypervsim.Rule{Client: "a", Method: "GetVirtualHardDiskState", Times: -1, Until: time.Now().Add(220 * time.Second), Effect: hypervsim.Delay(50 * time.Second)})
		})
		at := leftAt()
		at.Node = "ELSEWHERE"
		got, err := process(t, sim, "a").Compact(t.Context(), order(func(o *hyperv.Order) { o.LeftAttached, o.LeftAt, o.MaxPasses = true, at, 2 }))
		if err != nil || got.LeftAttached || got.Run.Passes != 2 || !warned(got, hyperv.WarnTookOver) {
			t.Errorf("result = %+v, %v, want two passes, the second on an attachment that was watched", got, err)
		}
		settled := 0
		for _, w := range got.Warnings {
			if w.Kind == hyperv.WarnSettled {
				settled++
			}
		}
		if settled != 1 {
			t.Errorf("settled %d times, want once: %+v", settled, got.Warnings)
		}
		clean(t, sim)
	})
}
