package hyperv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// passGain is the share of the size before a pass, 1 %, that it must reclaim for
// another pass to be worth it.
const passGain = 100

// passes compacts, and compacts again while it pays and the order allows it.
func (r *run) passes(ctx context.Context) error {
	r.size = r.disk.FileSizeBytes
	for pass := 1; ; pass++ {
		r.result.Run.Passes = pass
		if err := r.whenFree(ctx, r.pass); err != nil {
			return err
		}
		if pass >= max(r.order.MaxPasses, 1) {
			return nil
		}
		after, err := r.host.FileSize(ctx, r.order.Path)
		if err != nil {
			return fmt.Errorf("read the size after pass %d: %w", pass, err)
		}
		if r.size-after < r.size/passGain {
			return nil
		}
		r.size = after
	}
}

// pass starts one compaction and follows it to its end.
func (r *run) pass(ctx context.Context) error {
	if err := r.keepMount(ctx); err != nil {
		return err
	}
	r.report(Progress{Phase: PhaseCompacting, Pass: r.result.Run.Passes})
	sent := time.Now()
	ref, err := r.sendCompact(ctx)
	switch {
	case errors.Is(err, ErrOutcomeUnknown):
		r.started, r.lostSince = true, sent
		return r.resolveLost(ctx, err)
	case err != nil:
		return err
	}
	r.started = true
	if ref == nil {
		return nil
	}
	r.claim(*ref)
	return r.follow(ctx, *ref)
}

// keepMount makes sure that the attachment is still there after a wait for
// another compaction, whose run may have detached the disk.
func (r *run) keepMount(ctx context.Context) error {
	if r.mount == nil || !r.waited {
		return nil
	}
	r.waited = false
	m, err := r.host.findMount(ctx, r.order.Path)
	if err != nil {
		return err
	}
	if m != nil && m.readOnly {
		r.mount = m
		return nil
	}
	r.mount = nil
	return r.attachOnce(ctx)
}

// sendCompact asks for one compaction. The request may outlive an interrupt for
// a moment: an answer that names the job lets the job be cancelled.
func (r *run) sendCompact(ctx context.Context) (*cim.Reference, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	sending, stop := lingering(ctx, invokeGrace)
	defer stop()
	p := params([2]string{"Path", r.order.Path})
	if r.gen.modes {
		p = append(p, params([2]string{"Mode", strconv.Itoa(r.mode.number())})...)
	}
	_, ref, err := r.host.invoke(sending, method{target: r.gen.service(), name: "CompactVirtualHardDisk", params: p})
	return ref, err
}

// follow waits for the compaction and keeps what is known of it. A job that the
// host has ended is forgotten: there is nothing left to cancel.
func (r *run) follow(ctx context.Context, ref cim.Reference) error {
	r.job = &StorageJob{ref: ref}
	r.job.ID, _ = ref.Selector("InstanceID")
	r.result.Run.JobID = r.job.ID

	start := time.Now()
	last, err := r.host.waitJob(ctx, ref, func(j StorageJob) {
		r.report(Progress{
			Phase: PhaseCompacting, Pass: r.result.Run.Passes, Percent: j.Percent,
			Elapsed: time.Since(start), JobID: j.ID, Done: j.State.Terminal(),
		})
	})
	*r.job = last
	if last.State.Terminal() || errors.Is(err, ErrJobGone) {
		r.job = nil
	}
	if last.warnings != "" {
		r.warn(WarnJob, "Job "+last.ID+" completed with warnings; the host says: "+last.warnings)
	}
	if errors.Is(err, ErrJobGone) {
		return fmt.Errorf("job %s vanished at %d %%: its host was restarted or forgot it: %w: %w", last.ID, last.Percent, ErrOutcomeUnknown, err)
	}
	return err
}

// resolveLost finds out what became of a compaction whose answer was lost. The
// job that may be it is followed; only a disk that shrank proves that it was.
// Without that proof, and when several jobs may be it, the disk is compacted once
// more after all of them have ended, when none of ours can be running.
func (r *run) resolveLost(ctx context.Context, lost error) error {
	single, err := r.followLost(ctx, lost)
	if err != nil {
		return err
	}
	if single {
		size, err := r.host.FileSize(ctx, r.order.Path)
		if err != nil {
			return errors.Join(lost, err)
		}
		if size < r.size {
			return nil
		}
	}
	return r.pass(ctx)
}

// followLost follows the one job that may be the lost one, or waits for all that
// may. Single says that there was one, that ended well.
func (r *run) followLost(ctx context.Context, lost error) (single bool, err error) {
	found, sole, err := r.lookForLost(ctx)
	switch {
	case err != nil:
		return false, errors.Join(lost, fmt.Errorf("look for its job: %w", err))
	case len(found) == 0:
		return false, fmt.Errorf("%w; no running job is it", lost)
	case len(found) == 1 && sole:
		r.lostSince = time.Time{}
		return true, r.follow(ctx, found[0].ref)
	}
	if _, err := r.awaitOthers(ctx); err != nil {
		return false, errors.Join(lost, err)
	}
	r.lostSince = time.Time{}
	return false, nil
}

// lookForLost looks more than once: the host may not have come to the request
// yet, or may not be reachable for a while. What another run of this process has
// claimed a second later is left out. Sole says that no other run looks for a job.
func (r *run) lookForLost(ctx context.Context) (found []StorageJob, sole bool, err error) {
	search := r.host.jobs.seek()
	defer func() { sole = search.end() }()
	deadline := time.Now().Add(jobRecordKept)
	for looks := 0; ; {
		found, err := r.host.findLost(ctx, r.order.Path, time.Since(r.lostSince))
		if err == nil {
			looks++
		}
		if err != nil && (ctx.Err() != nil || !passing(err) || time.Now().After(deadline)) {
			return nil, false, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, false, err
		}
		found = slices.DeleteFunc(found, func(j StorageJob) bool { return r.host.jobs.belongsElsewhere(j.ID, r.order.Path) })
		if len(found) > 0 || looks == mountLooks {
			return found, false, nil // sole is known when the search has ended
		}
	}
}

// adoptPrior takes over the compaction of an earlier run if it still runs.
func (r *run) adoptPrior(ctx context.Context) (adopted bool, err error) {
	if r.order.PriorJobID == "" {
		return false, nil
	}
	ref := cim.NewReference(r.gen.namespace, cim.ClassStorageJob, cim.Selector{Name: "InstanceID", Value: r.order.PriorJobID})
	job, err := r.host.getJob(ctx, ref)
	switch {
	case errors.Is(err, ErrJobGone):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look for job %s of the last run: %w", r.order.PriorJobID, err)
	case job.Type != jobTypeCompaction || job.State.Terminal():
		return false, nil
	}
	r.started, r.result.Run.Passes = true, 1
	r.warn(WarnAdopted, "Job "+job.ID+" of the last run was still running and was followed to its end.")
	r.claim(ref)
	return true, r.follow(ctx, ref)
}

// claim notes that a job is known to compact this disk: its own answer said so.
func (r *run) claim(ref cim.Reference) {
	if id, ok := ref.Selector("InstanceID"); ok {
		r.host.jobs.note(id, r.order.Path)
	}
}

// number is Microsoft's number of the mode.
func (m Mode) number() int {
	for n, mode := range modes {
		if mode == m {
			return n
		}
	}
	return -1
}
