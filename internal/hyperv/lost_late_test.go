package hyperv_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// TestLateJob: the host begins some time after the request, whose answer is lost
// or says that time ran out. The job is awaited, counted, and detached after.
func TestLateJob(t *testing.T) {
	t.Parallel()
	const timedOut = 0x80338029
	for _, late := range sample.Every(5, []time.Duration{0, 3 * time.Second, 10 * time.Second, 30 * time.Second, 58 * time.Second}) {
		for name, effect := range map[string]hypervsim.Effect{
			"reset":         hypervsim.ResetAfter(),
			"answered late": hypervsim.FaultAfter(timedOut, hypervsim.FaultFormAny),
			"cut off":       hypervsim.Late(late, hypervsim.CutAnswer()),
			"fault at once": hypervsim.Late(max(late, time.Second), hypervsim.Fault(timedOut, hypervsim.FaultFormAny)),
		} {
			for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
				t.Run(fmt.Sprintf("%s/%s/%s", name, late, m), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						sim := hypervsim.RunT(t, hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(),
							disk(func(v *hypervsim.VHD) { v.JobDuration = time.Hour }))
						host := process(t, sim, "late")
						rule := hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: effect}
						if name == "reset" || name == "answered late" {
							rule.Func = func(hypervsim.Request) { time.Sleep(late) }
						}
						sim.AddRule(rule)
						got, err := host.Compact(t.Context(), order(mode(m)))
						if err != nil || got.Status != hyperv.StatusCompacted || got.Run.Passes != 1 || !warned(got, hyperv.WarnLostAnswer) {
							t.Errorf("result = %+v, %v", got, err)
						}
						if n := sim.Compactions(diskPath); n != 1 {
							t.Errorf("%d compactions, want one", n)
						}
						sim.Check(hypervsim.Claim{Client: "late", Path: diskPath, LeftAttached: got.LeftAttached, Completed: got.Run.Passes})
						clean(t, sim)
					})
				})
			}
		}
	}
}

// TestLateJobInterrupted: the run is interrupted while it waits for the outcome of a lost request.
// A job that may be that request is not cancelled, and its disk is not detached.
func TestLateJobInterrupted(t *testing.T) {
	t.Parallel()
	for _, arrives := range []bool{true, false} {
		for _, after := range []time.Duration{2 * time.Second, 30 * time.Second, 5 * time.Minute} {
			t.Run(fmt.Sprintf("arrives=%v/%s", arrives, after), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim := hypervsim.RunT(t, hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(),
						disk(func(v *hypervsim.VHD) { v.JobDuration = time.Hour }), other())
					host := process(t, sim, "late")
					effect := hypervsim.ResetAfter()
					if !arrives {
						effect = hypervsim.ResetBefore()
					}
					sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: effect, Func: func(hypervsim.Request) {
						if _, err := sim.Console(`HYPERV\colleague`).Compact(otherPath, 20*time.Minute); err != nil {
							t.Error(err)
						}
					}})
					start := time.Now()
					got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.Timeout = after }))
					if !errors.Is(err, hyperv.ErrInterrupted) {
						t.Errorf("result = %+v, %v", got, err)
					}
					if took := time.Since(start); took > after+time.Minute+5*time.Second {
						t.Errorf("took %s", took)
					}
					// The colleague's compaction began just then: it cannot be distinguished from
					// ours.
					if !got.LeftAttached || got.LeftAttachedAt == nil {
						t.Errorf("left attached %v at %+v", got.LeftAttached, got.LeftAttachedAt)
					}
					if n := sim.Calls("RequestStateChange"); n != 0 {
						t.Errorf("%d jobs cancelled that no answer named", n)
					}
					claims(sim, "late", diskPath, got)
				})
			})
		}
	}
}

// TestUnreadableAnswers: a host whose answers cannot be read is asked to compact
// twice for each pass at most.
func TestUnreadableAnswers(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		synctest.Test(t, func(t *testing.T) {
			sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.ReclaimableMounted, v.ReclaimableUnmounted = 0, 0 }))
			sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Times: -1, Effect: hypervsim.Garbage()})
			got, err := host.Compact(t.Context(), order(mode(m)))
			if got.Status != hyperv.StatusUnknown || !errors.Is(err, hyperv.ErrOutcomeUnknown) || got.LeftAttached {
				t.Errorf("%s: %+v, %v", m, got, err)
			}
			if n := sim.Compactions(diskPath); n != 2 {
				t.Errorf("%s: %d compactions, want two", m, n)
			}
			clean(t, sim)
		})
	}
}

