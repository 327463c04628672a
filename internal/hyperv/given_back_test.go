package hyperv_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// TestGiveBackAfterAWait: the attachment that was left is taken over, or gets a
// name, while a compaction of another disk is awaited. It then stays.
func TestGiveBackAfterAWait(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]func(*testing.T, *hypervsim.Host) (after func()){
		"taken over": func(t *testing.T, sim *hypervsim.Host) func() {
			t.Helper()
			taker := background(t.Context(), process(t, sim, "taker"), order())
			return func() {
				if got, err := taker(); err != nil {
					t.Errorf("the taker: %+v, %v", got, err)
				}
			}
		},
		"a letter": func(t *testing.T, sim *hypervsim.Host) func() {
			t.Helper()
			time.AfterFunc(time.Minute, func() {
				console := sim.Console(`HYPERV\backup`)
				console.Detach(diskPath)
				if err := console.Attach(diskPath, true, `E:\`); err != nil {
					t.Error(err)
				}
			})
			return func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = 8 * time.Minute }), other())
				if err := sim.AttachFor("left", diskPath); err != nil {
					t.Fatal(err)
				}
				if _, err := sim.Console(`HYPERV\colleague`).Compact(otherPath, 8*time.Minute); err != nil {
					t.Fatal(err)
				}
				after := during(t, sim)
				if err := process(t, sim, "left").GiveBack(t.Context(), diskPath, leftAt()); err == nil {
					t.Error("given back")
				}
				after()
			})
		})
	}
}

// TestGiveBackOfWhatWasTakenOver: a run is kept from its host for four minutes across the end of
// its job, and another process takes over the attachment. Neither a destroy nor a later run that a
// gate ends disturbs the compaction of that process.
func TestGiveBackOfWhatWasTakenOver(t *testing.T) {
	t.Parallel()
	for name, later := range sample.EveryNamed(2, map[string]func(*testing.T, *hyperv.Host, hyperv.CompactResult) (left bool){
		"destroy": func(t *testing.T, h *hyperv.Host, prior hyperv.CompactResult) bool {
			t.Helper()
			return h.GiveBack(t.Context(), diskPath, prior.LeftAttachedAt) != nil
		},
		"a gate": func(t *testing.T, h *hyperv.Host, prior hyperv.CompactResult) bool {
			t.Helper()
			got, _ := h.Compact(t.Context(), order(func(o *hyperv.Order) {
				o.LeftAttached, o.LeftAt, o.MinFileSizeBytes = true, prior.LeftAttachedAt, 100*gib
			}))
			return got.LeftAttached
		},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const job = time.Hour
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.Progress = job, hypervsim.ProgressAtEnd }))
				a := process(t, sim, "a")
				time.AfterFunc(job-10*time.Second, func() {
					sim.AddRule(hypervsim.Rule{Client: "a", Times: -1, Until: time.Now().Add(4 * time.Minute), Effect: hypervsim.ResetBefore()})
				})
				first := background(t.Context(), a, order())
				time.Sleep(30 * time.Minute)
				second := background(t.Context(), process(t, sim, "b"), order())
				prior, err := first()
				if !prior.LeftAttached || prior.LeftAttachedAt == nil {
					t.Fatalf("the first process: %+v, %v", prior, err)
				}
				if !later(t, a, prior) {
					t.Error("what was taken over is not left")
				}
				if got, err := second(); err != nil || got.LeftAttached {
					t.Errorf("the second process: %+v, %v", got, err)
				}
				if later(t, a, prior) {
					t.Error("what is not attached any more is left")
				}
				clean(t, sim)
			})
		})
	}
}

// TestGiveBackBesideATaker: another process compacts on what was left. Neither a destroy nor a run
// that a gate ends, begun while its job runs or after its detach, takes the attachment away between
// the end of its job and its detach, or between two of its passes.
func TestGiveBackBesideATaker(t *testing.T) {
	t.Parallel()
	const job = 10 * time.Minute
	for way, giveBack := range givingBack {
		for _, passes := range []int{1, 2} {
			for _, after := range []time.Duration{job * 2 / 5, job * 9 / 10, job * 6 / 5} {
				t.Run(fmt.Sprintf("%s/%d passes/after %s", way, passes, after), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.Progress = job, hypervsim.ProgressAtEnd }))
						left := process(t, sim, "left")
						prior := leaveBehind(t, sim, left)
						taker := background(t.Context(), process(t, sim, "taker"), order(func(o *hyperv.Order) { o.MaxPasses = passes }))
						time.Sleep(after)
						giveBack(t, left, prior.LeftAttachedAt)
						got, err := taker()
						if err != nil || got.Run.Passes != passes || got.LeftAttached {
							t.Errorf("the taker: %+v, %v", got, err)
						}
						clean(t, sim)
					})
				})
			}
		}
	}
}

// TestGiveBackOfWhatWasNeverOurs: a run that ends before it knows whose an attachment is
// tells of it, and remembers no address: a destroy leaves it to its holder, who has just
// attached it and compacts nothing yet.
func TestGiveBackOfWhatWasNeverOurs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method string
		end    time.Duration
	}{
		"an attach that was lost":       {"AttachVirtualHardDisk", 2 * time.Second},
		"watched after it":              {"AttachVirtualHardDisk", 30 * time.Second},
		"a compaction that was lost":    {"CompactVirtualHardDisk", 160 * time.Second},
		"and its end was waited for":    {"CompactVirtualHardDisk", 5 * time.Minute},
		"refused, and never asked for":  {"", 30 * time.Second},
		"refused, watched and refused ": {"", 200 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.AttachImmediate = true }))
				// The holder is slow: what it sends after its attach takes long to arrive.
				sim.AddRule(hypervsim.Rule{Client: "a", Method: "CompactVirtualHardDisk", Func: func(hypervsim.Request) { time.Sleep(10 * time.Minute) }})
				if tt.method != "" {
					sim.AddRule(hypervsim.Rule{Client: "b", Method: tt.method, Effect: hypervsim.ResetBefore()})
				}
				a := connect(t, sim, func(cfg *hyperv.Config) { cfg.Dial, cfg.RequestTimeout = sim.DialAs("a"), time.Hour })
				b := process(t, sim, "b")
				first := background(t.Context(), a, order())
				for len(sim.Attachments()) == 0 {
					time.Sleep(10 * time.Millisecond)
				}
				got, err := b.Compact(t.Context(), order(func(o *hyperv.Order) {
					o.Timeout = tt.end
					if tt.method != "AttachVirtualHardDisk" { // which is not sent on what state says
						at := leftAt()
						at.Lun = "7" // an earlier run has left it elsewhere
						o.LeftAttached, o.LeftAt = true, at
					}
				}))
				if err == nil {
					t.Errorf("the second process: %+v", got)
				}
				if got.LeftAttached {
					if got.LeftAttachedAt.Lun != "" {
						t.Errorf("remembers the address %+v", *got.LeftAttachedAt)
					}
					if err := b.GiveBack(t.Context(), diskPath, got.LeftAttachedAt); err == nil && len(sim.Attachments()) == 0 {
						t.Error("given back")
					}
				}
				if got, err := first(); err != nil {
					t.Errorf("the holder: %+v, %v", got, err)
				}
				clean(t, sim)
			})
		})
	}
}

// TestRunAfterATakeover: state says where a run has left the disk, and another process has taken that
// very attachment over. The next run waits until that process has detached it, and then makes its own.
func TestRunAfterATakeover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const job = time.Hour
		sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.Progress = job, hypervsim.ProgressAtEnd }))
		left := process(t, sim, "left")
		prior := leaveBehind(t, sim, left)
		taker := background(t.Context(), process(t, sim, "taker"), order())
		time.Sleep(10 * time.Minute) // it has begun by then
		start := time.Now()
		got, err := left.Compact(t.Context(), order(func(o *hyperv.Order) { o.LeftAttached, o.LeftAt = true, prior.LeftAttachedAt }))
		if err != nil || got.LeftAttached || warned(got, hyperv.WarnTookOver) {
			t.Errorf("the run after %s: %+v, %v", time.Since(start), got, err)
		}
		if got, err := taker(); err != nil || !warned(got, hyperv.WarnTookOver) {
			t.Errorf("the taker: %+v, %v", got, err)
		}
		clean(t, sim)
	})
}

// TestGiveBackAfterALook: state says where a run has left the disk, and a look shows that it is not
// attached any more. That settles it: what somebody attaches there afterwards is not what was left.
func TestGiveBackAfterALook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.AttachImmediate = true }))
		a, b := process(t, sim, "a"), process(t, sim, "b")
		var holder func() (hyperv.CompactResult, error)
		sim.AddRule(hypervsim.Rule{Client: "b", Method: "AttachVirtualHardDisk", Effect: hypervsim.ResetBefore(), Func: func(hypervsim.Request) {
			holder = background(t.Context(), a, order())
			time.Sleep(time.Second)
		}})
		got, err := b.Compact(t.Context(), order(func(o *hyperv.Order) { o.Timeout, o.LeftAttached, o.LeftAt = 30*time.Second, true, leftAt() }))
		if err == nil || !got.LeftAttached || got.LeftAttachedAt.Lun != "" {
			t.Errorf("result = %+v at %+v, %v, want it left at an unknown address", got, got.LeftAttachedAt, err)
		}
		if err := b.GiveBack(t.Context(), diskPath, got.LeftAttachedAt); err == nil && len(sim.Attachments()) == 0 {
			t.Error("given back")
		}
		if got, err := holder(); err != nil {
			t.Errorf("the holder: %+v, %v", got, err)
		}
		clean(t, sim)
	})
}
