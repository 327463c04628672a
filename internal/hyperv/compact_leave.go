package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// detachReserve is the part of the time for cleaning up that waits leave for a last look and a
// detach.
const detachReserve = 15 * time.Second

// Pauses between two tries to detach.
const (
	detachPauseFirst = time.Second
	// detachPauseLongest is shorter than detachReserve, so that the last tries are made.
	detachPauseLongest = 10 * time.Second
)

// leave puts the host in order whatever happened: a job of this run that is still running is
// cancelled, the disk is detached, and its size is read, in this order and with separate contexts.
// The context waits ends before clean does.
func (c *compactor) leave(ctx context.Context, err error) error {
	clean, stop := cleaning(ctx, c.host.cleanUp, 0)
	defer stop()
	waits, stopWaits := cleaning(ctx, c.host.cleanUp, min(detachReserve, c.host.cleanUp/2))
	defer stopWaits()
	clean, waits = c.onNode(clean), c.onNode(waits)
	if err != nil && (ctx.Err() != nil || c.attachment.state == attachHeld) {
		err = c.cancel(ctx, waits, err)
	}
	switch c.attachment.state {
	case attachAsked:
		c.settleAsked(clean, waits)
	case attachLeft:
		c.giveBackLeft(clean)
	case attachBorrowed:
		c.noteHeld(clean)
	case attachNone, attachHeld:
	}
	if c.attachment.state == attachHeld {
		c.readBefore(clean)
		c.detach(clean, waits)
	}
	if c.started {
		c.readAfter(clean)
	}
	return err
}

// ran reports whether the host may have compacted.
func (c *compactor) ran() bool { return c.result.Run != nil && c.result.Run.Passes > 0 }

// cancel ends the job of a run that was interrupted, or that holds the disk and
// has lost sight of it, if an answer to a request of this run named it, and
// reports the outcome. A job that completed in spite of that is a success.
func (c *compactor) cancel(ctx, waits context.Context, err error) error {
	cause := context.Cause(ctx)
	if c.pending == nil || c.pending.job == nil {
		return interrupted(cause, err)
	}
	job := c.pending.job
	c.report(Progress{Phase: PhaseCancelling, Percent: job.Percent, JobID: job.ID})
	last, cancelErr := c.cancelJob(waits)
	said := fmt.Errorf("job %s was at %d %% and is %s after it was cancelled", last.ID, last.Percent, last.State)
	switch {
	case last.State.Terminal():
		c.pending = nil
		if !errors.Is(last.outcome(), ErrInUse) {
			c.taken()
		}
		if last.outcome() == nil {
			return nil
		}
	case cancelErr != nil:
		said = fmt.Errorf("job %s was at %d %% on %s and could not be cancelled, the next run waits for it: %w", last.ID, last.Percent, c.nodeName(), cancelErr)
	}
	if cause == nil {
		return fmt.Errorf("%w: %w", err, said)
	}
	return interrupted(cause, said)
}

// cancelJob asks the host, once, to end the job of this run and waits for its end
// until ctx ends.
func (c *compactor) cancelJob(ctx context.Context) (StorageJob, error) {
	p := c.pending
	last, err := *p.job, error(nil)
	if !p.cancelled {
		last, p.cancelled, err = c.host.cancel(ctx, last)
	}
	if p.cancelled && !last.State.Terminal() {
		last, err = c.host.awaitCancelled(ctx, last, c.sawWork, err)
	}
	*p.job = last
	return last, err
}

// interrupted adds to err that the run was interrupted by cause. Without a cause the run was not
// interrupted.
func interrupted(cause, err error) error {
	switch {
	case cause == nil:
		return err
	case err == nil:
		return fmt.Errorf("%w: %w", ErrInterrupted, cause)
	case errors.Is(err, cause):
		return fmt.Errorf("%w: %w", ErrInterrupted, err)
	}
	return fmt.Errorf("%w (%w): %w", ErrInterrupted, cause, err)
}

// attachWait is how long the job of an interrupted attach is given to end: only
// then can the disk be detached.
const attachWait = 20 * time.Second

