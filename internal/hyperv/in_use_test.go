package hyperv_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestInUseAmidTheWork: a job that makes progress and then finds the file in use is tried for as
// long as one that finds it so at once, and not for as long as the run may take.
func TestInUseAmidTheWork(t *testing.T) {
	t.Parallel()
	for _, job := range []time.Duration{time.Second, 4 * time.Second, 40 * time.Second} {
		t.Run(job.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk(func(v *hypervsim.VHD) {
					v.JobDuration = job
					v.CompactionFailure = &hypervsim.JobFailure{ErrorCode: 32774, CompletionStatus: 0x80070020}
				}))
				got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.Timeout, o.SkipInUse = 30*time.Minute, true }))
				if err != nil || got.Status != hyperv.StatusSkippedInUse {
					t.Errorf("%s, %v", got.Status, err)
				}
				if n := sim.CompactionRequests(diskPath); n > 5 {
					t.Errorf("%d requests to compact", n)
				}
				clean(t, sim)
			})
		})
	}
}

// TestDetachedBetweenPasses: a pass does not run, and is not told to have run, on a disk that is no
// longer attached.
func TestDetachedBetweenPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sim *hypervsim.Host
		var once sync.Once
		start := time.Now()
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = 10 * time.Second }),
			hypervsim.WithAnswer(func(request, answer string) string {
				if strings.Contains(request, "GetVirtualHardDiskState") && time.Since(start) > 5*time.Second { // the size after the first pass
					once.Do(func() { go sim.Detach(diskPath) })
				}
				return answer
			}))
		got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.MaxPasses = 3 }))
		if err == nil || got.LeftAttached || got.Run == nil || got.Run.Passes != 1 || sim.CompactionRequests(diskPath) != 1 {
			t.Errorf("%+v, %v, %d requests, want an error after the first pass", got, err, sim.CompactionRequests(diskPath))
		}
	})
}
