package wsman

import (
	"context"
	"time"
)

// unreachableFor is how long a host that never answered counts as unreachable
// without being asked again: it costs one time-out, not one for each of its disks.
const unreachableFor = 30 * time.Second

// reach lets dials begin. Until one has succeeded they go one at a time, and
// one failure answers all dials that wait or soon follow.
type reach struct {
	gate

	reached bool
	dialing bool // a dial that goes alone is under way
	failed  error
	until   time.Time // when the failure no longer counts
}

// enter waits until a dial may begin; settle notes how it ended.
func (r *reach) enter(ctx context.Context) (settle func(error), err error) {
	alone := false
	err = r.wait(ctx, func(now time.Time) verdict {
		switch {
		case r.reached:
			return verdict{enter: true}
		case r.failed != nil && !now.After(r.until):
			return verdict{refused: r.failed}
		case r.dialing:
			return verdict{}
		}
		alone, r.dialing = true, true
		return verdict{enter: true}
	})
	return func(err error) { r.settle(alone, err) }, err
}

func (r *reach) settle(alone bool, err error) {
	r.change(func(now time.Time) {
		if alone {
			r.dialing = false
		}
		switch e := err.(type) { //nolint:errorlint // made by connect, never wrapped
		case nil:
			r.reached, r.failed = true, nil
		case *UnreachableError:
			if !r.reached {
				r.failed, r.until = e, now.Add(unreachableFor)
			}
		}
	})
}
