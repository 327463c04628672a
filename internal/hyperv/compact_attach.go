package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// attach attaches the disk read-only for this run, or takes over the attachment
// that a dead run left. A disk that only another compaction keeps busy is waited
// for.
func (c *compactor) attach(ctx context.Context) error {
	c.report(Progress{Phase: PhaseAttaching})
	return c.whenFree(ctx, c.attachOnce)
}

func (c *compactor) attachOnce(ctx context.Context) error {
	before := c.mayAttached
	sent, err := c.sendAttach(ctx)
	switch {
	case err == nil:
		c.started = true
		return c.findOwnMount(ctx)
	case isAnswer(err):
		c.mayAttached = before
		return c.takeOver(ctx, err)
	case sent:
		c.started = true
		return c.findLostMount(ctx, err)
	}
	c.mayAttached = before // the request did not get to the host
	return err
}

// sendAttach asks for the attachment and waits for its job. The request itself
// may outlive an interrupt for a moment: its answer tells what was started. Sent
// says that the host may have carried it out.
func (c *compactor) sendAttach(ctx context.Context) (sent bool, err error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	sending, stop := lingering(ctx, invokeGrace)
	defer stop()
	c.mayAttached = true // until the host is seen to say otherwise
	job, err := c.host.startAttach(sending, c.order.Path)
	if err != nil {
		c.unsure = errors.Is(err, ErrOutcomeUnknown)
		return c.unsure, err
	}
	if job == nil {
		return true, nil
	}
	c.attaching, c.unsure = job, true
	last, err := c.host.waitJob(ctx, *job, nil)
	if last.State.Terminal() {
		c.attaching, c.unsure = nil, false
	}
	return true, err
}

const mountLooks = 3

// findOwnMount finds what an attach that succeeded made. It must be found:
// without it the disk cannot be detached.
func (c *compactor) findOwnMount(ctx context.Context) error {
	c.unsure = true // the host says that it attached the disk, whatever it lists
	for range mountLooks {
		m, err := c.host.findMount(ctx, c.order.Path)
		if err != nil {
			return fmt.Errorf("find the attached disk: %w", err)
		}
		if m != nil {
			c.mount, c.unsure = m, false
			return nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: the host attached the disk, but lists no mount of it", ErrOutcomeUnknown)
}

// findLostMount finds out whether an attach whose answer was lost was carried out.
func (c *compactor) findLostMount(ctx context.Context, lost error) error {
	for range mountLooks {
		m, err := c.host.findMount(ctx, c.order.Path)
		switch {
		case err != nil:
			return errors.Join(lost, err)
		case m != nil && m.readOnly:
			c.mount, c.attaching, c.unsure = m, nil, false
			return nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return errors.Join(err, lost)
		}
	}
	return lost
}

// takeOver looks why the host refused to attach. A read-only attachment of
// exactly this disk is one that a dead run left: this provider is what attaches
// disks read-only without a drive letter. One with write access is somebody's.
func (c *compactor) takeOver(ctx context.Context, refused error) error {
	m, err := c.host.findMount(ctx, c.order.Path)
	switch {
	case err != nil:
		return errors.Join(refused, err)
	case m == nil:
		return refused
	case !m.readOnly:
		return fmt.Errorf("%w: attached on the host with write access: %w", ErrInUse, refused)
	}
	c.mount, c.mayAttached = m, true
	c.warn(WarnTookOver, "The disk was attached read-only on the host already, as a run that was killed leaves it. The attachment was used and detached.")
	return nil
}

// whenFree does something that a disk in use refuses. When what uses it may be
// another compaction, its end is awaited and the thing done again: one
// compaction after another is safe, two at once are not. When none is running,
// one may have ended since the refusal, so the thing is done once more.
func (c *compactor) whenFree(ctx context.Context, do func(context.Context) error) error {
	for again := true; ; {
		err := do(ctx)
		if !errors.Is(err, ErrInUse) || ctx.Err() != nil {
			return err
		}
		waited, waitErr := c.awaitOthers(ctx)
		if waitErr != nil {
			return errors.Join(err, waitErr)
		}
		if !waited && !again {
			return err
		}
		// What used the disk may have detached it in the end: see keepMount.
		again, c.waited = waited, true
	}
}

// awaitOthers waits for every running compaction that may be of this disk.
func (c *compactor) awaitOthers(ctx context.Context) (waited bool, err error) {
	others, err := c.host.runningCompactions(ctx, c.order.Path)
	if err != nil {
		return false, fmt.Errorf("look for running compactions: %w", err)
	}
	for _, job := range others {
		c.report(Progress{Phase: PhaseWaiting, Percent: job.Percent, JobID: job.ID})
		if _, err := c.host.waitJob(ctx, job.ref, nil); !isAnswer(err) && !errors.Is(err, ErrJobGone) {
			return true, err
		}
	}
	if len(others) > 0 {
		c.waited = true
		c.warn(WarnAdopted, fmt.Sprintf("The disk was busy with a compaction that an earlier run had started; its end was awaited (%d running on the host).", len(others)))
	}
	return len(others) > 0, nil
}
