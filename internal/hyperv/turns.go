package hyperv

import (
	"context"
	"slices"
	"sync"
)

// turns hands out the right to run: a limited number at once, never two for one
// disk, in order of arrival. A waiter whose disk is busy lets later ones pass.
type turns struct {
	limit int

	mu      sync.Mutex
	running map[string]bool // by disk key
	queue   []*turnWaiter
}

type turnWaiter struct {
	disk  string
	ready chan struct{}
}

func newTurns(limit int) *turns {
	return &turns{limit: max(limit, 1), running: map[string]bool{}}
}

// take waits for a turn for disk. The returned function ends the turn. The
// function queued is called before the wait, if the turn is not free at once.
func (t *turns) take(ctx context.Context, disk string, queued func()) (done func(), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	t.mu.Lock()
	w := &turnWaiter{disk: disk, ready: make(chan struct{})}
	t.queue = append(t.queue, w)
	t.admit()
	waits := slices.Contains(t.queue, w)
	t.mu.Unlock()
	if waits {
		queued()
	}

	select {
	case <-w.ready:
		return t.release(disk), nil
	case <-ctx.Done():
		return nil, t.leave(ctx, w)
	}
}

// leave takes a waiter out of the queue; a turn that it was given meanwhile is
// handed on.
func (t *turns) leave(ctx context.Context, w *turnWaiter) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.queue, w); i >= 0 {
		t.queue = slices.Delete(t.queue, i, i+1)
	} else {
		delete(t.running, w.disk)
		t.admit()
	}
	return context.Cause(ctx)
}

func (t *turns) release(disk string) func() {
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.running, disk)
		t.admit()
	})
}

// admit gives a turn to every waiter that may run now. The caller holds the
// lock.
func (t *turns) admit() {
	t.queue = slices.DeleteFunc(t.queue, func(w *turnWaiter) bool {
		if len(t.running) >= t.limit || t.running[w.disk] {
			return false
		}
		t.running[w.disk] = true
		close(w.ready)
		return true
	})
}
