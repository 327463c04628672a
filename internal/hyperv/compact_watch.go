package hyperv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// lookPause is the time between two looks at an attachment that may have a holder.
	lookPause = 15 * time.Second
	// withdrawReserve is the part of the time for cleaning up after an interrupt that remains after
	// a compaction was withdrawn.
	withdrawReserve = 50 * time.Second
)

// watch looks at an attachment that may be that of a killed run, until it goes away or a compaction
// may be tried on it: that is when a living holder would have noticed the end of its compaction and
// detached, with time to spare.
func (c *compactor) watch(ctx context.Context, image *mountedImage) error {
	c.borrow(image)
	c.holder = watchHolder(c.host.takeOver)
	holder := &c.holder
	for {
		c.report(Progress{Phase: PhaseWaiting})
		jobs, err := c.host.compactions(ctx, c.order.Path)
		if err != nil && !transient(err) {
			return fmt.Errorf("%w: attached read-only on %s, by whom is not known: %w", ErrInUse, c.nodeName(), err)
		}
		holder.look(jobs, "", err)
		if holder.isQuiet() {
			return nil
		}
		if err := pause(ctx, min(lookPause, max(time.Until(holder.until), c.host.takeOver/10))); err != nil {
			return fmt.Errorf("attached read-only on %s, by whom is not known: %w", c.nodeName(), err)
		}
		now, err := c.host.findImage(ctx, c.order.Path)
		switch {
		case err != nil && !transient(err):
			return err
		case err != nil:
			holder.hush(0)
		case !image.same(now):
			c.noteGone(now)
			return nil
		}
	}
}

// errLapsed: our work was out of sight for so long that another client may have taken over the
// attachment.
var errLapsed = fmt.Errorf("%w: the attachment of this run was out of sight for so long that another client may have taken it over", ErrInUse)

// errHolderEnded: the holder of an attachment may be about to detach.
var errHolderEnded = fmt.Errorf("%w: a compaction on the host has ended just now, and its run may be about to detach the disk", ErrInUse)

// mayTry returns nil when a compaction may be sent on the attachment as it is. It is called right
// before that, because another client may have appeared since the last look.
func (c *compactor) mayTry(ctx context.Context) error {
	switch c.attachment.state {
	case attachHeld:
		return c.stillHolds(ctx)
	case attachBorrowed:
		return c.mayBorrow(ctx)
	case attachNone, attachAsked, attachLeft:
	}
	return nil
}

// stillHolds checks an attachment that we hold and that was out of sight, for so long that a
// restart of Windows may have ended it, or that another client may have taken it over. One that
// may have been taken over is watched like any other.
func (c *compactor) stillHolds(ctx context.Context) error {
	a := &c.attachment
	err := c.knowsRestart(ctx)
	switch {
	case ctx.Err() != nil: // it is still held, and asked about once more before the detach
		return context.Cause(ctx)
	case errors.Is(err, errRestarted):
		a.refuse()
		return err
	case err == nil && !a.lapsed():
		return c.beforeNextPass(ctx)
	case err == nil:
		var alone bool
		if alone, err = c.isAlone(ctx); alone {
			return nil
		}
	}
	a.doubt()
	return together(errLapsed, err)
}

// beforeNextPass makes sure that what follows a first compaction has the attachment of that one.
func (c *compactor) beforeNextPass(ctx context.Context) error {
	if c.result.Run.Passes == 0 {
		return nil
	}
	now, err := c.host.lookAgain(ctx, c.order.Path, c.attachment.image)
	if now == nil && err == nil {
		c.attachment.refuse()
		return fmt.Errorf("the disk is no longer attached on %s, and this run has not detached it", c.nodeName())
	}
	return err
}

// isAlone reports whether the attachment that we hold is there and no compaction but ours is on
// record.
func (c *compactor) isAlone(ctx context.Context) (bool, error) {
	image := c.attachment.image
	now, err := c.host.imageAt(ctx, image.ref)
	if err != nil || !image.same(now) {
		return false, err
	}
	jobs, err := c.host.compactions(ctx, c.order.Path)
	foreign := slices.ContainsFunc(jobs, func(j StorageJob) bool { return !c.ours[j.ID] })
	return err == nil && !foreign, err
}

// mayBorrow returns nil when the borrowed attachment is the one that was watched, still has no name
// and is still quiet.
func (c *compactor) mayBorrow(ctx context.Context) error {
	image := c.attachment.image
	now, err := c.host.imageAt(ctx, image.ref)
	switch {
	case err != nil:
		return fmt.Errorf("%w: attached read-only on %s, by whom is not known: %w", ErrInUse, c.nodeName(), err)
	case !image.same(now):
		return fmt.Errorf("%w: what was attached read-only on %s is not any more", ErrInUse, c.nodeName())
	}
	if err := c.checkUnnamed(ctx, now); err != nil {
		return err
	}
	return c.checkQuiet(ctx, "")
}

