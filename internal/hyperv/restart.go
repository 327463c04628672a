package hyperv

import (
	"context"
	"fmt"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// A restart of Windows ends every attachment and gives the addresses out again, so that somebody
// else's attachment of the same file can be at the address of ours.

const (
	// restartLeast is less than any Windows needs to restart and to answer again.
	restartLeast = 10 * time.Second
	// clockSlack is by how much the clock of a host may have been set between two times that are
	// compared: a member of a domain is never further off than Kerberos allows.
	clockSlack = 5 * time.Minute
	// noteHeldLimit keeps a question that can be left out from taking the time of a detach.
	noteHeldLimit = 5 * time.Second
)

// errRestarted: an attachment has ended with the Windows in which it was made.
var errRestarted = fmt.Errorf("%w: Windows was restarted, so what is attached now is not the attachment of this run", ErrInUse)

// sighting is when an attachment of this run was last seen to be there.
type sighting struct {
	at time.Time // by our clock
	// job was on record then. A restart ends the records of all jobs, so as long as this one is on
	// record there was none.
	job *cim.Reference
	// held is when the attachment was ours, by the clock of the host: when the last job on it began.
	// Zero if no job said so and the host was not asked.
	held time.Time
	// jobGone: a job of this run is not on record any more, as after a restart.
	jobGone bool
}

// note notes a job that is on record.
func (s *sighting) note(j StorageJob) { s.at, s.job, s.jobGone = time.Now(), &j.ref, false }

// lost notes that a job of this run is not on record any more.
func (s *sighting) lost() { s.job, s.jobGone = nil, true }

// sawJob notes that a job of ours on the attachment was seen.
func (a *attachment) sawJob(j StorageJob) {
	a.sight.note(j)
	if a.state != attachBorrowed && !j.Began.IsZero() {
		a.sight.held = j.Began
	}
}

// noteHeld asks the host for its time where no job told it: an attachment that may be left is to be
// known again.
func (c *compactor) noteHeld(ctx context.Context) {
	s := &c.attachment.sight
	if !c.attachment.mine || !s.held.IsZero() {
		return
	}
	ctx, stop := context.WithTimeout(ctx, noteHeldLimit)
	defer stop()
	if _, now, err := c.host.clock(ctx); err == nil {
		s.held = now.Add(-time.Since(s.at))
	}
}

// checkRestart returns errRestarted when Windows was restarted since our attachment was last seen.
// A host that was in sight all the time is not asked.
func (c *compactor) checkRestart(ctx context.Context) error {
	s := &c.attachment.sight
	if time.Since(s.at) < restartLeast && !s.jobGone {
		return nil
	}
	restarted, err := c.host.restartedSince(ctx, *s)
	switch {
	case err != nil:
		return err
	case restarted:
		return errRestarted
	}
	s.at, s.jobGone = time.Now(), false
	return nil
}

// knowsRestart is checkRestart for a run that can wait: a host that does not answer is asked for as
// long as it keeps the record of a job.
func (c *compactor) knowsRestart(ctx context.Context) error {
	for deadline := time.Now().Add(jobRecordKept); ; {
		err := c.checkRestart(ctx)
		if !transient(err) || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, pollLost); err != nil {
			return err
		}
	}
}

// restartedSince reports whether Windows was restarted since a sighting. It compares durations, so
// the clocks of host and client need not agree.
func (h *Host) restartedSince(ctx context.Context, s sighting) (bool, error) {
	if s.job != nil {
		if _, err := h.getJob(ctx, *s.job); err == nil {
			return false, nil
		}
	}
	asked := time.Now()
	booted, now, err := h.clock(ctx)
	return now.Sub(booted) < asked.Sub(s.at), err
}

// checkSameWindows returns nil when Windows has been running on the host since held, a time by its
// own clock. The clock of the client, and that of the client which stored the time, do not count.
//
// Unverified on a real host (job-start-time): that a job and the system tell their times by one
// clock.
func (h *Host) checkSameWindows(ctx context.Context, held time.Time) error {
	if held.IsZero() {
		return fmt.Errorf("%w: it is not known when it was held, and a restart of Windows since would have ended it", errNotOurs)
	}
	booted, now, err := h.clock(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("%w: a restart of Windows would have ended it: %w", errNotOurs, err)
	case booted.Add(clockSlack).After(held), held.After(now.Add(clockSlack)):
		return fmt.Errorf("%w: it was held at %s, and by the same clock Windows was started at %s and it is %s now: a restart ends every attachment",
			errNotOurs, held.Format(time.RFC3339), booted.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	return nil
}

// clock returns when Windows was started on the host, and the time there.
func (h *Host) clock(ctx context.Context) (booted, now time.Time, err error) {
	all, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceCIMv2, cim.ClassOperatingSystem))
	if err != nil {
		return booted, now, fmt.Errorf("when the host was started: %w", err)
	}
	for _, i := range all {
		booted, hasBooted, _ := i.Time("LastBootUpTime")
		now, hasNow, _ := i.Time("LocalDateTime")
		if hasBooted && hasNow {
			return booted, now, nil
		}
	}
	return booted, now, fmt.Errorf("%s does not tell when the host was started", cim.ClassOperatingSystem)
}
