package hyperv_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const diskPath = `D:\VMs\sql01.vhdx`

func order(adjust ...func(*hyperv.Compaction)) hyperv.Compaction {
	c := hyperv.Compaction{Path: diskPath, AllowMount: true, MaxPasses: 1, Timeout: 8 * time.Hour}
	for _, f := range adjust {
		f(&c)
	}
	return c
}

func mode(m hyperv.Mode) func(*hyperv.Compaction) {
	return func(c *hyperv.Compaction) { c.Mode = &m }
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
	inBubble(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		got, err := host.Compact(t.Context(), order())
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != hyperv.StatusCompacted || got.LeftAttached || len(got.Warnings) != 0 {
			t.Errorf("result = %+v", got)
		}
		if run := got.Run; run == nil || !run.Mounted || run.Mode != hyperv.ModeQuick || run.Passes != 1 || run.JobID == "" ||
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
	inBubble(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		got, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != hyperv.StatusCompacted || got.Run.Mounted || *got.Run.FileSizeAfterBytes != 8*gib {
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
	inBubble(t, func(t *testing.T) {
		const path = `D:\VMs\old.vhd`
		sim, host := simulate(t, hypervsim.WithGenerations(hypervsim.V1),
			hypervsim.WithVHD(hypervsim.VHD{Path: path, FileSize: 10 * gib, ReclaimableUnmounted: 3 * gib}))
		got, err := host.Compact(t.Context(), order(func(c *hyperv.Compaction) { c.Path = path }))
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != hyperv.StatusCompacted || got.Format != hyperv.FormatVHD || got.Run.Mode != "" || got.Run.Mounted || *got.Run.FileSizeAfterBytes != 7*gib {
			t.Errorf("result = %+v, run %+v", got, got.Run)
		}
		clean(t, sim)

		m := hyperv.ModeFull
		_, err = host.Compact(t.Context(), order(func(c *hyperv.Compaction) { c.Path, c.Mode = path, &m }))
		if !errors.Is(err, hyperv.ErrNotSupported) {
			t.Errorf("mode on a host without modes: %v, want ErrNotSupported", err)
		}
	})
}

func TestCompactNoHyperV(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		_, host := simulate(t, hypervsim.WithGenerations())
		_, err := host.Compact(t.Context(), order())
		if !errors.Is(err, hyperv.ErrNoHyperV) {
			t.Errorf("error = %v, want ErrNoHyperV", err)
		}
	})
}
