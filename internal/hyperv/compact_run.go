package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// compactor carries out one [Order].
type compactor struct {
	host       *Host
	order      Order
	found      verdict // what the gates found out
	attachment attachment
	holder     holderWatch          // of the borrowed attachment that is watched
	pending    *pending             // a compaction of this run whose end was not seen
	ours       map[string]bool      // the jobs that are, or may be, compactions of this run, by id
	ranBeside  map[string]bool      // the jobs of others that were seen running before our detach, by id
	ended      map[string]time.Time // when jobs that are not ours were first seen to have ended, by id
	refused    time.Time            // when the disk was first refused as in use, zero when it is not
	size       int64                // of the file before this pass, in bytes
	priorEnded bool                 // the job of an earlier run does not run any more
	started    bool                 // the host may have attached or compacted for this run
	throttle   throttle
	warnings   []Warning // of the run, in addition to those of the gates
	result     CompactResult
}

var errTimedOut = errors.New("the time for the run is over")

// Compact carries out one order. The result holds everything that was observed, even with an error.
// The end of ctx ends the wait for a turn and interrupts the run: the job is cancelled and the disk
// detached before Compact returns, within a minute.
func (h *Host) Compact(ctx context.Context, order Order) (CompactResult, error) {
	order.Path = winpath.Normalize(order.Path)
	c := &compactor{host: h, order: order, attachment: attachmentOf(&order)}
	err := c.gates(ctx)
	if c.goesOn(err) || c.owes(err) {
		err = c.takeTurn(ctx, err)
	}
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrInterrupted) {
		err = interrupted(context.Cause(ctx), err)
	}
	err = c.settle(err)
	c.result.Warnings = append(c.found.warnings, c.warnings...)
	return c.result, err
}

// gates passes the gates and keeps what they found out.
func (c *compactor) gates(ctx context.Context) error {
	v, err := c.host.judge(ctx, &c.order)
	c.found = v
	if disk := v.disk; disk.Path != "" {
		size := disk.FileSizeBytes
		c.result.Format, c.result.Type, c.result.FileSizeBytes = disk.Format, disk.Type, &size
		c.result.VirtualDiskID = disk.VirtualDiskID
	}
	c.result.Node = v.node
	c.result.Status, c.result.Detail = v.status, v.detail
	return err
}

// goesOn reports whether the gates let the run go on.
func (c *compactor) goesOn(err error) bool { return err == nil && c.result.Status == "" }

// owes reports whether a run that the gates have ended still has to settle
// something that an earlier run left: an attachment, or a job that keeps the
// disk in use.
func (c *compactor) owes(err error) bool {
	if errors.Is(err, ErrUnreachable) || errors.Is(err, ErrUnauthenticated) {
		return false
	}
	return c.attachment.left() || c.order.PriorJobID != "" && errors.Is(err, ErrInUse)
}

// takeTurn waits for a turn and runs in it. The parameter err is the error with which the gates
// ended.
func (c *compactor) takeTurn(ctx context.Context, err error) error {
	end, refused := c.host.turns.take(ctx, winpath.Key(c.order.Path), func() {
		c.found.at = time.Time{} // the gates are to be passed again after the wait
		c.report(Progress{Phase: PhaseWaiting})
	})
	if refused != nil {
		return refused
	}
	defer end()
	if c.order.Timeout > 0 {
		timed, stop := context.WithTimeoutCause(ctx, c.order.Timeout, errTimedOut)
		defer stop()
		ctx = timed
	}
	err = c.underTurn(ctx, err)
	return c.leave(ctx, err)
}

// underTurn is the run proper. A job of an earlier run is awaited first, and the gates are then
// passed again: the disk that it compacted is smaller, and no longer in use.
func (c *compactor) underTurn(ctx context.Context, err error) error {
	followed, jobErr := c.followPrior(ctx)
	if jobErr != nil {
		return jobErr
	}
	if followed {
		err = c.gates(ctx)
	}
	if !c.goesOn(err) {
		return err
	}
	ctx = c.onNode(ctx)
	c.result.Run = &CompactRun{StartedAt: time.Now().UTC(), Mode: c.found.mode}
	return c.passes(ctx)
}

// onNode returns a context under which only the node that passed the gates is
// asked: the name of a host can move to another node.
func (c *compactor) onNode(ctx context.Context) context.Context { return onNode(ctx, c.found.node) }

// followPrior follows the job of an earlier run, whose end was not seen, to its end. It is not a
// pass of this run: the space that it reclaimed is accounted for in the size that the gates read
// afterwards.
func (c *compactor) followPrior(ctx context.Context) (followed bool, err error) {
	ctx = c.onNode(ctx)
	job, err := c.priorJob(ctx)
	if err != nil || job == nil {
		return false, err
	}
	c.host.jobs.note(job.ID, c.order.Path)
	c.warn(WarnAwaited, "Job "+job.ID+" of the last run was still running; its end was awaited before the disk was compacted.")
	if err := c.host.awaitEnds(ctx, []StorageJob{*job}, c.reportWait); err != nil {
		return true, err
	}
	c.priorEnded = true
	return true, nil
}

// priorJob returns the job of an earlier run if it still runs on this node, else nil.
func (c *compactor) priorJob(ctx context.Context) (*StorageJob, error) {
	id := c.order.PriorJobID
	if id == "" || c.found.gen == nil || !sameNode(c.order.PriorNode, c.found.node) {
		return nil, nil //nolint:nilnil // no job is an answer, not an error
	}
	job, err := c.host.getJob(ctx, c.found.gen.storageJob(id))
	gone := errors.Is(err, ErrJobGone)
	switch {
	case err != nil && !gone:
		return nil, fmt.Errorf("look for job %s of the last run: %w", id, err)
	case gone || !job.mayCompact() || job.State.Terminal():
		c.priorEnded = true
		return nil, nil //nolint:nilnil // no job is an answer, not an error
	}
	return &job, nil
}

func (c *compactor) warn(kind WarningKind, detail string) {
	c.warnings = append(c.warnings, Warning{Kind: kind, Detail: detail})
}

// reportWait reports a job of an earlier run, or one that may be ours.
func (c *compactor) reportWait(j StorageJob) {
	c.report(Progress{Phase: PhaseWaiting, Percent: j.Percent, JobID: j.ID})
}

// report passes on progress, throttled to what is worth a line.
func (c *compactor) report(p Progress) {
	if c.order.OnProgress == nil || !c.throttle.lets(p) {
		return
	}
	c.order.OnProgress(p)
}
