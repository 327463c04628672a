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
func (r *run) attach(ctx context.Context) error {
	r.report(Progress{Phase: PhaseAttaching})
	return r.whenFree(ctx, r.attachOnce)
}

func (r *run) attachOnce(ctx context.Context) error {
	before := r.mayAttached
	sent, err := r.sendAttach(ctx)
	switch {
	case err == nil:
		r.started = true
		return r.findOwnMount(ctx)
	case answered(err):
		r.mayAttached = before
		return r.takeOver(ctx, err)
	case sent:
		r.started = true
		return r.findLostMount(ctx, err)
	}
	r.mayAttached = before // the request did not get to the host
	return err
}

// sendAttach asks for the attachment and waits for its job. The request itself
// may outlive an interrupt for a moment: its answer tells what was started. Sent
// says that the host may have carried it out.
func (r *run) sendAttach(ctx context.Context) (sent bool, err error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	sending, stop := lingering(ctx, invokeGrace)
	defer stop()
	r.mayAttached = true // until the host is seen to say otherwise
	job, err := r.host.startAttach(sending, r.order.Path)
	if err != nil {
		r.unsure = errors.Is(err, ErrOutcomeUnknown)
		return r.unsure, err
	}
	if job == nil {
		return true, nil
	}
	r.attaching, r.unsure = job, true
	last, err := r.host.waitJob(ctx, *job, nil)
	if last.State.Terminal() {
		r.attaching, r.unsure = nil, false
	}
	return true, err
}

const mountLooks = 3

// findOwnMount finds what an attach that succeeded made. It must be found:
// without it the disk cannot be detached.
func (r *run) findOwnMount(ctx context.Context) error {
	r.unsure = true // the host says that it attached the disk, whatever it lists
	for range mountLooks {
		m, err := r.host.findMount(ctx, r.order.Path)
		if err != nil {
			return fmt.Errorf("find the attached disk: %w", err)
		}
		if m != nil {
			r.mount, r.unsure = m, false
			return nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: the host attached the disk, but lists no mount of it", ErrOutcomeUnknown)
}

// findLostMount finds out whether an attach whose answer was lost was carried out.
func (r *run) findLostMount(ctx context.Context, lost error) error {
	for range mountLooks {
		m, err := r.host.findMount(ctx, r.order.Path)
		switch {
		case err != nil:
			return errors.Join(lost, err)
		case m != nil && m.readOnly:
			r.mount, r.attaching, r.unsure = m, nil, false
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
func (r *run) takeOver(ctx context.Context, refused error) error {
	m, err := r.host.findMount(ctx, r.order.Path)
	switch {
	case err != nil:
		return errors.Join(refused, err)
	case m == nil:
		return refused
	case !m.readOnly:
		return fmt.Errorf("%w: attached on the host with write access: %w", ErrInUse, refused)
	}
	r.mount, r.mayAttached = m, true
	r.warn(WarnTookOverAttachment, "The disk was attached read-only on the host already, as a run that was killed leaves it. The attachment was used and detached.")
	return nil
}

// whenFree does something that a disk in use refuses. When what uses it may be
// another compaction, its end is awaited and the thing done again: one
// compaction after another is safe, two at once are not. When none is running,
// one may have ended since the refusal, so the thing is done once more.
func (r *run) whenFree(ctx context.Context, do func(context.Context) error) error {
	for again := true; ; {
		err := do(ctx)
		if !errors.Is(err, ErrInUse) || ctx.Err() != nil {
			return err
		}
		waited, waitErr := r.awaitOthers(ctx)
		if waitErr != nil {
			return errors.Join(err, waitErr)
		}
		if !waited && !again {
			return err
		}
		// What used the disk may have detached it in the end: see keepMount.
		again, r.waited = waited, true
	}
}

// awaitOthers waits for every running compaction that may be of this disk.
func (r *run) awaitOthers(ctx context.Context) (waited bool, err error) {
	others, err := r.host.runningCompactions(ctx, r.order.Path)
	if err != nil {
		return false, fmt.Errorf("look for running compactions: %w", err)
	}
	for _, job := range others {
		r.report(Progress{Phase: PhaseWaiting, Percent: job.Percent, JobID: job.ID})
		if _, err := r.host.waitJob(ctx, job.ref, nil); !answered(err) && !errors.Is(err, ErrJobGone) {
			return true, err
		}
	}
	if len(others) > 0 {
		r.waited = true
		r.warn(WarnAdopted, fmt.Sprintf("The disk was busy with a compaction that an earlier run had started; its end was awaited (%d running on the host).", len(others)))
	}
	return len(others) > 0, nil
}
