package hyperv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

const diskPath = `D:\VMs\sql01.vhdx`

func order(adjust ...func(*hyperv.Order)) hyperv.Order {
	c := hyperv.Order{Path: diskPath, AllowAttach: true, MaxPasses: 1, Timeout: 8 * time.Hour}
	for _, f := range adjust {
		f(&c)
	}
	return c
}

func mode(m hyperv.Mode) func(*hyperv.Order) {
	return func(c *hyperv.Order) { c.Mode = &m }
}

func disk(adjust ...func(*hypervsim.VHD)) hypervsim.Option {
	v := hypervsim.VHD{Path: diskPath, FileSize: 10 * gib, ReclaimableMounted: 6 * gib, ReclaimableUnmounted: 2 * gib, JobDuration: 10 * time.Minute}
	for _, f := range adjust {
		f(&v)
	}
	return hypervsim.WithVHD(v)
}

func TestCompactMounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		got, err := host.Compact(t.Context(), order())
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != hyperv.StatusCompacted || got.LeftAttached || len(got.Warnings) != 0 {
			t.Errorf("result = %+v", got)
		}
		if run := got.Run; run == nil || !run.Attached || run.Mode != hyperv.ModeQuick || run.Passes != 1 || run.JobID == "" ||
			*run.FileSizeBeforeBytes != 10*gib || *run.FileSizeAfterBytes != 4*gib {
			t.Errorf("run = %+v", got.Run)
		}
		if run := got.Run; run.CompletedAt.Sub(run.StartedAt) < 10*time.Minute || run.CompletedAt.Sub(run.StartedAt) > 10*time.Minute+15*time.Second {
			t.Errorf("run took %s, the job 10m", run.CompletedAt.Sub(run.StartedAt))
		}
		clean(t, sim)
	})
}

func TestCompactUnmounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		got, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != hyperv.StatusCompacted || got.Run.Attached || *got.Run.FileSizeAfterBytes != 8*gib {
			t.Errorf("result = %+v, run %+v", got, got.Run)
		}
		if n := sim.Calls("AttachVirtualHardDisk"); n != 0 {
			t.Errorf("%d attachments asked for, want none", n)
		}
		clean(t, sim)
	})
}

func TestCompactOldGeneration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const path = `D:\VMs\old.vhd`
		sim, host := simulate(t, hypervsim.WithGenerations(hypervsim.V1),
			hypervsim.WithVHD(hypervsim.VHD{Path: path, FileSize: 10 * gib, ReclaimableUnmounted: 3 * gib}))
		got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path = path }))
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != hyperv.StatusCompacted || got.Format != hyperv.FormatVHD || got.Run.Mode != "" || got.Run.Attached || *got.Run.FileSizeAfterBytes != 7*gib {
			t.Errorf("result = %+v, run %+v", got, got.Run)
		}
		clean(t, sim)

		m := hyperv.ModeFull
		_, err = host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path, c.Mode = path, &m }))
		if !errors.Is(err, hyperv.ErrNotSupported) {
			t.Errorf("mode on a host without modes: %v, want ErrNotSupported", err)
		}
	})
}

func TestCompactNoHyperV(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, host := simulate(t, hypervsim.WithGenerations())
		_, err := host.Compact(t.Context(), order())
		if !errors.Is(err, hyperv.ErrNoHyperV) {
			t.Errorf("error = %v, want ErrNoHyperV", err)
		}
	})
}

func TestCompactInUse(t *testing.T) {
	t.Parallel()
	machine := func(state hypervsim.VMState) hypervsim.Option {
		return hypervsim.WithVM(hypervsim.VM{Name: "sql01", State: state, Disks: []string{diskPath}})
	}
	for _, tt := range []struct {
		name   string
		opts   []hypervsim.Option
		act    func(*hypervsim.Host) error
		detail string
	}{
		{"running machine", []hypervsim.Option{disk(), machine(hypervsim.VMRunning)}, nil, "in use by virtual machine sql01 on HYPERV01 (running)"},
		{"saved machine", []hypervsim.Option{disk(), machine(hypervsim.VMSaved)}, nil, "in use by virtual machine sql01 on HYPERV01 (in saved state)"},
		{"paused machine", []hypervsim.Option{disk(), machine(hypervsim.VMPaused)}, nil, "in use by virtual machine sql01 on HYPERV01 (running)"},
		{"backup, by return value", []hypervsim.Option{disk(func(v *hypervsim.VHD) { v.Locked, v.Refusals = true, hypervsim.ViaReturnValue })}, nil, ""},
		{"backup, by job", []hypervsim.Option{disk(func(v *hypervsim.VHD) { v.Locked, v.Refusals = true, hypervsim.ViaJob })}, nil, ""},
		{"attached with write access", []hypervsim.Option{disk()}, func(h *hypervsim.Host) error { return h.Attach(diskPath, false) }, ""},
	} {
		for _, skip := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/skip=%v", tt.name, skip), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, tt.opts...)
					if tt.act != nil {
						if err := tt.act(sim); err != nil {
							t.Fatal(err)
						}
					}
					before := len(sim.Attachments())
					got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.SkipInUse = skip }))
					if skip {
						if err != nil || got.Status != hyperv.StatusSkippedInUse || len(got.Warnings) != 1 || got.Warnings[0].Kind != hyperv.WarnInUse {
							t.Errorf("result = %+v, %v", got, err)
						}
					} else if !errors.Is(err, hyperv.ErrInUse) || got.Status != hyperv.StatusFailed {
						t.Errorf("result = %+v, %v, want ErrInUse", got, err)
					}
					if got.Run != nil || got.LeftAttached {
						t.Errorf("something was started: %+v", got)
					}
					if tt.detail != "" && got.Detail != tt.detail {
						t.Errorf("detail = %q, want %q", got.Detail, tt.detail)
					}
					if after := len(sim.Attachments()); after != before || len(sim.Violations()) != 0 || sim.Compactions(diskPath) != 0 {
						t.Errorf("%d attachments, had %d; violations %q", after, before, sim.Violations())
					}
				})
			})
		}
	}
}

