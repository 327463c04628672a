package hyperv_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

const otherPath = `D:\VMs\other.vhdx`

func other(adjust ...func(*hypervsim.VHD)) hypervsim.Option {
	v := hypervsim.VHD{Path: otherPath, FileSize: 10 * gib, ReclaimableUnmounted: gib, ReclaimableMounted: gib, JobDuration: time.Hour}
	for _, f := range adjust {
		f(&v)
	}
	return hypervsim.WithVHD(v)
}

// process is a separate process that works on a host, with a name for the oracle.
func process(t *testing.T, sim *hypervsim.Host, name string) *hyperv.Host {
	t.Helper()
	return connect(t, sim, func(cfg *hyperv.Config) { cfg.Dial = sim.DialAs(name) })
}

// claims makes the oracle compare what a process claims with the facts.
func claims(sim *hypervsim.Host, name, path string, got hyperv.CompactResult) {
	sim.Check(hypervsim.Claim{Client: name, Path: path, LeftAttached: got.LeftAttached})
}

// background carries out an order in the background of the test.
func background(ctx context.Context, h *hyperv.Host, o hyperv.Order) func() (hyperv.CompactResult, error) {
	var got hyperv.CompactResult
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		got, err = h.Compact(ctx, o)
	}()
	return func() (hyperv.CompactResult, error) {
		<-done
		return got, err
	}
}

// TestSecondProcessInterrupted: a process that waits for the attachment of
// another one, and is interrupted, leaves it alone.
func TestSecondProcessInterrupted(t *testing.T) {
	t.Parallel()
	for _, timedOut := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = time.Hour }))
			first := background(t.Context(), process(t, sim, "a"), order())
			time.Sleep(10 * time.Minute)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := order()
			if timedOut {
				o.Timeout = 7 * time.Minute
			} else {
				time.AfterFunc(2*time.Minute, cancel)
			}
			got, err := process(t, sim, "b").Compact(ctx, o)
			if got.LeftAttached || got.Run != nil || timedOut && !errors.Is(err, hyperv.ErrInterrupted) && !errors.Is(err, hyperv.ErrInUse) {
				t.Errorf("the second process: %+v, %v", got, err)
			}
			claims(sim, "b", diskPath, got)
			if got, err := first(); err != nil || got.Status != hyperv.StatusCompacted || got.LeftAttached {
				t.Errorf("the first process: %+v, %v", got, err)
			}
			clean(t, sim)
		})
	}
}

// TestTwoProcessesOneDisk lets a second process begin at every second of the last
// minutes of the first one's job, whose progress shows only at the end, and at
// each of the minutes before.
func TestTwoProcessesOneDisk(t *testing.T) {
	t.Parallel()
	const job = time.Hour
	var offsets []time.Duration
	for m := time.Minute; m < job-200*time.Second; m += 3 * time.Minute {
		offsets = append(offsets, m)
	}
	for s := 200 * time.Second; s >= -20*time.Second; s -= time.Second {
		offsets = append(offsets, job-s)
	}
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		for _, offset := range sample.Every(144, offsets) {
			t.Run(fmt.Sprintf("%s/%s", m, offset), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.Progress = job, hypervsim.ProgressAtEnd }))
					first := background(t.Context(), process(t, sim, "a"), order())
					// Its job has begun. Later ones are shorter, but longer than a holder may not look.
					time.Sleep(10 * time.Second)
					if err := sim.Change(diskPath, func(v *hypervsim.VHD) { v.JobDuration = 5 * time.Minute }); err != nil {
						t.Fatal(err)
					}
					time.Sleep(offset - 10*time.Second)
					got, err := process(t, sim, "b").Compact(t.Context(), order(mode(m)))
					if err != nil && !errors.Is(err, hyperv.ErrInUse) {
						t.Errorf("the second process: %+v, %v", got, err)
					}
					claims(sim, "b", diskPath, got)
					got, err = first()
					if err != nil || got.Status != hyperv.StatusCompacted {
						t.Errorf("the first process: %+v, %v", got, err)
					}
					claims(sim, "a", diskPath, got)
					clean(t, sim)
				})
			})
		}
	}
}

