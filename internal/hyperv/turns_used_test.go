package hyperv_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// queue is many disks of one host, which has two turns.
type queue struct {
	name  string
	job   func(i int) time.Duration
	bound float64 // of the total time, in multiples of that of the jobs alone
}

func queues() []queue {
	always := func(job time.Duration) func(int) time.Duration { return func(int) time.Duration { return job } }
	return []queue{
		{"5s to 15s", func(i int) time.Duration { return 5*time.Second + time.Duration(i*37%101)*100*time.Millisecond }, 1.15},
		{"1m", always(time.Minute), 1.03},
		{"1h", always(time.Hour), 1.02},
	}
}

// TestTurnsAreUsed: a turn that is free is taken at once, and what a run does besides its job is
// little.
func TestTurnsAreUsed(t *testing.T) {
	t.Parallel()
	for _, q := range sample.Every(3, queues()) {
		synctest.Test(t, func(t *testing.T) { q.work(t) })
	}
}

// BenchmarkTurns reports the total time of a queue in multiples of that of its jobs alone, in
// virtual time.
func BenchmarkTurns(b *testing.B) {
	for _, q := range queues() {
		b.Run(q.name, func(b *testing.B) {
			for range b.N {
				virtual(b, func(t *testing.T) {
					t.Helper()
					b.ReportMetric(q.work(t), "x-ideal")
				})
			}
		})
	}
}

// work compacts a hundred disks and returns the total time in multiples of that of the jobs alone.
func (q queue) work(t *testing.T) float64 {
	t.Helper()
	disks := sample.Of(100, 20)
	path := func(i int) string { return fmt.Sprintf(`D:\VMs\%03d.vhdx`, i) }
	var ideal time.Duration
	var opts []hypervsim.Option
	for i := range disks {
		ideal += q.job(i) / 2
		opts = append(opts, hypervsim.WithVHD(hypervsim.VHD{Path: path(i), FileSize: 10 * gib, ReclaimableMounted: gib, JobDuration: q.job(i)}))
	}
	sim, host := simulate(t, opts...)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range disks {
		wg.Go(func() {
			got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path = path(i) }))
			if err != nil || got.Status != hyperv.StatusCompacted || got.LeftAttached {
				t.Errorf("%s: %+v, %v", path(i), got, err)
			}
		})
	}
	wg.Wait()
	clean(t, sim)
	used := float64(time.Since(start)) / float64(ideal)
	t.Logf("%d jobs of %s in two turns: %.3f times the jobs alone", disks, q.name, used)
	if used > q.bound || sim.PeakCompactions() != 2 {
		t.Errorf("jobs of %s: %.3f times the jobs alone, want %.2f at most; %d at once, want 2", q.name, used, q.bound, sim.PeakCompactions())
	}
	return used
}