// TestCompactTakesOverAttachment: a run that was killed leaves the disk attached
// read-only; the next one uses and ends that attachment.
func TestCompactTakesOverAttachment(t *testing.T) {
	t.Parallel()
	for _, jobless := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.Immediate = jobless }))
			if err := sim.Attach(`d:\vms\SQL01.vhdx`, true); err != nil {
				t.Fatal(err)
			}
			got, err := host.Compact(t.Context(), order())
			if err != nil || got.Status != hyperv.StatusCompacted {
				t.Fatalf("result = %+v, %v", got, err)
			}
			if len(got.Warnings) != 1 || got.Warnings[0].Kind != hyperv.WarnTookOver {
				t.Errorf("warnings = %+v, want the attachment named", got.Warnings)
			}
			clean(t, sim)
		})
	}
}

// TestCompactForeignCompaction: a compaction without an attachment does not name its disk, so no
// run waits for it longer than for any other use of a disk.
func TestCompactForeignCompaction(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		for _, ends := range []time.Duration{10 * time.Second, time.Hour} {
			t.Run(fmt.Sprintf("%s/%s", m, ends), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk())
					if _, err := sim.StartForeignCompaction(diskPath, ends); err != nil {
						t.Fatal(err)
					}
					start := time.Now()
					got, err := host.Compact(t.Context(), order(mode(m)))
					if ends < time.Minute {
						if err != nil || sim.Compactions(diskPath) != 2 {
							t.Errorf("result = %+v, %v", got, err)
						}
					} else if took := time.Since(start); !errors.Is(err, hyperv.ErrInUse) || got.Run != nil || took > time.Minute {
						t.Errorf("result after %s = %+v, %v, want a disk in use within a minute", took, got, err)
					}
					clean(t, sim)
				})
			})
		}
	}
}

// TestCompactAfterKill: a process that dies leaves the job running and the disk attached. A new
// process that knows nothing of it puts things right. A job without an attachment cannot be
// distinguished from any other: the disk is in use until it ends.
func TestCompactAfterKill(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeQuick, hyperv.ModePretrimmed} {
		for _, percent := range sample.Every(3, []int{5, 35, 65, 95}) {
			t.Run(fmt.Sprintf("%s at %d %%", m, percent), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim := hypervsim.RunT(t, hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(), disk())
					way := &network{sim: sim}
					dying := connect(t, sim, func(cfg *hyperv.Config) { cfg.Dial = way.dial })
					killed := make(chan struct{})
					go func() {
						defer close(killed)
						_, _ = dying.Compact(t.Context(), order(mode(m))) // its result is lost with the process
					}()
					time.Sleep(time.Duration(percent) * 6 * time.Second)
					way.kill()

					next := connect(t, sim, func(*hyperv.Config) {})
					got, err := next.Compact(t.Context(), order(mode(m)))
					if m == hyperv.ModePretrimmed {
						if !errors.Is(err, hyperv.ErrInUse) || got.Run != nil {
							t.Errorf("while the job runs: %+v, %v", got, err)
						}
						time.Sleep(10 * time.Minute)
						got, err = next.Compact(t.Context(), order(mode(m)))
					}
					if err != nil || got.Status != hyperv.StatusCompacted && got.Status != hyperv.StatusUnchanged {
						t.Errorf("after the kill: %+v, %v", got, err)
					}
					clean(t, sim)
					<-killed
					clean(t, sim)
				})
			})
		}
	}
}

