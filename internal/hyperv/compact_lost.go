package hyperv

import (
	"context"
	"fmt"
	"time"
)

// pending is a compaction of this run whose end was not seen.
type pending struct {
	job       *StorageJob // as last seen; nil when not named, or forgotten by the host
	lost      time.Time   // when its answer was lost, zero when it was not
	cancelled bool        // the host was asked to end the job
}

// lostError: a compaction was requested, and its outcome is unknown.
type lostError struct{ err error }

func (e *lostError) Error() string   { return "the answer was lost: " + e.err.Error() }
func (e *lostError) Unwrap() []error { return []error{e.err, ErrOutcomeUnknown} }

// lose notes that the answer to a compaction is lost. If the host has accepted the compaction on a
// borrowed attachment, that attachment may be ours, and is reported unless a later observation
// settles it.
func (c *compactor) lose(err error) error {
	c.pending.lost = time.Now()
	if c.attachment.state == attachBorrowed {
		c.attachment.prior = true
	}
	return &lostError{err: err}
}

// lostLook is how long after an answer was lost the host is asked for the
// outcome of the request: a slow host begins late, and the commonest loss is
// its own time-out.
const lostLook = time.Minute

// resolve finds out the outcome of a compaction whose answer was lost, as far as it can be known:
// it waits for the jobs that may be that compaction, and for no others. The result done says that
// the disk has shrunk, so that the pass counts; otherwise no job that may be it is running any
// more.
func (c *compactor) resolve(ctx context.Context, lost *lostError) (done bool, err error) {
	c.report(Progress{Phase: PhaseWaiting})
	if err := pause(ctx, time.Until(c.pending.lost.Add(lostLook))); err != nil {
		return false, together(err, lost)
	}
	jobs, err := c.listOwn(ctx)
	if err != nil {
		return false, together(lost, err)
	}
	if err := c.host.awaitEnds(ctx, jobs, c.sightOf(ctx)); err != nil {
		return false, together(lost, err)
	}
	size, err := c.host.FileSize(ctx, c.order.Path)
	if err != nil {
		return false, together(lost, err)
	}
	c.pending = nil
	if size >= c.size {
		return false, nil
	}
	c.warn(WarnLostAnswer, fmt.Sprintf("The answer to a request to compact was lost (%v). The pass is counted because the file shrank from %d to %d bytes and nothing that can be it runs any longer.",
		lost.err, c.size, size))
	return true, nil
}

// sightOf returns what is to be done when one of the jobs that are on record is seen: as long as it
// is, Windows was not restarted. That says something of our attachment only if there was no restart
// before.
func (c *compactor) sightOf(ctx context.Context) func(StorageJob) {
	if c.attachment.state != attachHeld || c.checkRestart(ctx) != nil {
		return c.reportWait
	}
	return func(j StorageJob) {
		c.reportWait(j)
		c.attachment.sight.note(j)
	}
}

// noteOwn notes jobs that are, or may be, those of requests of this run.
func (c *compactor) noteOwn(jobs ...StorageJob) {
	if c.ours == nil {
		c.ours = map[string]bool{}
	}
	for _, j := range jobs {
		c.ours[j.ID] = true
	}
}

// listOwn notes, once, which running jobs may be the compaction that was lost.
// A host that does not answer is asked for as long as it keeps the record of a
// job.
func (c *compactor) listOwn(ctx context.Context) ([]StorageJob, error) {
	for deadline := time.Now().Add(jobRecordKept); ; {
		jobs, err := c.host.compactionsSince(ctx, c.order.Path, c.attachment.seen)
		if err == nil {
			c.noteOwn(jobs...)
			return jobs, nil
		}
		if !transient(err) || time.Now().After(deadline) {
			return nil, err
		}
		if err := pause(ctx, pollLost); err != nil {
			return nil, err
		}
	}
}
