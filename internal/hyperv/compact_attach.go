package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// attach makes the disk ready for a compaction: attached where the run attaches
// it, not attached where it does not, or on an attachment that is to be tried.
func (c *compactor) attach(ctx context.Context) error {
	if c.attachment.tries() {
		return nil
	}
	if c.attachment.state == attachLeft || !c.found.attaches {
		if err := c.checkUnattached(ctx); err != nil {
			return err
		}
	}
	if !c.found.attaches {
		return nil
	}
	c.report(Progress{Phase: PhaseAttaching})
	return c.attachOnce(ctx)
}

// checkUnattached refuses a disk that is attached already, by an earlier run or by another client.
// The host would refuse an attach, but not a compaction: that would run on an attachment whose
// holder may detach it at any time.
func (c *compactor) checkUnattached(ctx context.Context) error {
	if c.found.gen != generationV2 {
		return nil // its inspection shows whether the disk is in use
	}
	image, err := c.host.currentImage(ctx, c.order.Path)
	switch {
	case err != nil:
		return fmt.Errorf("look whether the disk is attached: %w", err)
	case image != nil:
		return fmt.Errorf("%w: attached on %s already", ErrInUse, c.nodeName())
	}
	if c.attachment.state == attachLeft && !c.leftElsewhere() {
		c.order.LeftAt = nil
		c.attachment.end()
	}
	return nil
}

// leftElsewhere reports whether an earlier run left the disk attached on another node. This node
// does not know of that attachment, but if it accepts an attach or a compaction, no node has the
// file open any more.
func (c *compactor) leftElsewhere() bool {
	at := c.order.LeftAt
	return c.attachment.prior && at != nil && !sameNode(at.Node, c.found.node)
}

// settleElsewhere notes that this node could open the disk that was left
// attached on another one.
func (c *compactor) settleElsewhere() {
	if c.leftElsewhere() {
		c.warn(WarnSettled, fmt.Sprintf("An earlier run left the disk attached on %s. It is not any more: %s could open it.", c.order.LeftAt.Node, c.nodeName()))
		c.attachment.prior, c.order.LeftAt = false, nil
	}
}

// attachOnce requests the attachment, once, and finds out the outcome.
func (c *compactor) attachOnce(ctx context.Context) error {
	a := &c.attachment
	a.ask()
	job, o, err := c.host.sendOnce(ctx, attachMethod(c.order.Path))
	if o == outcomeRefused {
		a.refuse()
		return c.tellAppeared(ctx, err)
	}
	c.started = true
	a.sight.at = time.Now()
	switch {
	case o == outcomeUnknown, err != nil:
		return c.findAsked(ctx, err)
	case job != nil:
		a.job = job
		if ended, err := c.awaitAttach(ctx); !ended || err != nil {
			return err
		}
	}
	return c.findOwn(ctx)
}

// tellAppeared adds to a refusal that the disk is attached all the same, by
// whichever client.
func (c *compactor) tellAppeared(ctx context.Context, refusal error) error {
	if errors.Is(refusal, ErrInUse) || ctx.Err() != nil || errors.Is(refusal, ErrUnreachable) || errors.Is(refusal, ErrUnauthenticated) {
		return refusal
	}
	if image, err := c.host.findImage(ctx, c.order.Path); err == nil && image != nil {
		return fmt.Errorf("%w; the disk is attached on %s, by whom is not known", refusal, c.nodeName())
	}
	return refusal
}

// awaitAttach waits for the job of our attach. A job that failed attached nothing.
func (c *compactor) awaitAttach(ctx context.Context) (ended bool, err error) {
	last, err := c.host.waitJob(ctx, *c.attachment.job, c.sawWork)
	switch {
	case last.State.succeeded() && err != nil: // completed with an error code: the disk may be attached
		c.attachment.job = nil
		if image, lookErr := c.lookForImage(ctx, listingLag); image == nil && lookErr == nil {
			c.attachment.refuse()
			c.started = c.ran()
			return true, err
		}
		return false, c.findAsked(ctx, err)
	case last.State.Terminal() && err != nil:
		c.attachment.refuse()
		c.started = c.ran()
		return true, err
	case last.State.Terminal():
		return true, nil
	case ctx.Err() == nil && errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrJobGone):
		c.attachment.job = nil
		return false, c.findAsked(ctx, err)
	}
	return false, err
}

// sawWork notes that a job of ours is still under way. For what may be a compaction it notes how
// long the job has run, as any client that watches the job can see.
func (c *compactor) sawWork(j StorageJob) {
	c.attachment.sawJob(j)
	switch {
	case j.State.Terminal(), j.State == jobUntold:
	case j.mayCompact():
		c.attachment.see(time.Now(), max(j.Elapsed, time.Nanosecond))
	default:
		c.attachment.see(time.Now(), 0)
	}
}

// listingLag is how long a host may take to list what it has attached.
const listingLag = 2 * time.Second

// findOwn finds the attachment that a successful attach has made. It must be
// found: without it the disk cannot be detached.
func (c *compactor) findOwn(ctx context.Context) error {
	c.attachment.job, c.attachment.made = nil, true
	image, err := c.lookForImage(ctx, listingLag)
	switch {
	case err != nil:
		return fmt.Errorf("find the attached disk: %w", err)
	case image == nil:
		return fmt.Errorf("%w: the host attached the disk, but does not list it as attached", ErrOutcomeUnknown)
	}
	c.own(image)
	return nil
}

// lookForImage looks for the attachment of the disk until one is there, which it has
// so long to appear. A host out of sight is looked for as long as a lost connection is
// survived.
func (c *compactor) lookForImage(ctx context.Context, appears time.Duration) (*mountedImage, error) {
	start := time.Now()
	for wait := time.Second; ; wait = min(2*wait, detachPauseLongest) {
		image, err := c.host.findImage(ctx, c.order.Path)
		since := time.Since(start)
		if err == nil && (image != nil || since >= appears) || err != nil && (!transient(err) || since >= jobRecordKept) {
			return image, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func (c *compactor) own(image *mountedImage) {
	c.settleElsewhere()
	c.attachment.own(image, c.host.claims.hold(image, c.found.node))
}

// findAsked looks for the attachment of an attach whose outcome is unknown, for as long as a slow
// host may take to begin. An attachment that appears may also be that of another client that
// attached the disk in that time: it is watched like any attachment, and reported until the host
// has accepted our compaction on it.
func (c *compactor) findAsked(ctx context.Context, lost error) error {
	image, err := c.lookForImage(ctx, lostLook)
	switch {
	case err != nil:
		return together(err, lost)
	case image == nil || !image.readOnly:
		return fmt.Errorf("%w: attach the disk: %w", ErrOutcomeUnknown, lost)
	}
	c.borrow(image)
	return fmt.Errorf("%w: an attach was not answered, and the disk is attached read-only on %s", ErrInUse, c.nodeName())
}

// nodeName returns the node for messages: by its own name, or by the configured name of the host.
func (c *compactor) nodeName() string {
	if c.found.node != "" {
		return c.found.node
	}
	return c.host.name
}
