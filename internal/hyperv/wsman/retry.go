package wsman

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	maxTries     = 3
	firstBackOff = 500 * time.Millisecond
)

// Retryable reports whether a read that failed with err may well succeed when
// it is repeated later: the connection was lost, or the host said that it was
// busy, late or restarting. It is false for an [OutcomeError], whatever its
// cause: a request that changes something is not repeated blindly.
func Retryable(err error) bool {
	var (
		outcome     *OutcomeError
		lost        *ConnectionError
		unreachable *UnreachableError
		status      *HTTPError
		fault       *Fault
	)
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &outcome):
		return false
	case errors.As(err, &lost), errors.As(err, &unreachable):
		return true
	case errors.As(err, &status):
		return status.Status == http.StatusServiceUnavailable
	case errors.As(err, &fault):
		return fault.retryable()
	}
	return false
}

// retry calls once until it succeeds, fails for good, or has been tried often
// enough. Whether to try an unreachable host again is for the caller to decide.
func retry(ctx context.Context, again func(error) bool, once func() error) error {
	backOff := firstBackOff
	for try := 1; ; try++ {
		err := once()
		var unreachable *UnreachableError
		if err == nil || try == maxTries || !again(err) || errors.As(err, &unreachable) || ctx.Err() != nil {
			return err
		}
		if !wait(ctx, backOff/2+rand.N(backOff/2)) { //nolint:gosec // jitter needs no secrecy
			return err
		}
		backOff *= 2
	}
}

// wait waits for d; it reports false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
