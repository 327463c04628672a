package hyperv

import (
	"context"
	"errors"
	"time"
)

const (
	// interruptBudget bounds all work after a run was interrupted or timed out:
	// the calling program waits for that, but after a second signal it does
	// not.
	interruptBudget = time.Minute
	// invokeGrace is how long the answer to a request that starts something is
	// awaited after its run was interrupted. An answer that names the job is
	// worth the seconds.
	invokeGrace = 5 * time.Second
)

var errBudgetSpent = errors.New("the time for cleaning up is spent")

// lingering returns a context that outlives ctx by at most d.
func lingering(ctx context.Context, d time.Duration) (context.Context, func()) {
	long, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(errBudgetSpent)
		case <-long.Done():
		}
	})
	return long, func() {
		stop()
		cancel(context.Canceled)
	}
}

// cleaning returns the context for the work that puts the host in order after a
// run: it lasts for budget, or for a minute at most after an interrupt, less
// reserve.
func cleaning(ctx context.Context, budget, reserve time.Duration) (context.Context, func()) {
	long, release := lingering(ctx, min(interruptBudget, budget)-reserve)
	long, stop := context.WithTimeoutCause(long, budget-reserve, errBudgetSpent)
	return long, func() {
		stop()
		release()
	}
}
