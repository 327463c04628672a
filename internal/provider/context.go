package provider

import (
	"context"
	"time"
)

// ending is the reason why a context has ended, in words for users of
// Terraform: those of Go's own errors mean nothing to them.
type ending struct {
	text string
	is   error // context.Canceled or context.DeadlineExceeded
}

func (e *ending) Error() string        { return e.text }
func (e *ending) Is(target error) bool { return target == e.is }

var errStopped = &ending{"Terraform was told to stop", context.Canceled}

// stoppable returns a context that ends with ctx; its error then says that Terraform was told to
// stop.
func stoppable(ctx context.Context) (context.Context, func()) {
	told, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	release := context.AfterFunc(ctx, func() { cancel(errStopped) })
	return told, func() {
		release()
		cancel(errStopped)
	}
}

// bounded is stoppable with a time limit; its error then names the setting that the limit comes
// from.
func bounded(ctx context.Context, limit time.Duration, setting string) (context.Context, func()) {
	told, release := stoppable(ctx)
	timed, stop := context.WithTimeoutCause(told, limit,
		&ending{"the time limit of " + setting + " (" + limit.String() + ") is over", context.DeadlineExceeded})
	return timed, func() {
		stop()
		release()
	}
}