// TestCompactInterrupted: Ctrl-C and a time-out cancel the job, detach and read.
func TestCompactInterrupted(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeFull, hyperv.ModePrezeroed} {
		for _, timedOut := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/timed out=%v", m, timedOut), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk())
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					o := order(mode(m))
					if timedOut {
						o.Timeout = 5 * time.Minute
					} else {
						time.AfterFunc(5*time.Minute, cancel)
					}
					start := time.Now()
					got, err := host.Compact(ctx, o)
					if !errors.Is(err, hyperv.ErrInterrupted) || got.Status != hyperv.StatusInterrupted {
						t.Fatalf("result = %+v, %v", got, err)
					}
					if took := time.Since(start); took > 6*time.Minute {
						t.Errorf("returned after %s, want within a minute of the interrupt", took)
					}
					if got.Run == nil || got.Run.JobID == "" || got.Run.FileSizeAfterBytes == nil {
						t.Errorf("run = %+v", got.Run)
					}
					if running(sim) {
						t.Error("the job still runs")
					}
					clean(t, sim)
				})
			})
		}
	}
}

func TestCompactPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) {
			v.ReclaimableMounted, v.UnlockedByPass = gib, []int64{2 * gib}
		}))
		got, err := host.Compact(t.Context(), order(mode(hyperv.ModeFull), func(c *hyperv.Order) { c.MaxPasses = 5 }))
		if err != nil {
			t.Fatal(err)
		}
		if got.Run.Passes != 4 || *got.Run.FileSizeAfterBytes != 7*gib {
			t.Errorf("run = %+v, want two passes that reclaim and two that do not, down to 7 GiB", got.Run)
		}
		clean(t, sim)
	})
}

func TestCompactRefusedKinds(t *testing.T) {
	t.Parallel()
	for name, adjust := range map[string]func(*hypervsim.VHD){
		"fixed VHDX": func(v *hypervsim.VHD) { v.Type = hypervsim.TypeFixed },
		"VHD Set":    func(v *hypervsim.VHD) { v.Format = hypervsim.FormatVHDSet },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk(adjust))
				got, err := host.Compact(t.Context(), order())
				if !errors.Is(err, hyperv.ErrNotSupported) || got.Status != hyperv.StatusFailed || got.Run != nil {
					t.Errorf("result = %+v, %v", got, err)
				}
				if n := sim.Calls("CompactVirtualHardDisk"); n != 0 {
					t.Errorf("%d compactions asked for", n)
				}
			})
		})
	}
}

func TestCompactHostErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		adjust func(*hypervsim.VHD)
		code   string
	}{
		{"access denied", func(v *hypervsim.VHD) { v.Denied = true }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithLocale("ja-JP"), disk(tt.adjust))
				got, err := host.Compact(t.Context(), order())
				if err == nil || got.Status != hyperv.StatusFailed {
					t.Fatalf("result = %+v, %v", got, err)
				}
				e := hyperv.Explain(err)
				if e.Code == "" || e.Hint == "" || !strings.HasPrefix(e.Code, tt.code) {
					t.Errorf("Explain(%v) = %+v, want code %s", err, e, tt.code)
				}
				clean(t, sim)
			})
		})
	}
}

// TestCompactNotCompactable: a file that the host can never compact does not
// cause an error every night, and stays as it is.
func TestCompactNotCompactable(t *testing.T) {
	t.Parallel()
	for _, m := range []hyperv.Mode{hyperv.ModeQuick, hyperv.ModePrezeroed} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithLocale("ja-JP"), disk(func(v *hypervsim.VHD) { v.Compressed = true }))
				got, err := host.Compact(t.Context(), order(mode(m)))
				if err != nil || got.Status != hyperv.StatusNotCompactable || !strings.Contains(got.Detail, "0xC03A001A") {
					t.Errorf("result = %+v, %v", got, err)
				}
				if len(got.Warnings) != 1 || got.Warnings[0].Kind != hyperv.WarnNotCompactable {
					t.Errorf("warnings = %+v", got.Warnings)
				}
				clean(t, sim)
			})
		})
	}
}

func TestFileSizeProvesAbsence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		path string
		act  func(*hypervsim.Host)
		want error
	}{
		{"file deleted", diskPath, func(h *hypervsim.Host) { h.Remove(diskPath) }, hyperv.ErrNotFound},
		{"volume gone", diskPath, func(h *hypervsim.Host) { h.RemoveVolume(`D:`) }, hyperv.ErrPathNotFound},
		{"directory never there", `D:\elsewhere\a.vhdx`, func(*hypervsim.Host) {}, hyperv.ErrPathNotFound},
		{"share", `\\nas\vms\a.vhdx`, func(*hypervsim.Host) {}, hyperv.ErrPathNotFound},
	} {
		for _, viaJob := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/job=%v", tt.name, viaJob), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					opts := []hypervsim.Option{disk()}
					if viaJob {
						opts = append(opts, hypervsim.WithMissingViaJob())
					}
					sim, host := simulate(t, opts...)
					tt.act(sim)
					_, err := host.FileSize(t.Context(), tt.path)
					for _, sentinel := range []error{hyperv.ErrNotFound, hyperv.ErrPathNotFound} {
						if got := errors.Is(err, sentinel); got != (sentinel == tt.want) { //nolint:errorlint // which sentinel is the question
							t.Errorf("%v: is %v = %v", err, sentinel, got)
						}
					}
				})
			})
		}
	}
}
