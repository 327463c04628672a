package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// compactor carries out one [Order].
type compactor struct {
	host  *Host
	order Order
	found verdict // what the gates found out

	mount       *mount         // the attachment that this run uses
	mayAttached bool           // the disk may be attached by us, now or since an earlier run
	attaching   *cim.Reference // the job of an attach whose end was not seen
	unsure      bool           // an attach may still be carried out
	detachErr   error          // why the disk could not be detached
	size        int64          // of the file before this pass
	waited      bool           // another compaction was awaited since the disk was attached
	started     bool           // something was started on the host
	job         *StorageJob    // the compaction as last seen, nil before and after one
	lostSince   time.Time      // when a compaction was sent whose answer was lost
	throttle    throttle
	result      CompactResult
}

var errTimedOut = errors.New("the time for the run is over")

// Compact carries out one order. The result holds everything that was observed,
// beside an error too. Ctx ends the wait for a turn and interrupts the run: the
// job is cancelled and the disk detached before Compact returns, within a minute.
func (h *Host) Compact(ctx context.Context, order Order) (CompactResult, error) {
	order.Path = winpath.Normalize(order.Path)
	c := &compactor{host: h, order: order, mayAttached: order.LeftAttached}
	err := c.gates(ctx)
	if c.goesOn(err) || c.owesDetach(err) {
		err = c.takeTurn(ctx, err)
	}
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrInterrupted) {
		err = c.interrupted(context.Cause(ctx), err)
	}
	return c.settle(err)
}

// gates passes the gates and keeps what they found out.
func (c *compactor) gates(ctx context.Context) error {
	v, err := c.host.judge(ctx, &c.order)
	c.found = v
	if disk := v.disk; disk.Path != "" {
		size := disk.FileSizeBytes
		c.result.Format, c.result.Type, c.result.FileSizeBytes = disk.Format, disk.Type, &size
	}
	c.result.Status, c.result.Detail = v.status, v.detail
	c.result.Warnings = v.warnings
	return err
}

// goesOn reports whether the gates let the run go on.
func (c *compactor) goesOn(err error) bool { return err == nil && c.result.Status == "" }

// owesDetach reports whether a run that the gates have ended must still give back
// a disk that an earlier one left attached.
func (c *compactor) owesDetach(err error) bool {
	return c.mayAttached && !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrUnauthenticated)
}

// takeTurn waits for a turn and spends it. Machines may have been started and
// the disk may have grown during the wait, so the gates are passed again then.
// Err is how the gates ended.
func (c *compactor) takeTurn(ctx context.Context, err error) error {
	end, waited, refused := c.host.turns.take(ctx, winpath.Key(c.order.Path), func() { c.report(Progress{Phase: PhaseWaiting}) })
	if refused != nil {
		return refused
	}
	defer end()
	if c.order.Timeout > 0 {
		timed, stop := context.WithTimeoutCause(ctx, c.order.Timeout, errTimedOut)
		defer stop()
		ctx = timed
	}
	if waited && c.goesOn(err) {
		err = c.gates(ctx)
	}
	if c.goesOn(err) {
		err = c.underTurn(ctx)
	}
	return c.leave(ctx, err)
}

// underTurn is the run proper: adopt what still runs, or attach and compact.
func (c *compactor) underTurn(ctx context.Context) error {
	size := c.found.disk.FileSizeBytes
	c.result.Run = &CompactRun{StartedAt: time.Now().UTC(), Mode: c.found.mode, FileSizeBeforeBytes: &size}
	if adopted, err := c.adoptPrior(ctx); adopted || err != nil {
		return err
	}
	if c.found.attaches {
		if err := c.attach(ctx); err != nil {
			return err
		}
		c.result.Run.Attached = true
	}
	return c.passes(ctx)
}

// settle turns what happened into the status and its one sentence.
func (c *compactor) settle(err error) (CompactResult, error) {
	res := &c.result
	if !c.started {
		res.Run = nil
	}
	if res.Run != nil {
		res.Run.CompletedAt = time.Now().UTC()
	}
	res.LeftAttached = c.mayAttached
	if err == nil {
		return *res, c.settleSuccess()
	}
	res.Detail = err.Error()
	switch {
	case errors.Is(err, ErrInterrupted):
		res.Status = StatusInterrupted
	case errors.Is(err, ErrInUse) && c.order.SkipInUse && !c.mayAttached:
		res.Status, res.Run = StatusSkippedInUse, nil
		c.warn(WarnInUse, err.Error())
		err = nil
	case c.started && (errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrJobGone)):
		res.Status = StatusUnknown
	default:
		res.Status = StatusFailed
	}
	return *res, err
}

func (c *compactor) settleSuccess() error {
	res := &c.result
	if c.mayAttached {
		res.Detail = "the disk could not be detached: " + c.detachErr.Error()
		err := fmt.Errorf("the disk is not detached: %w", c.detachErr)
		if res.Run == nil || res.Run.FileSizeAfterBytes == nil {
			res.Status = StatusFailed
			return err
		}
		c.compareSizes()
		return err
	}
	if res.Run == nil {
		return nil // a gate ended the run and has set the status
	}
	if res.Run.FileSizeAfterBytes == nil {
		res.Status = StatusUnknown
		res.Detail = "the compaction completed, but the size of the file could not be read afterwards"
		return fmt.Errorf("%w: %s", ErrOutcomeUnknown, res.Detail)
	}
	c.compareSizes()
	if c.found.disk.Type == TypeDifferencing {
		res.Detail = "a differencing disk: only its own blocks were compacted, not its parent's"
	}
	return nil
}

// compareSizes tells a run that reclaimed something from one that did not.
func (c *compactor) compareSizes() {
	c.result.Status = StatusUnchanged
	if run := c.result.Run; *run.FileSizeAfterBytes < *run.FileSizeBeforeBytes {
		c.result.Status = StatusCompacted
	}
}

func (c *compactor) warn(kind WarningKind, detail string) {
	c.result.Warnings = append(c.result.Warnings, Warning{Kind: kind, Detail: detail})
}

// report passes progress on, as often as a reader wants it.
func (c *compactor) report(p Progress) {
	if c.order.OnProgress == nil || !c.throttle.lets(p) {
		return
	}
	c.order.OnProgress(p)
}