// settleAsked finds out the outcome of an attach during which an interrupt or an outage occurred.
// Only its answer, or the end of the job that the answer named, shows that the attachment is ours.
func (c *compactor) settleAsked(clean, waits context.Context) {
	a := &c.attachment
	if a.job != nil {
		ctx, stop := context.WithTimeout(waits, attachWait)
		defer stop()
		last, err := c.host.waitJob(ctx, *a.job, a.sawJob)
		if last.State.Terminal() && !last.State.succeeded() && err != nil {
			a.refuse()
			return
		}
		a.made = last.State.Terminal() && err == nil
	}
	err := errors.New("the host was asked to attach the disk, and no answer says whether it did")
	if a.made {
		if err = c.findOwn(clean); err == nil {
			return
		}
	}
	c.leaveAttached(err)
}

// leaveAttached records and reports that the disk may stay attached by us.
func (c *compactor) leaveAttached(cause error) {
	c.attachment.leave(cause)
	c.warn(WarnLeftAttached, fmt.Sprintf("The disk may still be attached read-only on %s, and a virtual machine that uses it cannot start then. By hand, on %s: %s. Cause: %v",
		c.nodeName(), c.nodeName(), DismountCommand(c.order.Path), cause))
}

// detach detaches a disk that we hold and makes sure of it, or records why it
// could not. Whatever the error, it goes on until clean ends: a disk that stays
// attached is worse than one request too many.
func (c *compactor) detach(clean, waits context.Context) {
	c.report(Progress{Phase: PhaseDetaching})
	for wait := detachPauseFirst; ; wait = min(2*wait, detachPauseLongest) {
		ctx := clean
		if waits.Err() != nil {
			ctx = wsman.Insist(clean) // the last tries
		}
		err := c.detachOnce(ctx, waits)
		if err == nil {
			c.attachment.end()
			return
		}
		c.noteHeld(ctx)
		if ended := pause(clean, wait); ended != nil {
			c.leaveAttached(err)
			return
		}
	}
}

// detachOnce detaches the disk once nothing of ours can be running on it. It
// returns nil when the attachment is gone, even if its address now belongs to
// another one.
func (c *compactor) detachOnce(clean, waits context.Context) error {
	if err := c.lookAtOwn(clean); err != nil {
		return err
	}
	if gone, err := c.isGone(clean); gone || err != nil {
		return err
	}
	a := &c.attachment
	if time.Since(a.detachLost) < lostLook && waits.Err() == nil {
		return errDetachLost
	}
	if err := c.guard(clean, waits); err != nil {
		return err
	}
	o, err := c.host.sendDetach(clean, a.image)
	if o == outcomeUnknown || o == outcomeAccepted && !isAnswer(err) {
		a.detachLost = time.Now()
	}
	return err
}

// isGone reports whether our attachment is no longer there.
func (c *compactor) isGone(ctx context.Context) (bool, error) {
	if now, err := c.host.lookAgain(ctx, c.order.Path, c.attachment.image); now == nil {
		return err == nil, err
	}
	if err := c.checkRestart(ctx); !errors.Is(err, errRestarted) {
		return false, err
	}
	c.warn(WarnRestarted, fmt.Sprintf("By its clock, Windows was started on %[1]s after this run attached the disk, which ended that attachment. "+
		"The file is attached again, read-only and at the same address, and is left so. If the clock of %[1]s was set back meanwhile, it may be the attachment of this run. By hand, on %[1]s: %[2]s.",
		c.nodeName(), DismountCommand(c.order.Path)))
	return true, nil
}

// errDetachLost: a detach is not sent again for a minute after its outcome was lost. A detach that
// a slow host carries out late must hit our attachment, not the next one at its address.
var errDetachLost = fmt.Errorf("%w: the host was asked to detach the disk, and it is still attached", ErrOutcomeUnknown)

// sendDetach asks the host to detach an attachment that has just been checked.
func (h *Host) sendDetach(ctx context.Context, image *mountedImage) (outcome, error) {
	job, o, err := h.sendOnce(ctx, image.detachMethod())
	if err == nil && job != nil {
		_, err = h.waitJob(ctx, *job, nil)
	}
	return o, err
}