// TestTwoPipelines: two processes with separate disks and two turns each. The
// work of one must not keep the other from detaching its disks.
func TestTwoPipelines(t *testing.T) {
	t.Parallel()
	disks := sample.Of(40, 3)
	took := map[int]time.Duration{}
	for _, processes := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			path := func(p, i int) string { return fmt.Sprintf(`D:\VMs\p%d-%02d.vhdx`, p, i) }
			var opts []hypervsim.Option
			for p := range processes {
				for i := range disks {
					opts = append(opts, hypervsim.WithVHD(hypervsim.VHD{
						Path: path(p, i), FileSize: 10 * gib, ReclaimableMounted: gib,
						JobDuration: 20*time.Minute + time.Duration((i*37+p*11)%71)*time.Minute,
					}))
				}
			}
			sim, _ := simulate(t, opts...)
			var wg sync.WaitGroup
			start := time.Now()
			for p := range processes {
				name := fmt.Sprint("pipeline ", p)
				h := process(t, sim, name)
				for i := range disks {
					wg.Go(func() {
						got, err := h.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path = path(p, i) }))
						if err != nil || got.Status != hyperv.StatusCompacted || got.LeftAttached {
							t.Errorf("%s: %+v, %v", path(p, i), got, err)
						}
						claims(sim, name, path(p, i), got)
					})
				}
			}
			wg.Wait()
			took[processes] = time.Since(start)
			clean(t, sim)
		})
	}
	t.Logf("%d disks of one pipeline in %s, of two at once in %s", disks, took[1].Round(time.Minute), took[2].Round(time.Minute))
	if !testing.Short() && took[2] > took[1]*6/5 { // of few disks the last one decides
		t.Errorf("two pipelines took %s, one %s: more than 1.2 times as long", took[2], took[1])
	}
}

// TestLongForeignCompaction: a compaction that takes hours, and whose disk this process does not
// know, does not keep other disks attached.
func TestLongForeignCompaction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disks := sample.Of(10, 4)
		path := func(i int) string { return fmt.Sprintf(`D:\VMs\d-%02d.vhdx`, i) }
		opts := []hypervsim.Option{other()}
		for i := range disks {
			opts = append(opts, hypervsim.WithVHD(hypervsim.VHD{Path: path(i), FileSize: 10 * gib, ReclaimableMounted: gib, JobDuration: 20 * time.Minute}))
		}
		sim, host := simulate(t, opts...)
		if _, err := sim.Console(`HYPERV\colleague`).Compact(otherPath, 6*time.Hour); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range disks {
			wg.Go(func() {
				got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path = path(i) }))
				if err != nil || got.LeftAttached {
					t.Errorf("%s: %+v, %v", path(i), got, err)
				}
			})
		}
		wg.Wait()
		clean(t, sim)
	})
}

// TestKilledRunIsHealed: a disk that a killed run left attached is detached by the next one,
// although another process keeps the host busy with long compactions, or short ones of which one
// ends every minute or so.
func TestKilledRunIsHealed(t *testing.T) {
	t.Parallel()
	for _, tt := range sample.Every(3, []struct {
		disks int
		job   time.Duration
		left  bool
	}{{sample.Of(150, 10), 3 * time.Minute, false}, {10, time.Hour, false}, {10, time.Hour, true}}) {
		synctest.Test(t, func(t *testing.T) {
			opts := []hypervsim.Option{disk()}
			path := func(i int) string { return fmt.Sprintf(`D:\VMs\o%d.vhdx`, i) }
			for i := range tt.disks {
				opts = append(opts, hypervsim.WithVHD(hypervsim.VHD{
					Path: path(i), FileSize: gib, ReclaimableMounted: 1, JobDuration: tt.job + tt.job/10*time.Duration(i%10),
				}))
			}
			sim, host := simulate(t, opts...)
			busy := connect(t, sim, func(cfg *hyperv.Config) { cfg.Dial, cfg.MaxConcurrentCompactions = sim.DialAs("busy"), 4 })
			var wg sync.WaitGroup
			for i := range tt.disks {
				wg.Go(func() { _, _ = busy.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path = path(i) })) })
			}
			time.Sleep(10 * time.Minute)
			if err := sim.AttachFor("killed", diskPath); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.LeftAttached = tt.left }))
			if err != nil || got.Status != hyperv.StatusCompacted || got.LeftAttached || !warned(got, hyperv.WarnTookOver) {
				t.Errorf("%+v: %+v, %v", tt, got, err)
			}
			took := time.Since(start).Round(time.Second) - 10*time.Minute // of its own job
			t.Logf("%+v: healed after %s", tt, took)
			if took > 15*time.Minute {
				t.Errorf("%+v: healed after %s", tt, took)
			}
			wg.Wait()
			clean(t, sim)
		})
	}
}

