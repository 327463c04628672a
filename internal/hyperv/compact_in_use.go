package hyperv

import (
	"context"
	"fmt"
	"time"
)

const (
	// inUseTrial is how long a disk in use is tried: a machine may have just stopped, or a scanner
	// may be reading the file. Compactions by other clients are no reason to wait longer, because
	// they do not name their disk.
	inUseTrial = 15 * time.Second
	inUsePause = 5 * time.Second
)

// whileInUse waits as long as a disk that was refused as in use is worth
// waiting for. Nil means that the disk may be tried again; the error is
// refusal, with what is known of the attachment that holds the disk.
func (c *compactor) whileInUse(ctx context.Context, refusal error) error {
	if c.refused.IsZero() {
		c.refused = time.Now()
	}
	image, err := c.host.findImage(ctx, c.order.Path)
	if err != nil {
		return together(refusal, err)
	}
	c.noteGone(image)
	switch {
	case image == nil, c.attachment.state == attachHeld:
		return c.tryAgain(ctx, refusal)
	case !image.readOnly:
		return c.tryAgain(ctx, fmt.Errorf("%w: attached on %s with write access: %w", ErrInUse, c.nodeName(), refusal))
	}
	if done := c.host.claims.holder(image, c.found.node); done != nil {
		return c.awaitRun(ctx, done)
	}
	if err := c.checkUnnamed(ctx, image); err != nil {
		return c.tryAgain(ctx, fmt.Errorf("%w: %w", err, refusal))
	}
	return c.watch(ctx, image)
}

// noteGone ends the trial of an attachment that is no longer there. A refusal
// after that starts a new trial.
func (c *compactor) noteGone(now *mountedImage) {
	if a := &c.attachment; a.state == attachBorrowed && !a.image.same(now) {
		a.refuse()
		c.refused = time.Now()
	}
}

// tryAgain lets a disk be tried again until the time for that is over.
func (c *compactor) tryAgain(ctx context.Context, refusal error) error {
	if time.Since(c.refused) >= inUseTrial {
		return refusal
	}
	return pause(ctx, inUsePause)
}

// awaitRun waits for a run of this process that holds the disk under another
// spelling of its path.
func (c *compactor) awaitRun(ctx context.Context, done <-chan struct{}) error {
	c.report(Progress{Phase: PhaseWaiting})
	select {
	case <-done:
		c.refused, c.found.at = time.Time{}, time.Time{}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