// guard returns nil when no compaction can be running on the attachment that we hold. Compactions
// of other clients never delay a detach, except those that began while ours was out of sight, or
// after it vanished: another client may have taken over the attachment, and has the time to detach
// it, or to begin another pass. A job that was never seen running is on record for some minutes
// whenever it began; it delays a detach only as long as there is time to wait.
func (c *compactor) guard(clean, waits context.Context) error {
	if c.pending == nil && !c.attachment.lapsed() {
		return nil
	}
	if p := c.pending; p != nil && !p.lost.IsZero() {
		_ = pause(waits, time.Until(p.lost.Add(lostLook))) // then, or when the time is over, the list decides
	}
	jobs, err := c.host.compactions(clean, c.order.Path)
	for _, j := range jobs {
		switch {
		case !j.beganSince(c.attachment.seen):
		case !j.State.Terminal():
			c.noteRunning(j.ID)
			return fmt.Errorf("%w: job %s on %s may be a compaction of this disk and is at %d %%", ErrInUse, j.ID, c.nodeName(), j.Percent)
		case (waits.Err() == nil || c.ranBeside[j.ID]) && !c.ours[j.ID] && time.Since(c.sinceEnded(j.ID)) < patience(j.Elapsed):
			return fmt.Errorf("%w: job %s on %s may have been a compaction of this disk, and its client has not had the time to detach it", ErrInUse, j.ID, c.nodeName())
		}
	}
	return err
}

// noteRunning notes a job of others that ran while ours was out of sight.
func (c *compactor) noteRunning(id string) {
	if c.ranBeside == nil {
		c.ranBeside = map[string]bool{}
	}
	c.ranBeside[id] = true
}

// sinceEnded returns when the job was first seen to have ended.
func (c *compactor) sinceEnded(id string) time.Time {
	if c.ended == nil {
		c.ended = map[string]time.Time{}
	}
	if c.ended[id].IsZero() {
		c.ended[id] = time.Now()
	}
	return c.ended[id]
}

// lookAtOwn checks the job that an answer to our request named. A job that
// still runs keeps the disk attached.
func (c *compactor) lookAtOwn(ctx context.Context) error {
	p := c.pending
	if p == nil || p.job == nil {
		return nil
	}
	job, err := c.host.seeJob(ctx, *p.job, c.order.Path)
	switch {
	case errors.Is(err, ErrJobGone):
		p.job = nil
		c.attachment.sight.lost()
		return nil
	case err != nil:
		return err
	case job.State.Terminal():
		c.pending = nil
		return nil
	}
	*p.job = job
	c.sawWork(job)
	return fmt.Errorf("%w: the compaction itself, job %s, still runs on %s at %d %%", ErrInUse, job.ID, c.nodeName(), job.Percent)
}

// seeJob reads a job, or finds it in the list of jobs if it cannot be read.
func (h *Host) seeJob(ctx context.Context, job StorageJob, path string) (StorageJob, error) {
	seen, err := h.getJob(ctx, job.ref)
	if err == nil || errors.Is(err, ErrJobGone) {
		return seen, err
	}
	listed, listErr := h.compactions(ctx, path)
	if listErr != nil {
		return StorageJob{}, together(err, listErr)
	}
	for _, j := range listed {
		if j.ID == job.ID {
			return j, nil
		}
	}
	return StorageJob{}, fmt.Errorf("%w: %w", ErrJobGone, err)
}

// readBeforeLimit keeps the detach within [holderMargin] of the poll that saw the end
// of a job.
const readBeforeLimit = 15 * time.Second

// readBefore reads the size before the detach, once: while the disk is attached by us its size can
// always be read, and afterwards a machine may have it open. While the compaction may still run,
// the size means nothing.
func (c *compactor) readBefore(ctx context.Context) {
	if !c.ran() || c.pending != nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, readBeforeLimit)
	defer stop()
	if size, err := c.host.FileSize(ctx, c.order.Path); err == nil {
		c.result.FileSizeBytes, c.result.Run.FileSizeAfterBytes = &size, &size
	}
}

// readAfter reads the size as the host reports it after the run. A size that was read before does
// not count as the size after the run.
func (c *compactor) readAfter(ctx context.Context) {
	run := c.result.Run
	if run.FileSizeAfterBytes == nil {
		c.result.FileSizeBytes = nil
	}
	start := time.Now()
	for wait := time.Second; ; wait = min(2*wait, detachPauseLongest) {
		size, err := c.host.FileSize(ctx, c.order.Path)
		if err == nil {
			c.result.FileSizeBytes, run.FileSizeAfterBytes = &size, &size
			return
		}
		inUse := errors.Is(err, ErrInUse) && time.Since(start) < inUseTrial
		if !transient(err) && !inUse || pause(ctx, wait) != nil {
			return
		}
	}
}
