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
func (c *compactor) passes(ctx context.Context) error {
	c.size = c.found.disk.FileSizeBytes
	for pass := 1; ; pass++ {
		c.result.Run.Passes = pass
		if err := c.whenFree(ctx, c.pass); err != nil {
			return err
		}
		if pass >= max(c.order.MaxPasses, 1) {
			return nil
		}
		after, err := c.host.FileSize(ctx, c.order.Path)
		if err != nil {
			return fmt.Errorf("read the size after pass %d: %w", pass, err)
		}
		if c.size-after < c.size/passGain {
			return nil
		}
		c.size = after
	}
}

// pass starts one compaction and follows it to its end.
func (c *compactor) pass(ctx context.Context) error {
	if err := c.keepMount(ctx); err != nil {
		return err
	}
	c.report(Progress{Phase: PhaseCompacting, Pass: c.result.Run.Passes})
	sent := time.Now()
	ref, err := c.sendCompact(ctx)
	switch {
	case errors.Is(err, ErrOutcomeUnknown):
		c.started, c.lostSince = true, sent
		return c.resolveLost(ctx, err)
	case err != nil:
		return err
	}
	c.started = true
	if ref == nil {
		return nil
	}
	c.claim(*ref)
	return c.follow(ctx, *ref)
}

// keepMount makes sure that the attachment is still there after a wait for
// another compaction, whose run may have detached the disk.
func (c *compactor) keepMount(ctx context.Context) error {
	if c.mount == nil || !c.waited {
		return nil
	}
	c.waited = false
	m, err := c.host.findMount(ctx, c.order.Path)
	if err != nil {
		return err
	}
	if m != nil && m.readOnly {
		c.mount = m
		return nil
	}
	c.mount = nil
	return c.attachOnce(ctx)
}

// sendCompact asks for one compaction. The request may outlive an interrupt for
// a moment: an answer that names the job lets the job be cancelled.
func (c *compactor) sendCompact(ctx context.Context) (*cim.Reference, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	sending, stop := lingering(ctx, invokeGrace)
	defer stop()
	p := params([2]string{"Path", c.order.Path})
	if c.found.gen.modes {
		p = append(p, params([2]string{"Mode", strconv.Itoa(c.found.mode.number())})...)
	}
	_, ref, err := c.host.invoke(sending, method{target: c.found.gen.service(), name: "CompactVirtualHardDisk", params: p})
	return ref, err
}

// follow waits for the compaction and keeps what is known of it. A job that the
// host has ended is forgotten: there is nothing left to cancel.
func (c *compactor) follow(ctx context.Context, ref cim.Reference) error {
	c.job = &StorageJob{ref: ref}
	c.job.ID, _ = ref.Selector("InstanceID")
	c.result.Run.JobID = c.job.ID

	start := time.Now()
	last, err := c.host.waitJob(ctx, ref, func(j StorageJob) {
		c.report(Progress{
			Phase: PhaseCompacting, Pass: c.result.Run.Passes, Percent: j.Percent,
			Elapsed: time.Since(start), JobID: j.ID, Done: j.State.Terminal(),
		})
	})
	*c.job = last
	if last.State.Terminal() || errors.Is(err, ErrJobGone) {
		c.job = nil
	}
	if last.warnings != "" {
		c.warn(WarnJob, "Job "+last.ID+" completed with warnings; the host says: "+last.warnings)
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
func (c *compactor) resolveLost(ctx context.Context, lost error) error {
	single, err := c.followLost(ctx, lost)
	if err != nil {
		return err
	}
	if single {
		size, err := c.host.FileSize(ctx, c.order.Path)
		if err != nil {
			return errors.Join(lost, err)
		}
		if size < c.size {
			return nil
		}
	}
	return c.pass(ctx)
}

// followLost follows the one job that may be the lost one, or waits for all that
// may. Single says that there was one, that ended well.
func (c *compactor) followLost(ctx context.Context, lost error) (single bool, err error) {
	found, sole, err := c.lookForLost(ctx)
	switch {
	case err != nil:
		return false, errors.Join(lost, fmt.Errorf("look for its job: %w", err))
	case len(found) == 0:
		return false, fmt.Errorf("%w; no running job is it", lost)
	case len(found) == 1 && sole:
		c.lostSince = time.Time{}
		return true, c.follow(ctx, found[0].ref)
	}
	if _, err := c.awaitOthers(ctx); err != nil {
		return false, errors.Join(lost, err)
	}
	c.lostSince = time.Time{}
	return false, nil
}

// lookForLost looks more than once: the host may not have come to the request
// yet, or may not be reachable for a while. What another run of this process has
// claimed a second later is left out. Sole says that no other run looks for a job.
func (c *compactor) lookForLost(ctx context.Context) (found []StorageJob, sole bool, err error) {
	search := c.host.jobs.seek()
	defer func() { sole = search.end() }()
	deadline := time.Now().Add(jobRecordKept)
	for looks := 0; ; {
		found, err := c.host.findLost(ctx, c.order.Path, time.Since(c.lostSince))
		if err == nil {
			looks++
		}
		if err != nil && (ctx.Err() != nil || !transient(err) || time.Now().After(deadline)) {
			return nil, false, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, false, err
		}
		found = slices.DeleteFunc(found, func(j StorageJob) bool { return c.host.jobs.belongsElsewhere(j.ID, c.order.Path) })
		if len(found) > 0 || looks == mountLooks {
			return found, false, nil // sole is known when the search has ended
		}
	}
}

// adoptPrior takes over the compaction of an earlier run if it still runs.
func (c *compactor) adoptPrior(ctx context.Context) (adopted bool, err error) {
	if c.order.PriorJobID == "" {
		return false, nil
	}
	ref := cim.NewReference(c.found.gen.namespace, cim.ClassStorageJob, cim.Selector{Name: "InstanceID", Value: c.order.PriorJobID})
	job, err := c.host.getJob(ctx, ref)
	switch {
	case errors.Is(err, ErrJobGone):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look for job %s of the last run: %w", c.order.PriorJobID, err)
	case job.Type != jobTypeCompaction || job.State.Terminal():
		return false, nil
	}
	c.started, c.result.Run.Passes = true, 1
	c.warn(WarnAdopted, "Job "+job.ID+" of the last run was still running and was followed to its end.")
	c.claim(ref)
	return true, c.follow(ctx, ref)
}

// claim notes that a job is known to compact this disk: its own answer said so.
func (c *compactor) claim(ref cim.Reference) {
	if id, ok := ref.Selector("InstanceID"); ok {
		c.host.jobs.note(id, c.order.Path)
	}
}
