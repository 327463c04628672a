package hyperv_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestCompactLostAnswerIsNotSentAgain: the outcome of the request is awaited;
// no second request is sent for a pass that shrank the disk.
func TestCompactLostAnswerIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk())
				sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: hypervsim.ResetAfter()})
				got, err := host.Compact(t.Context(), order(mode(m)))
				if err != nil || got.Status != hyperv.StatusCompacted || got.Run.Passes != 1 || got.Run.JobID != "" {
					t.Errorf("result = %+v, run %+v, %v", got, got.Run, err)
				}
				if len(got.Warnings) != 1 || got.Warnings[0].Kind != hyperv.WarnLostAnswer {
					t.Errorf("warnings = %+v, want it said how the pass is known", got.Warnings)
				}
				if n := sim.CompactionRequests(diskPath); n != 1 {
					t.Errorf("the host was asked %d times to compact, want once", n)
				}
				clean(t, sim)
			})
		})
	}
}

// TestCompactLostRequests: a request that has led to no running job is sent
// once more after a minute, and not a third time.
func TestCompactLostRequests(t *testing.T) {
	t.Parallel()
	for lost, want := range map[int]hyperv.Status{1: hyperv.StatusCompacted, 2: hyperv.StatusUnknown, -1: hyperv.StatusUnknown} {
		for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
			t.Run(fmt.Sprintf("%s/%d lost", m, lost), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk())
					sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Times: lost, Effect: hypervsim.ResetBefore()})
					got, err := host.Compact(t.Context(), order(mode(m), func(c *hyperv.Order) { c.MaxPasses = 3 }))
					if got.Status != want || errors.Is(err, hyperv.ErrOutcomeUnknown) != (want == hyperv.StatusUnknown) {
						t.Errorf("result = %+v, %v, want %s", got, err, want)
					}
					if n := sim.Calls("CompactVirtualHardDisk"); want == hyperv.StatusUnknown && n != 2 {
						t.Errorf("sent %d times, want twice", n)
					}
					clean(t, sim)
				})
			})
		}
	}
}

// TestCompactLostAttachIsRemembered: an attach that was neither answered nor seen
// may still be carried out, so the next run looks for it.
func TestCompactLostAttachIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		sim.AddRule(hypervsim.Rule{Method: "AttachVirtualHardDisk", Effect: hypervsim.ResetBefore()})
		got, err := host.Compact(t.Context(), order())
		if err == nil || !got.LeftAttached || len(got.Warnings) != 1 || got.Warnings[0].Kind != hyperv.WarnLeftAttached {
			t.Errorf("result = %+v, %v, want the attach remembered", got, err)
		}
		if n := sim.Calls("AttachVirtualHardDisk"); n != 1 {
			t.Errorf("sent %d times, want once", n)
		}
		// The host carries out the request after all.
		if err := sim.Attach(diskPath, true); err != nil {
			t.Fatal(err)
		}
		got, err = host.Compact(t.Context(), order(func(c *hyperv.Order) { c.LeftAttached = true }))
		if err != nil || got.LeftAttached {
			t.Errorf("the next run: %+v, %v", got, err)
		}
		clean(t, sim)
	})
}

// TestCompactInterruptedAttach: the disk of an attach that an interrupt met is
// detached once the attach is through, not before.
func TestCompactInterruptedAttach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.AttachDuration = 10 * time.Second }))
		got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Timeout = 4 * time.Second }))
		if !errors.Is(err, hyperv.ErrInterrupted) || got.LeftAttached {
			t.Errorf("result = %+v, %v", got, err)
		}
		time.Sleep(time.Minute)
		clean(t, sim)
		if n := sim.Calls("CompactVirtualHardDisk"); n != 0 {
			t.Errorf("%d compactions after the interrupt", n)
		}
	})
}