// TestUnprovenFaultOfAttach: a fault that does not prove a refusal may come after the work. The
// attachment is reported, or used if the host accepts a compaction.
func TestUnprovenFaultOfAttach(t *testing.T) {
	t.Parallel()
	for _, code := range []uint32{0x80041001, 1722, 1726, 0x80041015, 0x80041033, 0x800706BE, 0x80070057 + 0x1234} {
		for _, after := range []bool{true, false} {
			t.Run(fmt.Sprintf("%08X/after=%v", code, after), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk())
					effect := hypervsim.Fault(code, hypervsim.FaultFormAny)
					if after {
						effect = hypervsim.FaultAfter(code, hypervsim.FaultFormAny)
					}
					sim.AddRule(hypervsim.Rule{Method: "AttachVirtualHardDisk", Effect: effect})
					got, err := host.Compact(t.Context(), order())
					if after && (err != nil || got.Status != hyperv.StatusCompacted || got.LeftAttached) {
						t.Errorf("carried out: %+v, %v", got, err)
					}
					if !after && (err == nil || !got.LeftAttached) {
						t.Errorf("not seen: %+v, %v, want it told", got, err)
					}
					clean(t, sim)
				})
			})
		}
	}
}

// TestSkipHidesNoPass: later events do not hide a pass that ran.
func TestSkipHidesNoPass(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		for _, skip := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.Refusals = hypervsim.ViaReturnValue }))
				sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Skip: 1, Func: func(hypervsim.Request) {
					if err := sim.Change(diskPath, func(v *hypervsim.VHD) { v.Locked = true }); err != nil {
						t.Error(err)
					}
				}})
				got, err := host.Compact(t.Context(), order(mode(m), func(o *hyperv.Order) { o.MaxPasses, o.SkipInUse = 3, skip }))
				if got.Run == nil || got.Run.Passes != 1 || got.Run.FileSizeAfterBytes == nil {
					t.Errorf("%s skip=%v: %+v, %v, want the first pass counted", m, skip, got, err)
				}
				if skip && (err != nil || got.Status != hyperv.StatusCompacted || !warned(got, hyperv.WarnInUse)) || !skip && !errors.Is(err, hyperv.ErrInUse) {
					t.Errorf("%s skip=%v: %+v, %v", m, skip, got, err)
				}
			})
		}
	}
}

// TestSizeHiddenAfterAPass: another program opens the disk between two passes, so that not even its
// size can be read. The pass that ran is not hidden, and not called a success.
func TestSizeHiddenAfterAPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = 30 * time.Second }))
		time.AfterFunc(25*time.Second, func() {
			sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskState", Times: -1, Effect: hypervsim.Returns(32774)})
		})
		got, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed), func(o *hyperv.Order) { o.MaxPasses, o.SkipInUse = 2, true }))
		if got.Status != hyperv.StatusUnknown || !errors.Is(err, hyperv.ErrOutcomeUnknown) || got.Run == nil || got.Run.Passes != 1 || got.FileSizeBytes != nil {
			t.Errorf("result = %+v, %v, want one pass of which no size is known", got, err)
		}
		clean(t, sim)
	})
}

// TestDependentsBetweenPasses: a clone is made during the first pass. The pass counts.
func TestDependentsBetweenPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		time.AfterFunc(time.Minute, func() {
			sim.AddVHD(child(clone, diskPath))
			sim.AddVM(hypervsim.VM{Name: "clone01", Disks: []string{clone}})
		})
		got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.MaxPasses, o.SkipInUse = 2, true }))
		if err != nil || got.Status != hyperv.StatusCompacted || got.Run == nil || got.Run.Passes != 1 || !warned(got, hyperv.WarnDependedOn) {
			t.Errorf("result = %+v, %v, want one pass and a warning", got, err)
		}
		clean(t, sim)
	})
}

