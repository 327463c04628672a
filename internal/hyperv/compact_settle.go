package hyperv

import (
	"errors"
	"fmt"
	"time"
)

// settle turns what happened into the status and its one sentence. A pass that
// ran is never hidden by what came after it.
func (c *compactor) settle(err error) error {
	res := &c.result
	if !c.started {
		res.Run = nil
	} else {
		res.Run.CompletedAt = time.Now().UTC()
	}
	if c.attachment.left() {
		res.LeftAttached, res.LeftAttachedAt = true, c.leftAt()
	}
	if c.leftElsewhere() && errors.Is(err, ErrInUse) {
		err = fmt.Errorf("%w; an earlier run left it attached on %s", err, c.order.LeftAt.Node)
	}
	var job *JobError
	switch {
	case err == nil:
		err = c.settleSuccess()
	case errors.Is(err, ErrInterrupted):
		res.Status = StatusInterrupted
	case errors.Is(err, ErrDependedOn) && c.order.SkipInUse && !res.LeftAttached && c.pending == nil:
		c.warn(WarnDependedOn, err.Error())
		res.Status, res.Detail = StatusSkippedDependents, err.Error()
		return nil
	case errors.Is(err, ErrInUse) && c.order.SkipInUse && !res.LeftAttached && c.pending == nil:
		return c.skip(err)
	case errors.As(err, &job) && job.CompletionStatus == hresultNotCompactable && !res.LeftAttached:
		res.Status, res.Detail = StatusNotCompactable, err.Error()
		c.warn(WarnNotCompactable, err.Error())
		return nil
	case errors.Is(err, ErrOutcomeUnknown) && c.ran(), errors.Is(err, ErrJobGone):
		res.Status = StatusUnknown
	default:
		res.Status = StatusFailed
	}
	if err != nil {
		res.Detail = err.Error()
	}
	return err
}

// skip settles a run that a disk in use has ended and that may be skipped. Passes
// that ran before count.
func (c *compactor) skip(err error) error {
	res := &c.result
	c.warn(WarnInUse, err.Error())
	if c.ran() && res.Run.FileSizeAfterBytes != nil {
		c.compareSizes()
		res.Detail = fmt.Sprintf("pass %d was not possible: %v", res.Run.Passes+1, err)
		return nil
	}
	res.Status, res.Detail, res.Run = StatusSkippedInUse, err.Error(), nil
	return nil
}

// leftAt is where the disk may stay attached: the node at least.
func (c *compactor) leftAt() *AttachedAt {
	a := &c.attachment
	switch {
	case a.prior && c.order.LeftAt != nil && (a.image == nil || c.leftElsewhere()):
		return c.order.LeftAt
	case a.image != nil:
		return a.image.at(c.found.node)
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
	if res.Run.FileSizeAfterBytes == nil {
		res.Status = StatusUnknown
		return fmt.Errorf("%w: the compaction completed, but the size of the file could not be read afterwards", ErrOutcomeUnknown)
	}
	c.compareSizes()
	if c.found.disk.Type == TypeDifferencing {
		res.Detail = "a differencing disk: only its own blocks were compacted, not its parent's"
	}
	return nil
}

// settleLeft settles a run that did its work and could not give the disk back.
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

// compareSizes tells a run that reclaimed something from one that did not.
func (c *compactor) compareSizes() {
	c.result.Status = StatusUnchanged
	if run := c.result.Run; *run.FileSizeAfterBytes < *run.FileSizeBeforeBytes {
		c.result.Status = StatusCompacted
	}
}