// TestCancelAwaitsTheEnd: a job takes a moment to stop, and the disk must not be detached before; a
// job that takes too long keeps the disk attached, and that is reported.
func TestCancelAwaitsTheEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		delay time.Duration
		left  bool
	}{
		{"two seconds", 2 * time.Second, false},
		{"forty seconds", 40 * time.Second, false},
		{"too long", 2 * time.Minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.CancelDelay = tt.delay }))
				start := time.Now()
				got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Timeout = 5 * time.Minute }))
				if got.Status != hyperv.StatusInterrupted || !errors.Is(err, hyperv.ErrInterrupted) || got.LeftAttached != tt.left {
					t.Errorf("result = %+v, %v", got, err)
				}
				if took := time.Since(start); took > 6*time.Minute+5*time.Second {
					t.Errorf("returned after %s", took)
				}
				if bad := sim.Violations(); len(bad) != 0 {
					t.Errorf("violations %q", bad)
				}
				if left := len(sim.Attachments()) != 0; left != tt.left || left != (got.LeftAttachedAt != nil) {
					t.Errorf("attachments left: %+v, told %+v", sim.Attachments(), got.LeftAttachedAt)
				}
			})
		})
	}
}

// TestLeftAttachedIsGivenBackWhateverTheGatesSay: a disk that an earlier run left
// attached is detached even when this run has nothing to do.
func TestLeftAttachedIsGivenBackWhateverTheGatesSay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		adjust func(*hypervsim.VHD)
		order  func(*hyperv.Order)
		want   hyperv.Status
	}{
		"below the minimum": {func(*hypervsim.VHD) {}, func(c *hyperv.Order) { c.MinFileSizeBytes = 11 * gib }, hyperv.StatusBelowMinimum},
		"fixed":             {func(v *hypervsim.VHD) { v.Type = hypervsim.TypeFixed }, func(*hyperv.Order) {}, hyperv.StatusFailed},
		"an unmounted run":  {func(*hypervsim.VHD) {}, mode(hyperv.ModePrezeroed), hyperv.StatusCompacted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk(tt.adjust))
				if err := sim.AttachFor(testUser, diskPath); err != nil {
					t.Fatal(err)
				}
				got, _ := host.Compact(t.Context(), order(tt.order, func(c *hyperv.Order) { c.LeftAttached, c.LeftAt = true, leftAt() }))
				if got.Status != tt.want || got.LeftAttached {
					t.Errorf("result = %+v, want %s and detached", got, tt.want)
				}
				clean(t, sim)
			})
		})
	}
}

// leftAt returns where the first disk that is attached to a simulated host is, held right now.
func leftAt() *hyperv.AttachedAt {
	return &hyperv.AttachedAt{Node: "HYPERV01", Name: diskPath, PortNumber: "1", PathID: "0", TargetID: "0", Lun: "0", HeldAt: time.Now().UTC().Truncate(time.Second)}
}

// TestCancelComesTooLate: an interrupt between the end of a job and the poll that would have
// noticed it has nothing to cancel. The run was a success.
func TestCancelComesTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const job = 10 * time.Minute // polled every 12 s by then
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.Progress = job, hypervsim.ProgressAtEnd }))
		got, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed), func(c *hyperv.Order) { c.Timeout = job + time.Second }))
		if err != nil || got.Status != hyperv.StatusCompacted {
			t.Errorf("result = %+v, %v, want it compacted", got, err)
		}
		if n := sim.Calls("RequestStateChange"); n != 1 {
			t.Errorf("RequestStateChange calls = %d, want 1: the interrupt met no moment between two looks", n)
		}
		clean(t, sim)
	})
}