// checkUnnamed refuses an attachment that has a drive letter or a folder mount point, or for which
// that cannot be seen.
func (c *compactor) checkUnnamed(ctx context.Context, image *mountedImage) error {
	name, err := c.host.namedVolume(ctx, image)
	switch {
	case err != nil:
		return fmt.Errorf("%w: attached read-only on %s, by whom is not known: %w", ErrInUse, c.nodeName(), err)
	case name != "":
		return fmt.Errorf("%w: attached read-only on %s as %s, which this program never does", ErrInUse, c.nodeName(), name)
	}
	return nil
}

// checkQuiet checks once more whether a compaction that may be that of a borrowed attachment's
// holder has ended: right before ours is sent, and right after the host has accepted it. In
// between, the host may have accepted ours just because the holder's ended. The parameter own is
// our job.
func (c *compactor) checkQuiet(ctx context.Context, own string) error {
	jobs, err := c.host.compactions(ctx, c.order.Path)
	c.holder.look(jobs, own, err)
	if !c.holder.isQuiet() {
		return errHolderEnded
	}
	return nil
}

// withdraw ends our compaction on an attachment whose holder may be about to detach it. A
// compaction that has ended well meanwhile counts, and so does one that cannot be ended; neither
// makes the attachment ours. The parameter prior says whether an attachment was left before it was
// sent, which is the case again once it has ended. The wait is part of cleaning up: an interrupt
// does not leave the job to run.
func (c *compactor) withdraw(ctx context.Context, prior bool) error {
	clean, stop := cleaning(ctx, c.host.cleanUp, min(withdrawReserve, c.host.cleanUp/2))
	defer stop()
	last, err := c.cancelJob(clean)
	if !last.State.Terminal() {
		return fmt.Errorf("job %s was started beside the end of another compaction, and could not be cancelled: %w", last.ID, together(ErrOutcomeUnknown, err))
	}
	c.pending, c.attachment.prior = nil, prior
	if last.outcome() == nil {
		return nil
	}
	return errHolderEnded
}

// borrow notes an attachment that is not known to be ours. If it is at another address than the one
// that an earlier run left, that one is gone; if an attach of ours may have made it, it is still
// reported.
func (c *compactor) borrow(image *mountedImage) {
	a := &c.attachment
	if at := c.order.LeftAt; at.hasAddress() && !c.leftElsewhere() && !image.is(at, c.found.node) {
		a.prior, c.order.LeftAt = false, nil
	}
	a.prior = a.prior || a.state == attachAsked
	a.borrow(image)
}

// holderWatch watches the compactions of a host for the end of one that may be
// that of an attachment's holder.
type holderWatch struct {
	ended map[string]bool // for each job of the last look, by id, whether it had ended
	until time.Time       // until when a holder that may be alive is left alone
	limit time.Duration   // the longest patience
}

// watchHolder begins a watch: a client may have just attached the disk.
func watchHolder(limit time.Duration) holderWatch {
	return holderWatch{until: time.Now().Add(limit), limit: limit}
}

// hush leaves the holder alone for some time after the end of a job, which has run for worked.
func (w *holderWatch) hush(worked time.Duration) {
	if until := time.Now().Add(min(patience(worked), w.limit)); until.After(w.until) {
		w.until = until
	}
}

func (w *holderWatch) isQuiet() bool { return !time.Now().Before(w.until) }

// look compares the compactions with those of the last look. One that has ended
// or vanished may be that of the holder, who has yet to notice that and to
// detach; if a look fails, any may have ended, and so may one whose state is
// not told. The parameter own is our job, which is not the holder's; empty
// without one.
func (w *holderWatch) look(jobs []StorageJob, own string, err error) {
	if err != nil {
		w.hush(0)
		return
	}
	seen := map[string]bool{}
	for _, j := range jobs {
		if own != "" && j.ID == own {
			continue
		}
		seen[j.ID] = j.State.Terminal()
		switch {
		case j.State == jobUntold:
			w.hush(0)
		case seen[j.ID] && w.ended != nil && !w.ended[j.ID]:
			w.hush(j.Elapsed)
		}
	}
	for id, ended := range w.ended {
		if _, listed := seen[id]; !listed && !ended {
			w.hush(0)
		}
	}
	w.ended = seen
}
