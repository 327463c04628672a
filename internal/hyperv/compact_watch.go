package hyperv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// lookPause is the time between two looks at somebody's attachment.
	lookPause = 15 * time.Second
	// takeOverAfter is longer than a holder who is alive needs to see the end of its
	// job, at most two minutes (see pollLongest), and to detach.
	takeOverAfter = 150 * time.Second
	// withdrawReserve is the part of the time for cleaning up after an interrupt that
	// is left when a compaction was withdrawn.
	withdrawReserve = 50 * time.Second
)

// watch looks at an attachment that can be that of a run that was killed, until it
// goes away or a compaction may be tried on it: when nobody who could notice the
// end of a compaction has done so for longer than that takes.
func (c *compactor) watch(ctx context.Context, image *mountedImage) error {
	c.borrow(image)
	c.holder = holderWatch{quiet: time.Now()}
	holder := &c.holder
	for {
		c.report(Progress{Phase: PhaseWaiting})
		jobs, err := c.host.compactions(ctx, c.order.Path)
		if err != nil && !transient(err) {
			return fmt.Errorf("%w: attached read-only on %s, by whom is not known: %w", ErrInUse, c.nodeName(), err)
		}
		holder.look(jobs, "", err)
		if time.Since(holder.quiet) >= c.host.takeOver {
			return nil
		}
		if err := pause(ctx, min(lookPause, c.host.takeOver/2)); err != nil {
			return fmt.Errorf("attached read-only on %s, by whom is not known: %w", c.nodeName(), err)
		}
		now, err := c.host.findImage(ctx, c.order.Path)
		switch {
		case err != nil && !transient(err):
			return err
		case err != nil:
			holder.quiet = time.Now()
		case !image.same(now):
			c.noteGone(now)
			return nil
		}
	}
}

// errLapsed: our work was out of sight for so long that somebody may have taken the
// attachment over.
var errLapsed = fmt.Errorf("%w: what this run attached was out of sight for more than %s, and somebody may have taken it over", ErrInUse, unseenLimit)

// errHolderEnded: the holder of an attachment may be about to detach.
var errHolderEnded = fmt.Errorf("%w: a compaction on the host has ended just now, and its run may be about to detach the disk", ErrInUse)

// mayTry is nil when a compaction may be sent on the attachment as it is. It is asked
// right before that: somebody may have come since the last look.
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

// stillHolds looks at an attachment that we hold and whose work was out of sight for
// so long that somebody may have taken it over. It is ours still if it is there and no
// other compaction is on record; else it is watched like that of anybody.
func (c *compactor) stillHolds(ctx context.Context) error {
	a := &c.attachment
	if a.state != attachHeld || !a.lapsed() {
		return nil
	}
	now, err := c.host.imageAt(ctx, a.image.ref)
	if err == nil && a.image.same(now) {
		var jobs []StorageJob
		jobs, err = c.host.compactions(ctx, c.order.Path)
		if err == nil && !slices.ContainsFunc(jobs, func(j StorageJob) bool { return !c.ours[j.ID] }) {
			return nil
		}
	}
	a.doubt()
	return errors.Join(errLapsed, err)
}

// mayBorrow is nil when somebody's attachment is the one that was watched, and still
// without a name and quiet.
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

// checkUnnamed refuses an attachment with a drive letter or a folder mount point, or
// of which that cannot be seen.
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

// checkQuiet looks once more whether a compaction that can be that of the holder of a
// borrowed attachment has ended: right before ours is sent, and right after the host
// took it. In between, the end of the holder's may be what let the host take ours. Own
// is the job of ours.
func (c *compactor) checkQuiet(ctx context.Context, own string) error {
	jobs, err := c.host.compactions(ctx, c.order.Path)
	c.holder.look(jobs, own, err)
	if time.Since(c.holder.quiet) < c.host.takeOver {
		return errHolderEnded
	}
	return nil
}

// withdraw ends our compaction on an attachment whose holder may be about to
// detach it. One that has ended well meanwhile counts, and so does one that cannot
// be ended; neither makes the attachment ours. Prior is what was left before it was
// sent, and is so again when it has ended. The wait is part of cleaning up: an
// interrupt does not leave the job to run.
func (c *compactor) withdraw(ctx context.Context, prior bool) error {
	clean, stop := cleaning(ctx, c.host.cleanUp, min(withdrawReserve, c.host.cleanUp/2))
	defer stop()
	last, err := c.cancelJob(clean)
	if !last.State.Terminal() {
		return fmt.Errorf("job %s was started beside the end of another compaction, and could not be cancelled: %w", last.ID, errors.Join(ErrOutcomeUnknown, err))
	}
	c.pending, c.attachment.prior = nil, prior
	if last.outcome() == nil {
		return nil
	}
	return errHolderEnded
}

// borrow notes somebody's attachment. One at another address than an earlier run
// left shows that what that one left is gone; one that an attach of ours may have
// made stays to be told of.
func (c *compactor) borrow(image *mountedImage) {
	a := &c.attachment
	if at := c.order.LeftAt; at.hasAddress() && !c.leftElsewhere() && !image.is(at, c.found.node) {
		a.prior = false
	}
	a.prior = a.prior || a.state == attachAsked
	a.borrow(image)
}

// holderWatch watches the compactions of a host for the end of one that can be
// that of the holder of an attachment.
type holderWatch struct {
	ended map[string]bool // the jobs of the last look, by id: whether they had ended
	quiet time.Time       // of the first look, or of the last at which one had ended
}

// look compares the compactions with those of the last look. One that ended or
// vanished may be the holder's, who has yet to notice and to detach; what a look
// does not show may have ended. Own is a job of ours, which is not the holder's.
func (w *holderWatch) look(jobs []StorageJob, own string, err error) {
	now := time.Now()
	if err != nil {
		w.quiet = now
		return
	}
	seen := map[string]bool{}
	for _, j := range jobs {
		if j.ID != own {
			seen[j.ID] = j.State.Terminal()
		}
	}
	if w.ended != nil && someEnded(w.ended, seen) {
		w.quiet = now
	}
	w.ended = seen
}

// someEnded reports whether a job ended or vanished between two looks, or came and
// went.
func someEnded(before, now map[string]bool) bool {
	for id, ended := range now {
		if ended && !before[id] {
			return true
		}
	}
	for id, ended := range before {
		if _, listed := now[id]; !listed && !ended {
			return true
		}
	}
	return false
}
