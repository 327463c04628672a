package hyperv_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// TestAttachLostToAHolder: the answer to an attach is lost while another process has the disk
// attached, or attaches it in that moment. The attachment that is then found is not ours, whatever
// its holder is doing at that time: beginning, ending, or pausing between two passes.
func TestAttachLostToAHolder(t *testing.T) {
	t.Parallel()
	const job = 20 * time.Minute
	for name, offset := range sample.EveryNamed(7, map[string]time.Duration{
		"before it is attached":  -100 * time.Millisecond,
		"before its compaction":  300 * time.Millisecond,
		"beside the end":         job - 5*time.Second,
		"after the end":          job + 3*time.Second,
		"amid":                   job / 2,
		"long before the end":    job - time.Minute,
		"between its two passes": job + 10*time.Second,
	}) {
		for _, effect := range []hypervsim.Effect{hypervsim.ResetBefore(), hypervsim.FaultAfter(0x80041001, hypervsim.FaultFormAny)} {
			t.Run(name+"/"+effect.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, _ := simulate(t, disk(func(v *hypervsim.VHD) {
						v.JobDuration, v.Progress, v.AttachImmediate = job, hypervsim.ProgressAtEnd, true
					}))
					// The holder needs a while for everything.
					sim.AddRule(hypervsim.Rule{Client: "a", Times: -1, Effect: hypervsim.Delay(400 * time.Millisecond)})
					sim.AddRule(hypervsim.Rule{Client: "b", Method: "AttachVirtualHardDisk", Effect: effect})
					b := process(t, sim, "b")
					if _, err := b.Inspect(t.Context(), diskPath); err != nil {
						t.Fatal(err)
					}
					h := process(t, sim, "a")
					if _, err := h.Inspect(t.Context(), diskPath); err != nil {
						t.Fatal(err)
					}
					first := background(t.Context(), h, order(func(o *hyperv.Order) { o.MaxPasses = 2 }))
					for len(sim.Attachments()) == 0 && offset >= 0 {
						time.Sleep(10 * time.Millisecond)
					}
					time.Sleep(max(offset, 0))
					got, err := b.Compact(t.Context(), order())
					if err != nil && !got.LeftAttached {
						t.Errorf("the second process: %+v, %v", got, err)
					}
					claims(sim, "b", diskPath, got)
					got, err = first()
					if err != nil {
						t.Errorf("the holder: %+v, %v", got, err)
					}
					claims(sim, "a", diskPath, got)
					clean(t, sim)
				})
			})
		}
	}
}

// TestWithdrawn: another compaction ends at the moment at which ours is sent on a borrowed
// attachment. Ours is ended with one request, whatever happens to the run meanwhile, and tried
// again later.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stops     time.Duration // how long the job takes to end
		interrupt time.Duration // after it was sent; 0 for none
		status    hyperv.Status
		left      bool
	}{
		"at once":             {time.Second, 0, hyperv.StatusCompacted, false},
		"slowly":              {2 * time.Minute, 0, hyperv.StatusCompacted, false},
		"not in sight":        {2 * time.Hour, 0, hyperv.StatusUnknown, true},
		"interrupted":         {30 * time.Second, 5 * time.Second, hyperv.StatusInterrupted, false},
		"interrupted at once": {30 * time.Second, time.Millisecond, hyperv.StatusInterrupted, false},
		"interrupted, slowly": {2 * time.Hour, 5 * time.Second, hyperv.StatusInterrupted, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.CancelDelay = tt.stops }), other())
				console := sim.Console(`HYPERV\colleague`)
				id, err := console.Compact(otherPath, time.Hour)
				if err = errors.Join(err, sim.AttachFor("killed", diskPath)); err != nil {
					t.Fatal(err)
				}
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				sim.AddRule(hypervsim.Rule{Client: "b", Method: "CompactVirtualHardDisk", Func: func(hypervsim.Request) {
					console.Cancel(id)
					if tt.interrupt > 0 {
						time.AfterFunc(tt.interrupt, interrupt)
					}
				}})
				start := time.Now()
				got, err := process(t, sim, "b").Compact(ctx, order())
				if got.Status != tt.status || got.LeftAttached != tt.left {
					t.Errorf("result = %+v, %v", got, err)
				}
				if n := sim.Calls("RequestStateChange"); n != 1 {
					t.Errorf("asked %d times to end the job, want once", n)
				}
				if took := time.Since(start); took > 20*time.Minute || tt.interrupt > 0 && took > 150*time.Second+80*time.Second {
					t.Errorf("took %s", took)
				}
				for _, j := range sim.Jobs() {
					if running := j.EndTime.IsZero(); running && !tt.left {
						t.Errorf("job %+v still runs", j)
					}
				}
				if tt.status == hyperv.StatusCompacted {
					clean(t, sim)
				}
			})
		})
	}
}
