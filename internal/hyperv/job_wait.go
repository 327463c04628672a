package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const (
	// jobRecordKept is how long a host keeps the record of a job that has ended
	// (TimeBeforeRemoval of Msvm_StorageJob): a lost connection can be survived
	// for that long.
	jobRecordKept = 5 * time.Minute

	pollFirst    = 250 * time.Millisecond // in the first second
	pollShortest = time.Second
	pollLongest  = 2 * time.Minute
	pollLost     = 5 * time.Second
	// pollShare is the divisor that gives 2 % of the run so far, the time that may pass between two
	// polls.
	pollShare = 50
	// predictFrom is the percentage from which progress may bring a poll forward.
	// A job that stalls at a high percentage costs few extra polls this way.
	predictFrom = 90
)

// pollDelay returns the time to wait before the next poll of a job that has run
// for elapsed and was at percent. The end is noticed within one second or 2 %
// of the run, whichever is longer.
func pollDelay(elapsed time.Duration, percent int, moved bool) time.Duration {
	if elapsed < pollShortest {
		return pollFirst
	}
	delay := pollBound(elapsed)
	if moved && percent >= predictFrom && percent < 100 {
		left := elapsed / time.Duration(percent) * time.Duration(100-percent)
		delay = min(delay, max(pollShortest, left))
	}
	return delay
}

// pollBound is the longest time between two polls of a job that has run for elapsed.
func pollBound(elapsed time.Duration) time.Duration {
	return min(max(pollShortest, elapsed/pollShare), pollLongest)
}

// jobLostError: the host did not answer for as long as it keeps the record of a job.
type jobLostError struct {
	id  string
	err error
}

func (e *jobLostError) Error() string {
	return fmt.Sprintf("job %s was out of sight for %s: %v", e.id, jobRecordKept, e.err)
}
func (e *jobLostError) Unwrap() []error { return []error{e.err, ErrOutcomeUnknown} }

// waitJob follows a job to its end and is the only thing that waits for one.
// The job as last seen is returned even with an error. A cancelled context ends
// the wait, not the job. Errors of single polls are tolerated for as long as
// the host keeps the record: the job goes on meanwhile, and giving it up for
// one bad answer would cost a compaction.
func (h *Host) waitJob(ctx context.Context, ref cim.Reference, seen func(StorageJob)) (StorageJob, error) {
	w := jobWatch{host: h, ref: ref, seen: seen, start: time.Now()}
	w.job.ID, _ = ref.Selector("InstanceID")
	w.job.ref = ref
	w.contact = w.start
	for {
		if err := pause(ctx, w.delay()); err != nil {
			return w.job, err
		}
		if ended, err := w.look(ctx); ended || err != nil {
			return w.job, err
		}
	}
}

// awaitEnds waits for the ends of jobs, however they end, one after the other.
func (h *Host) awaitEnds(ctx context.Context, jobs []StorageJob, seen func(StorageJob)) error {
	for _, job := range jobs {
		if _, err := h.waitJob(ctx, job.ref, seen); !isAnswer(err) && !errors.Is(err, ErrJobGone) {
			return fmt.Errorf("wait for job %s: %w", job.ID, err)
		}
	}
	return nil
}

// jobWatch is the state of one wait.
type jobWatch struct {
	host    *Host
	ref     cim.Reference
	seen    func(StorageJob)
	start   time.Time
	contact time.Time // when the host last reported the job
	job     StorageJob
	moved   bool // the percentage had changed at the last poll
	lost    bool // the last poll failed
}

// delay returns the time until the next poll; a host that does not answer is
// asked often, because its record of the job does not last.
func (w *jobWatch) delay() time.Duration {
	delay := pollDelay(time.Since(w.start), w.job.Percent, w.moved)
	if w.lost {
		delay = min(delay, pollLost)
	}
	return delay
}

// look polls the job once and reports whether it has ended.
func (w *jobWatch) look(ctx context.Context) (ended bool, err error) {
	asking := ctx
	if time.Since(w.contact) >= jobRecordKept {
		asking = wsman.Insist(ctx) // the last poll
	}
	job, err := w.host.getJob(asking, w.ref)
	switch {
	case err == nil:
		w.moved = job.Percent != w.job.Percent
		w.job, w.contact, w.lost = job, time.Now(), false
		if w.seen != nil {
			w.seen(job)
		}
		return job.State.Terminal(), job.outcome()
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case errors.Is(err, ErrJobGone):
		return false, err
	case time.Since(w.contact) >= jobRecordKept:
		return false, &jobLostError{id: w.job.ID, err: err}
	}
	w.moved, w.lost = false, true
	return false, nil
}

// transient reports whether an error of a read may have passed by the next try: the host could not
// be asked, could not answer at that moment, or rejected an account that it, or another host, had
// accepted before.
func transient(err error) bool {
	if errors.Is(err, errLogonLater) {
		return true
	}
	for _, final := range [...]error{ErrJobGone, ErrUnauthenticated, ErrAccessDenied, ErrNotSupported} {
		if errors.Is(err, final) {
			return false
		}
	}
	return errors.Is(err, ErrUnreachable) || errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, errTransient)
}

// pause waits for d or for the end of ctx, whose cause it returns.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
