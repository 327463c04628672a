package hyperv

import (
	"errors"
	"fmt"
	"time"
)

// settle derives the status and its one sentence from what happened. A pass
// that ran is never hidden by a later event.
func (c *compactor) settle(err error) error {
	res := &c.result
	c.noteWhatStays()
	if err == nil {
		err = c.settleSuccess()
	} else {
		err = c.settleError(err)
	}
	if err != nil {
		res.Detail = err.Error()
	}
	return err
}

// noteWhatStays notes what was started, what stays attached, and what may run.
func (c *compactor) noteWhatStays() {
	res := &c.result
	if c.started {
		res.Run.CompletedAt = time.Now().UTC()
	} else {
		res.Run = nil
	}
	if c.attachment.left() {
		res.LeftAttached, res.LeftAttachedAt = true, c.leftAt()
	}
	switch p := c.pending; {
	case p != nil && p.job != nil:
		res.UnseenJob, res.UnseenJobNode = p.job.ID, c.found.node
	case !c.priorEnded:
		res.UnseenJob, res.UnseenJobNode = c.order.PriorJobID, c.order.PriorNode
	}
}

// settleError sets the status that an error stands for. Nil means that the run does not fail for
// it.
func (c *compactor) settleError(err error) error {
	res := &c.result
	switch {
	case errors.Is(err, ErrInterrupted):
		res.Status = StatusInterrupted
	case errors.Is(err, ErrOutcomeUnknown) && c.ran(), errors.Is(err, ErrJobGone):
		res.Status = StatusUnknown
	case !res.LeftAttached && c.pending == nil && c.forgives(err):
		return c.forgive(err)
	default:
		res.Status = StatusFailed
	}
	if c.leftElsewhere() && errors.Is(err, ErrInUse) {
		return fmt.Errorf("%w; an earlier run left it attached on %s", err, c.order.LeftAt.Node)
	}
	return err
}

// forgives reports whether the run does not fail for an error, provided that
// nothing stays attached or may be running.
func (c *compactor) forgives(err error) bool {
	return isNotCompactable(err) || c.order.SkipInUse && (errors.Is(err, ErrInUse) || errors.Is(err, ErrDependedOn))
}

// forgive ends a run without the error. Passes that ran before count.
func (c *compactor) forgive(err error) error {
	kind, status := WarnInUse, StatusSkippedInUse
	switch {
	case isNotCompactable(err):
		return c.end(StatusNotCompactable, WarnNotCompactable, err)
	case errors.Is(err, ErrDependedOn):
		kind, status = WarnDependedOn, StatusSkippedDependents
	}
	if !c.ran() {
		c.result.Run = nil
		return c.end(status, kind, err)
	}
	c.warn(kind, err.Error())
	if err := c.settleRan(); err != nil {
		return err
	}
	c.result.Detail = fmt.Sprintf("pass %d was not possible: %v", c.result.Run.Passes+1, err)
	return nil
}

// end ends a run with a status and a warning in place of an error.
func (c *compactor) end(status Status, kind WarningKind, why error) error {
	c.warn(kind, why.Error())
	c.result.Status, c.result.Detail = status, why.Error()
	return nil
}

func isNotCompactable(err error) bool {
	job, ok := errors.AsType[*JobError](err)
	return ok && job.CompletionStatus == hresultNotCompactable
}

// leftAt returns where the disk may stay attached: the address of an attachment that was ours once,
// or that an earlier run left, else the node alone. An attachment that was merely seen there may be
// that of another client.
func (c *compactor) leftAt() *AttachedAt {
	switch a := &c.attachment; {
	case a.mine:
		at := a.image.at(c.found.node)
		at.HeldAt = a.sight.held
		return at
	case a.prior && c.order.LeftAt != nil:
		return c.order.LeftAt
	}
	return &AttachedAt{Node: c.found.node}
}

func (c *compactor) settleSuccess() error {
	res := &c.result
	if res.LeftAttached {
		return c.settleLeft()
	}
	if res.Run == nil {
		return nil // a gate ended the run and has set the status
	}
	if err := c.settleRan(); err != nil {
		return err
	}
	if c.found.disk.Type == TypeDifferencing {
		res.Detail = "a differencing disk: only its own blocks were compacted, not its parent's"
	}
	return nil
}

// settleRan settles a run whose compactions were seen to end.
func (c *compactor) settleRan() error {
	if c.result.Run.FileSizeAfterBytes == nil {
		c.result.Status = StatusUnknown
		return fmt.Errorf("%w: the compaction completed, but the size of the file could not be read afterwards", ErrOutcomeUnknown)
	}
	c.compareSizes()
	return nil
}

// settleLeft settles a run that did its work and could not detach the disk.
func (c *compactor) settleLeft() error {
	res, cause := &c.result, c.attachment.cause
	if cause == nil {
		cause = errNotOurs
	}
	if res.Run != nil && res.Run.FileSizeAfterBytes != nil {
		c.compareSizes()
	} else {
		res.Status = StatusFailed
	}
	return fmt.Errorf("the disk is not detached from %s: %w", c.nodeName(), cause)
}

// compareSizes distinguishes a run that reclaimed something from one that did not.
func (c *compactor) compareSizes() {
	c.result.Status = StatusUnchanged
	if run := c.result.Run; *run.FileSizeAfterBytes < *run.FileSizeBeforeBytes {
		c.result.Status = StatusCompacted
	}
}
