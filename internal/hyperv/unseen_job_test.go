package hyperv_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestUnseenJob: a run reports which job may still compact its disk, and where. Later runs keep
// that job until its end is known, however they end and on whichever node.
func TestUnseenJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, two, way, host := nodes(t, disk(func(v *hypervsim.VHD) {
			v.JobDuration, v.NotCancellable, v.Refusals = 2*time.Hour, true, hypervsim.ViaReturnValue
		}))
		prezeroed := mode(hyperv.ModePrezeroed)
		next := func(prior hyperv.CompactResult) (hyperv.CompactResult, error) {
			return host.Compact(t.Context(), order(prezeroed, func(o *hyperv.Order) {
				o.PriorJobID, o.PriorNode, o.SkipInUse = prior.UnseenJob, prior.UnseenJobNode, true
			}))
		}
		first, err := host.Compact(t.Context(), order(prezeroed, func(o *hyperv.Order) { o.Timeout = 10 * time.Minute }))
		if first.UnseenJob == "" || first.UnseenJob != first.Run.JobID || first.UnseenJobNode != "NODE1" {
			t.Fatalf("interrupted: %+v, %v", first, err)
		}

		way.move(two, true)
		lock := func(locked bool) {
			if err := two.Change(diskPath, func(v *hypervsim.VHD) { v.Locked = locked }); err != nil {
				t.Fatal(err)
			}
		}
		lock(true)
		refused, err := next(first)
		if refused.Status != hyperv.StatusSkippedInUse || refused.UnseenJob != first.UnseenJob || refused.UnseenJobNode != "NODE1" || refused.Node != "NODE2" {
			t.Errorf("in use on another node: %+v, %v", refused, err)
		}

		way.move(one, true)
		followed, err := next(refused)
		if err != nil || followed.UnseenJob != "" || !warned(followed, hyperv.WarnAwaited) {
			t.Errorf("on its node: %+v, %v", followed, err)
		}

		if err := one.Change(diskPath, func(v *hypervsim.VHD) { v.Locked = true }); err != nil {
			t.Fatal(err)
		}
		ended, err := next(refused)
		if ended.Status != hyperv.StatusSkippedInUse || ended.UnseenJob != "" {
			t.Errorf("after its end: %+v, %v", ended, err)
		}

		way.move(two, true)
		lock(false)
		if err := two.Change(diskPath, func(v *hypervsim.VHD) { v.JobDuration = time.Minute }); err != nil {
			t.Fatal(err)
		}
		if got, err := next(refused); err != nil || got.UnseenJob != "" {
			t.Errorf("where nothing can run beside it: %+v, %v", got, err)
		}
	})
}

// TestNoUnseenJob: a run that saw its job end has none, however the job ended.
func TestNoUnseenJob(t *testing.T) {
	t.Parallel()
	for name, adjust := range map[string]func(*hypervsim.VHD){
		"completed": func(*hypervsim.VHD) {},
		"failed":    func(v *hypervsim.VHD) { v.CompactionFailure = &hypervsim.JobFailure{ErrorCode: 32768} },
	} {
		synctest.Test(t, func(t *testing.T) {
			_, host := simulate(t, disk(adjust))
			got, err := host.Compact(t.Context(), order())
			if got.UnseenJob != "" || got.Run == nil || (err != nil) != (name == "failed") || errors.Is(err, hyperv.ErrOutcomeUnknown) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		})
	}
}
