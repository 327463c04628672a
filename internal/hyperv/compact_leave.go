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
func (r *run) leave(ctx context.Context, err error) error {
	clean, stop := cleaning(ctx)
	defer stop()
	if err != nil && ctx.Err() != nil {
		err = r.cancel(ctx, clean, err)
	}
	if r.mayAttached {
		r.endLostJob(clean)
		r.detach(clean)
	}
	if r.started {
		r.readAfter(clean)
	}
	return err
}

// cancel ends the job of an interrupted run and says what came of it. A job that
// completed in spite of it is a success.
func (r *run) cancel(ctx, clean context.Context, err error) error {
	cause := context.Cause(ctx)
	r.findLostJob(clean)
	if r.job == nil {
		return r.interrupted(cause, err)
	}
	last, cancelErr := r.cancelJob(clean)
	if last.State.succeeded() {
		return nil
	}
	said := fmt.Errorf("job %s was at %d %% and is %s after it was cancelled", last.ID, last.Percent, last.State)
	if cancelErr != nil {
		said = fmt.Errorf("job %s was at %d %% and could not be cancelled, the next run waits for it: %w", last.ID, last.Percent, cancelErr)
	}
	return r.interrupted(cause, said)
}

// endLostJob cancels a compaction that is out of sight before the disk is
// detached beneath it. Without an attachment it is left to go on, and the next
// run waits for it.
func (r *run) endLostJob(clean context.Context) {
	r.findLostJob(clean)
	if r.job != nil {
		_, _ = r.cancelJob(clean) // what follows does not depend on it: the disk must be given back
	}
}

// findLostJob looks for the job of a compaction whose answer was lost.
func (r *run) findLostJob(clean context.Context) {
	if r.job != nil || r.lostSince.IsZero() {
		return
	}
	search := r.host.jobs.seek()
	found, err := r.host.findLost(clean, r.order.Path, time.Since(r.lostSince))
	if sole := search.end(); err == nil && len(found) == 1 && sole {
		r.job, r.result.Run.JobID, r.lostSince = &found[0], found[0].ID, time.Time{}
	}
}

// cancelJob cancels the job of this run; one that has ended is forgotten.
func (r *run) cancelJob(clean context.Context) (StorageJob, error) {
	r.report(Progress{Phase: PhaseCancelling, Percent: r.job.Percent, JobID: r.job.ID})
	last, err := r.host.cancelJob(clean, *r.job)
	if last.State.Terminal() {
		r.job = nil
	}
	return last, err
}

func (r *run) interrupted(cause, err error) error {
	if err == nil || errors.Is(err, cause) && !r.started {
		return fmt.Errorf("%w: %w", ErrInterrupted, cause)
	}
	return fmt.Errorf("%w (%w): %w", ErrInterrupted, cause, err)
}

// attachWait is how long the job of an interrupted attach is given to end: only
// then can the disk be detached.
const attachWait = 20 * time.Second

// detach gives the disk back. What cannot be detached for certain is remembered
// and warned of.
func (r *run) detach(ctx context.Context) {
	if r.mount != nil {
		r.report(Progress{Phase: PhaseDetaching})
	}
	r.settleAttach(ctx)
	found, err := r.host.detach(ctx, r.order.Path, r.mount)
	if err == nil && (found || !r.unsure) {
		r.mayAttached, r.mount = false, nil
		return
	}
	if err == nil {
		err = errors.New("the host was asked to attach the disk and does not show whether it is")
	}
	r.detachErr = err
	r.warn(WarnLeftAttached, "The disk may still be attached read-only on the host, and a virtual machine that uses it cannot start then. "+
		"The next apply detaches it; by hand: Dismount-VHD -Path '"+strings.ReplaceAll(r.order.Path, "'", "''")+"'. Cause: "+err.Error())
}

// settleAttach waits for the job of an attach that was interrupted.
func (r *run) settleAttach(ctx context.Context) {
	if r.attaching == nil {
		return
	}
	ctx, stop := context.WithTimeout(ctx, attachWait)
	defer stop()
	if job, _ := r.host.waitJob(ctx, *r.attaching, nil); job.State.Terminal() {
		r.attaching, r.unsure = nil, false
	}
}

// readAfter reads the size as the host reports it after the run.
func (r *run) readAfter(ctx context.Context) {
	for wait := time.Second; ; wait = min(2*wait, detachPauseLongest) {
		size, err := r.host.FileSize(ctx, r.order.Path)
		if err == nil {
			r.result.FileSizeBytes, r.result.Run.FileSizeAfterBytes = &size, &size
			return
		}
		if !passing(err) || pause(ctx, wait) != nil {
			r.result.FileSizeBytes = nil
			return
		}
	}
}
