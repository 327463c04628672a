package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

const (
	// passGain is the share of the size before a pass, 1 %, below which the pass
	// counts as barren.
	passGain = 100
	// barrenPasses is how many barren passes in a row end the run. One alone does not: users order
	// two passes because the first one may only prepare what the second one reclaims.
	barrenPasses = 2
	// maxRequests bounds the requests to compact for one pass that were not
	// refused: a host whose answers cannot be read is not asked forever.
	maxRequests = 2
)

// passes compacts, and compacts again as long as that pays off and the order allows it.
func (c *compactor) passes(ctx context.Context) error {
	for pass, barren := 1, 0; ; pass++ {
		if err := c.pass(ctx, pass); err != nil {
			return err
		}
		if pass >= max(c.order.MaxPasses, 1) {
			return nil
		}
		after, err := c.host.FileSize(ctx, c.order.Path)
		if err != nil {
			return fmt.Errorf("read the size after pass %d: %w", pass, err)
		}
		barren++
		if c.size-after >= c.size/passGain {
			barren = 0
		}
		if barren == barrenPasses {
			return nil
		}
		c.size = after
	}
}

// pass compacts once. A disk that is refused as in use is waited for as [compactor.whileInUse]
// says. A request whose outcome stays unknown is sent once more when no job that may be that
// request is running.
func (c *compactor) pass(ctx context.Context, pass int) error {
	for requests := 0; ; {
		err := c.attempt(ctx, pass)
		var lost *lostError
		switch {
		case errors.As(err, &lost):
			requests++
			if done, resolveErr := c.resolve(ctx, lost); done || resolveErr != nil {
				return resolveErr
			}
			if requests == maxRequests {
				return fmt.Errorf("asked for %d times: %w", requests, lost)
			}
		case !errors.Is(err, ErrInUse) || ctx.Err() != nil:
			return err
		default:
			if waitErr := c.whileInUse(ctx, err); waitErr != nil {
				return c.afterLost(requests, waitErr)
			}
		}
	}
}

// afterLost turns "in use" into "outcome unknown" when a request of this pass
// was lost: that request may be what uses the disk.
func (*compactor) afterLost(requests int, err error) error {
	if requests > 0 && errors.Is(err, ErrInUse) {
		return fmt.Errorf("%w: an earlier request of this pass was lost: %w", ErrOutcomeUnknown, err)
	}
	return err
}

// attempt attaches the disk where that is due, asks for one compaction and
// follows it to its end.
func (c *compactor) attempt(ctx context.Context, pass int) error {
	if err := c.stillPasses(ctx); err != nil {
		return err
	}
	if err := c.attach(ctx); err != nil {
		return err
	}
	if err := c.measure(ctx); err != nil {
		return err
	}
	if err := c.mayTry(ctx); err != nil {
		return err
	}
	c.report(Progress{Phase: PhaseCompacting, Pass: pass})
	sent := time.Now()
	job, o, err := c.host.sendOnce(ctx, c.compactMethod())
	if o == outcomeRefused {
		return err
	}
	c.started = true
	c.result.Run.Passes = pass
	c.result.Run.Attached = c.attachment.tries()
	c.attachment.see(sent, time.Nanosecond)
	c.pending = &pending{}
	switch {
	case err != nil: // its outcome, or its job, is not known
		return c.lose(err)
	case job == nil:
		c.pending, c.refused = nil, time.Time{}
		c.taken()
		return nil
	}
	return c.follow(ctx, *job)
}

// measure takes the size before the first pass: the one that the gates have
// read, or a new one after a wait.
func (c *compactor) measure(ctx context.Context) error {
	run := c.result.Run
	if run.Passes > 0 {
		return nil
	}
	if time.Since(c.found.at) < inUsePause {
		size := c.found.disk.FileSizeBytes
		c.size, run.FileSizeBeforeBytes = size, &size
		return nil
	}
	size, err := c.host.FileSize(ctx, c.order.Path)
	if err != nil {
		return fmt.Errorf("read the size before the compaction: %w", err)
	}
	c.size, run.FileSizeBeforeBytes, c.result.FileSizeBytes = size, &size, &size
	return nil
}

func (c *compactor) compactMethod() method {
	p := params([2]string{"Path", c.order.Path})
	if c.found.gen.modes {
		p = append(p, params([2]string{"Mode", strconv.Itoa(c.found.mode.number())})...)
	}
	return method{target: c.found.gen.service(), name: "CompactVirtualHardDisk", params: p}
}

// taken notes that the host has accepted the compaction: no other compaction of this disk is
// running, so an attachment that was not ours is ours from now on. The start of a job is not
// enough, because the job itself may find the file in use.
func (c *compactor) taken() {
	c.priorEnded = true
	a := &c.attachment
	if a.state == attachLeft && c.leftElsewhere() {
		c.settleElsewhere()
		a.end()
	}
	if a.state != attachBorrowed {
		return
	}
	c.warn(WarnTookOver, fmt.Sprintf("The disk was attached read-only on %s already, as a run that was killed leaves it, without a drive letter or a folder. "+
		"Nothing compacted it, so the attachment was used and is detached.", c.nodeName()))
	c.own(a.image)
}

// follow waits for the compaction that the answer to our request named.
func (c *compactor) follow(ctx context.Context, ref cim.Reference) error {
	job := StorageJob{ref: ref}
	job.ID, _ = ref.Selector("InstanceID")
	c.host.jobs.note(job.ID, c.order.Path)
	c.noteOwn(job)
	c.result.Run.JobID, c.pending.job = job.ID, &job
	prior := c.attachment.prior
	if c.attachment.state == attachBorrowed {
		c.attachment.prior = true // reported, unless the end of the job settles which run holds it
		if c.checkQuiet(ctx, job.ID) != nil {
			return c.withdraw(ctx, prior)
		}
	}
	start := time.Now()
	last, err := c.host.waitJob(ctx, ref, func(j StorageJob) {
		*c.pending.job = j
		c.attachment.sawJob(j)
		if !j.State.Terminal() && (j.Percent > 0 || time.Since(start) > inUseTrial) {
			c.taken()
			c.sawWork(j)
		}
		c.report(Progress{
			Phase: PhaseCompacting, Pass: c.result.Run.Passes, Percent: j.Percent,
			Elapsed: time.Since(start), JobID: j.ID, Done: j.State.Terminal(),
		})
	})
	if last.warnings != "" {
		c.warn(WarnJob, "Job "+last.ID+" completed with warnings; the host says: "+last.warnings)
	}
	switch {
	case last.State.Terminal():
		c.pending = nil
		if errors.Is(err, ErrInUse) {
			c.result.Run.Passes-- // it found the file in use, so it does not count
			c.attachment.prior = prior
		} else {
			c.refused = time.Time{}
			c.taken()
			c.attachment.sawJob(last)
		}
	case errors.Is(err, ErrJobGone):
		c.pending.job = nil
		c.attachment.sight.lost()
		return fmt.Errorf("job %s vanished at %d %%: its host was restarted or forgot it: %w: %w", last.ID, last.Percent, ErrOutcomeUnknown, err)
	}
	return err
}
