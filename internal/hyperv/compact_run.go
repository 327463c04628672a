package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// run carries out one [Compaction].
type run struct {
	host   *Host
	order  Compaction
	disk   VHD
	gen    *generation
	mode   Mode
	mounts bool // this run attaches the disk

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
	result      Result
}

var errTimedOut = errors.New("the time for the run is over")

// Compact carries out one order. The Result holds everything that was observed,
// beside an error too. Ctx ends the wait for a turn and interrupts the run: the
// job is cancelled and the disk detached before Compact returns, within a minute.
func (h *Host) Compact(ctx context.Context, c Compaction) (Result, error) {
	c.Path = winpath.Normalize(c.Path)
	r := &run{host: h, order: c, mayAttached: c.LeftAttached}
	err := r.gates(ctx)
	if r.goesOn(err) || r.owesDetach(err) {
		err = r.takeTurn(ctx, err)
	}
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrInterrupted) {
		err = r.interrupted(context.Cause(ctx), err)
	}
	return r.settle(err)
}

// goesOn reports whether the gates let the run go on.
func (r *run) goesOn(err error) bool { return err == nil && r.result.Status == "" }

// owesDetach reports whether a run that the gates have ended must still give back
// a disk that an earlier one left attached.
func (r *run) owesDetach(err error) bool {
	return r.mayAttached && !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrUnauthenticated)
}

// takeTurn waits for a turn and spends it. Machines may have been started and
// the disk may have grown during the wait, so the gates are passed again then.
// Err is how the gates ended.
func (r *run) takeTurn(ctx context.Context, err error) error {
	end, waited, refused := r.host.turns.take(ctx, winpath.Key(r.order.Path), func() { r.report(Progress{Phase: PhaseWaiting}) })
	if refused != nil {
		return refused
	}
	defer end()
	if r.order.Timeout > 0 {
		timed, stop := context.WithTimeoutCause(ctx, r.order.Timeout, errTimedOut)
		defer stop()
		ctx = timed
	}
	if waited && r.goesOn(err) {
		err = r.gates(ctx)
	}
	if r.goesOn(err) {
		err = r.underTurn(ctx)
	}
	return r.leave(ctx, err)
}

// underTurn is the run proper: adopt what still runs, or attach and compact.
func (r *run) underTurn(ctx context.Context) error {
	size := r.disk.FileSizeBytes
	r.result.Run = &Run{StartedAt: time.Now().UTC(), Mode: r.mode, FileSizeBeforeBytes: &size}
	if adopted, err := r.adoptPrior(ctx); adopted || err != nil {
		return err
	}
	if r.mounts {
		if err := r.attach(ctx); err != nil {
			return err
		}
		r.result.Run.Mounted = true
	}
	return r.passes(ctx)
}

// settle turns what happened into the status and its one sentence.
func (r *run) settle(err error) (Result, error) {
	res := &r.result
	if !r.started {
		res.Run = nil
	}
	if res.Run != nil {
		res.Run.CompletedAt = time.Now().UTC()
	}
	res.LeftAttached = r.mayAttached
	if err == nil {
		return *res, r.settleSuccess()
	}
	res.Detail = err.Error()
	switch {
	case errors.Is(err, ErrInterrupted):
		res.Status = StatusInterrupted
	case errors.Is(err, ErrInUse) && r.order.SkipInUse && !r.mayAttached:
		res.Status, res.Run = StatusSkippedInUse, nil
		r.warn(WarnInUse, err.Error())
		err = nil
	case r.started && (errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrJobGone)):
		res.Status = StatusUnknown
	default:
		res.Status = StatusFailed
	}
	return *res, err
}

func (r *run) settleSuccess() error {
	res := &r.result
	if r.mayAttached {
		res.Detail = "the disk could not be detached: " + r.detachErr.Error()
		err := fmt.Errorf("the disk is not detached: %w", r.detachErr)
		if res.Run == nil || res.Run.FileSizeAfterBytes == nil {
			res.Status = StatusFailed
			return err
		}
		r.compareSizes()
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
	r.compareSizes()
	if r.disk.Type == TypeDifferencing {
		res.Detail = "a differencing disk: only its own blocks were compacted, not its parent's"
	}
	return nil
}

// compareSizes tells a run that reclaimed something from one that did not.
func (r *run) compareSizes() {
	r.result.Status = StatusUnchanged
	if run := r.result.Run; *run.FileSizeAfterBytes < *run.FileSizeBeforeBytes {
		r.result.Status = StatusCompacted
	}
}

func (r *run) warn(kind WarningKind, detail string) {
	r.result.Warnings = append(r.result.Warnings, Warning{Kind: kind, Detail: detail})
}

// report passes progress on, as often as a reader wants it.
func (r *run) report(p Progress) {
	if r.order.OnProgress == nil || !r.throttle.lets(p) {
		return
	}
	r.order.OnProgress(p)
}
