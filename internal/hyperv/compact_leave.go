package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// leave puts the host in order whatever happened: a job that is left running is
// cancelled, the disk detached, its size read, in this order and with a context
// of its own.
func (c *compactor) leave(ctx context.Context, err error) error {
	clean, stop := cleaning(ctx)
	defer stop()
	if err != nil && ctx.Err() != nil {
		err = c.cancel(ctx, clean, err)
	}
	if c.mayAttached {
		c.endLostJob(clean)
		c.detach(clean)
	}
	if c.started {
		c.readAfter(clean)
	}
	return err
}

// cancel ends the job of an interrupted run and says what came of it. A job that
// completed in spite of it is a success.
func (c *compactor) cancel(ctx, clean context.Context, err error) error {
	cause := context.Cause(ctx)
	c.findLostJob(clean)
	if c.job == nil {
		return c.interrupted(cause, err)
	}
	last, cancelErr := c.cancelJob(clean)
	if last.State.succeeded() {
		return nil
	}
	said := fmt.Errorf("job %s was at %d %% and is %s after it was cancelled", last.ID, last.Percent, last.State)
	if cancelErr != nil {
		said = fmt.Errorf("job %s was at %d %% and could not be cancelled, the next run waits for it: %w", last.ID, last.Percent, cancelErr)
	}
	return c.interrupted(cause, said)
}

// endLostJob cancels a compaction that is out of sight before the disk is
// detached beneath it. Without an attachment it is left to go on, and the next
// run waits for it.
func (c *compactor) endLostJob(clean context.Context) {
	c.findLostJob(clean)
	if c.job != nil {
		_, _ = c.cancelJob(clean) // what follows does not depend on it: the disk must be given back
	}
}

// findLostJob looks for the job of a compaction whose answer was lost.
func (c *compactor) findLostJob(clean context.Context) {
	if c.job != nil || c.lostSince.IsZero() {
		return
	}
	search := c.host.jobs.seek()
	found, err := c.host.findLost(clean, c.order.Path, time.Since(c.lostSince))
	if sole := search.end(); err == nil && len(found) == 1 && sole {
		c.job, c.result.Run.JobID, c.lostSince = &found[0], found[0].ID, time.Time{}
	}
}

// cancelJob cancels the job of this run; one that has ended is forgotten.
func (c *compactor) cancelJob(clean context.Context) (StorageJob, error) {
	c.report(Progress{Phase: PhaseCancelling, Percent: c.job.Percent, JobID: c.job.ID})
	last, err := c.host.cancelJob(clean, *c.job)
	if last.State.Terminal() {
		c.job = nil
	}
	return last, err
}

func (c *compactor) interrupted(cause, err error) error {
	if err == nil || errors.Is(err, cause) && !c.started {
		return fmt.Errorf("%w: %w", ErrInterrupted, cause)
	}
	return fmt.Errorf("%w (%w): %w", ErrInterrupted, cause, err)
}

// attachWait is how long the job of an interrupted attach is given to end: only
// then can the disk be detached.
const attachWait = 20 * time.Second

// detach gives the disk back. What cannot be detached for certain is remembered
// and warned of.
func (c *compactor) detach(ctx context.Context) {
	if c.mount != nil {
		c.report(Progress{Phase: PhaseDetaching})
	}
	c.settleAttach(ctx)
	found, err := c.host.detach(ctx, c.order.Path, c.mount)
	if err == nil && (found || !c.unsure) {
		c.mayAttached, c.mount = false, nil
		return
	}
	if err == nil {
		err = errors.New("the host was asked to attach the disk and does not show whether it is")
	}
	c.detachErr = err
	c.warn(WarnLeftAttached, "The disk may still be attached read-only on the host, and a virtual machine that uses it cannot start then. "+
		"To detach it by hand: Dismount-VHD -Path '"+strings.ReplaceAll(c.order.Path, "'", "''")+"'. Cause: "+err.Error())
}

// settleAttach waits for the job of an attach that was interrupted.
func (c *compactor) settleAttach(ctx context.Context) {
	if c.attaching == nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, attachWait)
	defer stop()
	if job, _ := c.host.waitJob(ctx, *c.attaching, nil); job.State.Terminal() {
		c.attaching, c.unsure = nil, false
	}
}

// readAfter reads the size as the host reports it after the run.
func (c *compactor) readAfter(ctx context.Context) {
	for wait := time.Second; ; wait = min(2*wait, detachPauseLongest) {
		size, err := c.host.FileSize(ctx, c.order.Path)
		if err == nil {
			c.result.FileSizeBytes, c.result.Run.FileSizeAfterBytes = &size, &size
			return
		}
		if !transient(err) || pause(ctx, wait) != nil {
			c.result.FileSizeBytes = nil
			return
		}
	}
}
