package hyperv_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestCompactOutage: a connection that is lost for less than the host keeps the
// record of a job costs nothing; a longer one ends the run as unknown, the job
// goes on, and the next run waits for it.
func TestCompactOutage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		outage time.Duration
		want   hyperv.Status
	}{
		{"four minutes", 4 * time.Minute, hyperv.StatusCompacted},
		{"for good", 24 * time.Hour, hyperv.StatusUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := hypervsim.RunT(t, hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(),
					disk(func(v *hypervsim.VHD) { v.JobDuration = time.Hour }))
				way := &network{sim: sim}
				host := connect(t, sim, func(cfg *hyperv.Config) { cfg.Dial = way.dial })
				time.AfterFunc(20*time.Minute, func() {
					way.kill()
					time.AfterFunc(tt.outage, func() { way.cut.Store(false) })
				})
				got, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed)))
				if got.Status != tt.want || (err == nil) != (tt.want == hyperv.StatusCompacted) {
					t.Fatalf("result = %+v, %v, want %s", got, err, tt.want)
				}
				if got.Run == nil || got.Run.JobID == "" {
					t.Fatalf("run = %+v, want the id of its job", got.Run)
				}
				if tt.want == hyperv.StatusCompacted {
					return
				}
				if known := hyperv.Explain(err); !errors.Is(err, hyperv.ErrOutcomeUnknown) || !slices.Contains(known.Reasons, hyperv.ReasonUnfinished) {
					t.Errorf("error %v: %+v, want an unknown outcome and its reason", err, known)
				}
				next := connect(t, sim, func(*hyperv.Config) {})
				got, err = next.Compact(t.Context(), order(mode(hyperv.ModePrezeroed), func(c *hyperv.Order) { c.PriorJobID = got.Run.JobID }))
				if err != nil || got.Status != hyperv.StatusUnchanged {
					t.Fatalf("the next run: %+v, %v", got, err)
				}
				if len(got.Warnings) != 1 || got.Warnings[0].Kind != hyperv.WarnAwaited || sim.Compactions(diskPath) != 2 || len(sim.Violations()) != 0 {
					t.Errorf("warnings %+v, %d compactions, violations %q: want the running one awaited", got.Warnings, sim.Compactions(diskPath), sim.Violations())
				}
			})
		})
	}
}

// TestCompactServiceRestart: the job is gone with its host's service. That is no
// success and no failure.
func TestCompactServiceRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		time.AfterFunc(5*time.Minute, sim.RestartService)
		got, err := host.Compact(t.Context(), order())
		if got.Status != hyperv.StatusUnknown || !errors.Is(err, hyperv.ErrJobGone) || !slices.Contains(hyperv.Explain(err).Reasons, hyperv.ReasonUnfinished) {
			t.Errorf("result = %+v, %v, want an unknown outcome with an instruction", got, err)
		}
		if got.Run == nil || got.Run.FileSizeAfterBytes == nil {
			t.Errorf("run = %+v, want the size read from the host", got.Run)
		}
		clean(t, sim)
	})
}

// TestCompactTurnsAcrossOrders: orders that are given at once on one host run two at a time, never
// twice on one disk, and waiting uses up no time-out.
func TestCompactTurnsAcrossOrders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		paths := []string{`D:\VMs\1.vhdx`, `D:\VMs\2.vhdx`, `D:\VMs\3.vhdx`, `D:\VMs\4.vhdx`, `D:\VMs\5.vhdx`, `D:\VMs\6.vhdx`}
		var opts []hypervsim.Option
		for _, p := range paths {
			opts = append(opts, hypervsim.WithVHD(hypervsim.VHD{Path: p, FileSize: 10 * gib, ReclaimableUnmounted: gib, JobDuration: time.Hour}))
		}
		sim, host := simulate(t, opts...)
		results := make(chan error)
		orders := append(paths, `d:/vms/1.VHDX`, `D:\VMs\\2.vhdx`)
		for _, p := range orders {
			go func() {
				_, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed), func(c *hyperv.Order) {
					c.Path, c.Timeout = p, 90*time.Minute // shorter than the wait for a turn
				}))
				results <- err
			}()
		}
		for range orders {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if got := sim.PeakCompactions(); got != 2 {
			t.Errorf("%d compactions at once, want 2", got)
		}
		clean(t, sim)
	})
}

// TestCompactOutOfSight: a compaction of an attached disk whose host answers
// every request except those about the job is given up after five minutes: it
// is cancelled, then looked for in the list of jobs, so that the disk is not
// detached beneath it.
func TestCompactOutOfSight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = time.Hour }))
		sim.AddRule(hypervsim.Rule{Operation: hypervsim.OperationGet, Class: cim.ClassStorageJob, Skip: 10, Times: -1, Effect: hypervsim.Garbage()})
		start := time.Now()
		got, err := host.Compact(t.Context(), order())
		if got.Status != hyperv.StatusUnknown || !errors.Is(err, hyperv.ErrOutcomeUnknown) {
			t.Errorf("result = %+v, %v, want an unknown outcome", got, err)
		}
		if took := time.Since(start); took > 10*time.Minute+15*time.Second {
			t.Errorf("given up after %s", took)
		}
		if n := sim.Calls("RequestStateChange"); n != 1 {
			t.Errorf("the job was cancelled %d times, want once", n)
		}
		clean(t, sim)
	})
}