// TestCompactLostAnswersOfTwoDisks: when the answers for two disks are lost at
// once, and one of the requests with it, the one job that runs must not be taken
// for both. Each disk is compacted in the end, and no run claims the other's.
func TestCompactLostAnswersOfTwoDisks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const other = `D:\VMs\other.vhdx`
		sim, host := simulate(t, disk(), hypervsim.WithVHD(hypervsim.VHD{Path: other, FileSize: 10 * gib, ReclaimableUnmounted: gib, JobDuration: time.Hour}))
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Path: "sql01", Effect: hypervsim.ResetAfter()})
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Path: "other", Effect: hypervsim.ResetBefore()})
		results := make(chan hyperv.CompactResult)
		for _, path := range []string{diskPath, other} {
			go func() {
				got, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed), func(c *hyperv.Order) { c.Path = path }))
				if err == nil && sim.Compactions(path) == 0 {
					t.Errorf("%s: %s is claimed, the host did nothing", path, got.Status)
				}
				results <- got
			}()
		}
		for range 2 {
			if got := <-results; got.Status != hyperv.StatusCompacted && got.Status != hyperv.StatusUnchanged {
				t.Errorf("result = %+v", got)
			}
		}
		clean(t, sim)
	})
}

// TestCompactForeignJobIsNoProof: a compaction of another disk that began at
// that time is followed, but proves nothing: the disk did not shrink.
func TestCompactForeignJobIsNoProof(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const foreign = `D:\VMs\foreign.vhdx`
		sim, host := simulate(t, disk(), hypervsim.WithVHD(hypervsim.VHD{Path: foreign, FileSize: gib}))
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: hypervsim.ResetBefore(), Func: func(hypervsim.Request) {
			if _, err := sim.StartForeignCompaction(foreign, 20*time.Minute); err != nil {
				t.Error(err)
			}
		}})
		got, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed)))
		if err != nil || got.Status != hyperv.StatusCompacted || sim.Compactions(diskPath) != 1 {
			t.Errorf("result = %+v, %v, %d compactions of the disk", got, err, sim.Compactions(diskPath))
		}
		clean(t, sim)
	})
}

// TestAttachedButNotListedIsRemembered: the host reported that it attached the
// disk, but does not list it as attached. That proves no detach.
func TestAttachedButNotListedIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		sim.AddRule(hypervsim.Rule{
			Operation: hypervsim.OperationEnumerate, Class: cim.ClassMountedStorageImage,
			Func: func(hypervsim.Request) { sim.Detach(diskPath) },
		})
		got, err := host.Compact(t.Context(), order())
		if err == nil || !got.LeftAttached {
			t.Errorf("result = %+v, %v, want the attachment remembered", got, err)
		}
		if n := sim.Calls("CompactVirtualHardDisk"); n != 0 {
			t.Errorf("%d compactions of a disk that cannot be detached", n)
		}
	})
}

// TestInUseAndAttachedIsNoSkip: another program takes the disk after the attach,
// and the detach fails. A skip would hide that the disk stays attached.
func TestInUseAndAttachedIsNoSkip(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Func: func(hypervsim.Request) {
			if err := sim.Change(diskPath, func(v *hypervsim.VHD) { v.Locked, v.Refusals = true, hypervsim.ViaReturnValue }); err != nil {
				t.Error(err)
			}
		}})
		sim.AddRule(hypervsim.Rule{Method: "DetachVirtualHardDisk", Times: -1, Effect: hypervsim.Fault(2150859013, hypervsim.FaultFormAny)})
		got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.SkipInUse = true }))
		if !errors.Is(err, hyperv.ErrInUse) || got.Status == hyperv.StatusSkippedInUse || !got.LeftAttached {
			t.Errorf("result = %+v, %v, want ErrInUse and an attachment", got, err)
		}
	})
}

// TestInUseForAMoment: another program has the file open for a moment; the disk is tried again.
func TestInUseForAMoment(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		for _, via := range []hypervsim.Via{hypervsim.ViaReturnValue, hypervsim.ViaJob} {
			t.Run(fmt.Sprintf("%s/%v", m, via), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.Locked, v.Refusals = true, via }))
					time.AfterFunc(8*time.Second, func() {
						if err := sim.Change(diskPath, func(v *hypervsim.VHD) { v.Locked = false }); err != nil {
							t.Error(err)
						}
					})
					got, err := host.Compact(t.Context(), order(mode(m)))
					if err != nil || got.Status != hyperv.StatusCompacted {
						t.Errorf("result = %+v, %v, want it compacted", got, err)
					}
					clean(t, sim)
				})
			})
		}
	}
}