// TestBarrenPasses: one pass that reclaims nothing does not end the passes, two in
// a row do.
func TestBarrenPasses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		first  int64
		passes int
		want   int
		after  int64
	}{
		{0, 1, 1, 20 * gib}, {0, 2, 2, 11 * gib}, {50 * mib, 2, 2, 11*gib - 50*mib}, {0, 9, 4, 11 * gib}, {gib, 9, 4, 10 * gib},
	} {
		synctest.Test(t, func(t *testing.T) {
			sim, host := simulate(t, hypervsim.WithVHD(hypervsim.VHD{
				Path: diskPath, FileSize: 20 * gib, ReclaimableMounted: tt.first, UnlockedByPass: []int64{9 * gib}, JobDuration: time.Minute,
			}))
			got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.MaxPasses = tt.passes }))
			if err != nil || got.Run.Passes != tt.want || *got.FileSizeBytes != tt.after {
				t.Errorf("%d MiB, up to %d passes: %+v, %v, want %d passes", tt.first/mib, tt.passes, got.Run, err, tt.want)
			}
			clean(t, sim)
		})
	}
}

// TestInspectionWithoutEnd: a job of an inspection that never ends does not keep a
// run for ever.
func TestInspectionWithoutEnd(t *testing.T) {
	t.Parallel()
	for limit, want := range map[time.Duration]time.Duration{0: 10 * time.Minute, time.Minute: time.Minute, time.Hour: 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			_, host := simulate(t, disk(func(v *hypervsim.VHD) { v.InspectionJobs, v.InspectionDuration = 1, 1000*time.Hour }))
			start := time.Now()
			got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.Timeout = limit }))
			if took := time.Since(start); err == nil || got.Status != hyperv.StatusFailed || took > want+time.Second {
				t.Errorf("timeouts %s: %s after %s, %v", limit, got.Status, took, err)
			}
		})
	}
}

// TestUseByOthersIsNoReasonToWait: a disk that another program has open is skipped soon, however
// busy the host is with other disks.
func TestUseByOthersIsNoReasonToWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.Locked = true }), other())
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				_, _ = sim.StartForeignCompaction(otherPath, 10*time.Second)
				select {
				case <-stop:
					return
				case <-time.After(11 * time.Second):
				}
			}
		}()
		start := time.Now()
		got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.SkipInUse = true }))
		if took := time.Since(start); err != nil || got.Status != hyperv.StatusSkippedInUse || took > time.Minute {
			t.Errorf("after %s: %+v, %v", took, got, err)
		}
		close(stop)
		<-done
	})
}

// TestCompletedWithErrorCode: a job that reports completion with an error code
// has failed.
func TestCompletedWithErrorCode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) {
			v.CompactionFailure = &hypervsim.JobFailure{ErrorCode: 32768, Completed: true}
		}))
		got, err := host.Compact(t.Context(), order())
		var failed *hyperv.JobError
		if !errors.As(err, &failed) || failed.ErrorCode != 32768 || got.Status != hyperv.StatusFailed {
			t.Errorf("result = %+v, %v", got, err)
		}
		clean(t, sim)
	})
}

// TestLostThenInUse: the lost request may be what now uses the disk, so that
// the result is not a skip.
func TestLostThenInUse(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		synctest.Test(t, func(t *testing.T) {
			sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.Refusals = hypervsim.ViaReturnValue }))
			sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: hypervsim.ResetBefore(), Func: func(hypervsim.Request) {
				if err := sim.Change(diskPath, func(v *hypervsim.VHD) { v.Locked = true }); err != nil {
					t.Error(err)
				}
			}})
			got, err := host.Compact(t.Context(), order(mode(m), func(o *hyperv.Order) { o.SkipInUse = true }))
			if got.Status != hyperv.StatusUnknown || !errors.Is(err, hyperv.ErrOutcomeUnknown) {
				t.Errorf("%s: %+v, %v, want an unknown outcome", m, got, err)
			}
		})
	}
}

// TestInUseByTheJob: a job that finds the file in use does not count as a pass.
func TestInUseByTheJob(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		synctest.Test(t, func(t *testing.T) {
			sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.Refusals = hypervsim.ViaJob }))
			sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Func: func(hypervsim.Request) {
				if err := sim.Change(diskPath, func(v *hypervsim.VHD) { v.Locked = true }); err != nil {
					t.Error(err)
				}
			}})
			got, err := host.Compact(t.Context(), order(mode(m), func(o *hyperv.Order) { o.SkipInUse = true }))
			if err != nil || got.Status != hyperv.StatusSkippedInUse || got.Run != nil || sim.Compactions(diskPath) != 0 {
				t.Errorf("%s: %+v, %v, want it skipped", m, got, err)
			}
			clean(t, sim)
		})
	}
}