func warned(got hyperv.CompactResult, kind hyperv.WarningKind) bool {
	for _, w := range got.Warnings {
		if w.Kind == kind {
			return true
		}
	}
	return false
}

// TestAttachmentsOfOthers: an attachment that has a drive letter or a folder,
// or for which that cannot be seen, belongs to another client and stays.
func TestAttachmentsOfOthers(t *testing.T) {
	t.Parallel()
	denied := hypervsim.Fault(5, hypervsim.FaultFormAny)
	for name, tt := range map[string]struct {
		readOnly bool
		names    []string
		hidden   string
	}{
		"letter":            {true, []string{`E:\`}, ""},
		"folder":            {true, []string{`C:\mnt\backup\`}, ""},
		"writable":          {false, nil, ""},
		"disks hidden":      {true, nil, "MSFT_Disk"},
		"partitions hidden": {true, nil, "MSFT_Partition"},
	} {
		for _, m := range []hyperv.Mode{hyperv.ModeQuick, hyperv.ModePrezeroed} {
			t.Run(name+"/"+string(m), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.Refusals = hypervsim.ViaReturnValue }))
					if err := sim.Console(`HYPERV\backup`).Attach(diskPath, tt.readOnly, tt.names...); err != nil {
						t.Fatal(err)
					}
					if tt.hidden != "" {
						sim.AddRule(hypervsim.Rule{Operation: hypervsim.OperationEnumerate, Class: tt.hidden, Times: -1, Effect: denied})
					}
					start := time.Now()
					for _, left := range []bool{false, true} {
						got, err := host.Compact(t.Context(), order(mode(m), func(c *hyperv.Order) {
							c.SkipInUse, c.SeenAttached, c.LeftAttached, c.LeftAt = !left, !left, left, nil
						}))
						if !left && (err != nil || got.Status != hyperv.StatusSkippedInUse) || left && !errors.Is(err, hyperv.ErrInUse) {
							t.Errorf("left=%v: %+v, %v, want it in use", left, got, err)
						}
					}
					if took := time.Since(start); took > 2*time.Minute {
						t.Errorf("took %s", took)
					}
					if len(sim.Attachments()) != 1 {
						t.Errorf("attachments %+v, want somebody's", sim.Attachments())
					}
				})
			})
		}
	}
}

// TestHostRestarts: a restart ends job and attachment, and the address goes to the attachment of
// another client. That one is left alone, whichever client comes first.
func TestHostRestarts(t *testing.T) {
	t.Parallel()
	for name, console := range map[string]func(*hypervsim.Console) error{
		"another disk, writable":   func(c *hypervsim.Console) error { return c.Attach(otherPath, false) },
		"another disk, read-only":  func(c *hypervsim.Console) error { return c.Attach(otherPath, true) },
		"the same disk, read-only": func(c *hypervsim.Console) error { return c.Attach(diskPath, true) },
		"the same disk, writable":  func(c *hypervsim.Console) error { return c.Attach(diskPath, false) },
		"the same disk, compacting": func(c *hypervsim.Console) error {
			return errors.Join(c.Attach(diskPath, true), second(c.Compact(diskPath, time.Hour)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = time.Hour }), other())
				time.AfterFunc(20*time.Minute, func() {
					sim.Restart(time.Minute)
					if err := console(sim.Console(`HYPERV\colleague`)); err != nil {
						t.Error(err)
					}
				})
				got, err := host.Compact(t.Context(), order())
				if got.Status != hyperv.StatusUnknown || !errors.Is(err, hyperv.ErrOutcomeUnknown) {
					t.Errorf("result = %+v, %v, want an unknown outcome", got, err)
				}
				if len(sim.Attachments()) != 1 {
					t.Errorf("attachments = %+v, want the colleague's", sim.Attachments())
				}
				if bad := sim.Violations(); len(bad) != 0 {
					t.Errorf("violations %q", bad)
				}
			})
		})
	}
}

func second[T any](_ T, err error) error { return err }

// TestHostRestartsBeneathAQueue: the queue of one process goes on after a restart
// and attaches its disks at addresses that older runs still remember.
func TestHostRestartsBeneathAQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vhd := func(i int, d time.Duration) hypervsim.Option {
			return hypervsim.WithVHD(hypervsim.VHD{Path: fmt.Sprintf(`D:\%d.vhdx`, i), FileSize: 10 * gib, ReclaimableMounted: gib, JobDuration: d, Progress: hypervsim.ProgressAtEnd})
		}
		sim, _ := simulate(t, vhd(1, 4*time.Hour), vhd(2, time.Hour), vhd(3, time.Hour), vhd(4, time.Hour))
		host := process(t, sim, "queue")
		var waits []func() (hyperv.CompactResult, error)
		for i := 1; i <= 4; i++ {
			waits = append(waits, background(t.Context(), host, order(func(c *hyperv.Order) { c.Path = fmt.Sprintf(`D:\%d.vhdx`, i) })))
			time.Sleep(time.Minute)
		}
		time.Sleep(20 * time.Minute)
		sim.Restart(0)
		for i, wait := range waits {
			got, err := wait()
			if i > 1 && (err != nil || got.Status != hyperv.StatusCompacted) {
				t.Errorf("disk %d: %+v, %v", i+1, got, err)
			}
			claims(sim, "queue", fmt.Sprintf(`D:\%d.vhdx`, i+1), got)
		}
		clean(t, sim)
	})
}

// TestOneFileTwoSpellings: the host knows that two spellings are one file; two runs of one process
// compact it one after the other.
func TestOneFileTwoSpellings(t *testing.T) {
	t.Parallel()
	const guid = "0d64f9a4-6c5c-4d8e-9a1b-3f1f0d1c2b3a"
	for name, spelling := range map[string]string{
		"short name":  `D:\VMS~1\sql01.vhdx`,
		"volume":      `\\?\Volume{` + guid + `}\VMs\sql01.vhdx`,
		"mount point": `C:\mnt\data\VMs\sql01.vhdx`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = time.Hour }),
					hypervsim.WithShortName(`D:\VMs`, "VMS~1"), hypervsim.WithVolumeGUID(`D:`, guid), hypervsim.WithMountPoint(`C:\mnt\data`, guid))
				host := process(t, sim, "one")
				first := background(t.Context(), host, order())
				time.Sleep(10 * time.Minute)
				start := time.Now()
				got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path = spelling }))
				if err != nil || got.LeftAttached {
					t.Errorf("the other spelling: %+v, %v", got, err)
				}
				if took := time.Since(start); took > 2*time.Hour {
					t.Errorf("took %s", took)
				}
				if got, err := first(); err != nil || got.Status != hyperv.StatusCompacted {
					t.Errorf("the first: %+v, %v", got, err)
				}
				clean(t, sim)
			})
		})
	}
}

// TestBorrowedAndInterrupted: a run is interrupted during its compaction on an
// attachment that a killed run left. If the host has accepted the compaction,
// the disk is detached; a job that still runs is reported.
func TestBorrowedAndInterrupted(t *testing.T) {
	t.Parallel()
	for _, stops := range []time.Duration{time.Second, 3 * time.Minute} {
		for _, after := range []time.Duration{5 * time.Second, 5 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) {
					v.JobDuration, v.CancelDelay, v.Progress = time.Hour, stops, hypervsim.ProgressAtEnd
				}))
				if err := sim.AttachFor("killed", diskPath); err != nil {
					t.Fatal(err)
				}
				got, err := process(t, sim, "b").Compact(t.Context(), order(func(o *hyperv.Order) { o.Timeout = 150*time.Second + after }))
				if !errors.Is(err, hyperv.ErrInterrupted) || got.LeftAttached != (stops > time.Minute) {
					t.Errorf("stops after %s, interrupted after %s: %+v, %v", stops, after, got, err)
				}
				claims(sim, "b", diskPath, got)
			})
		}
	}
}
