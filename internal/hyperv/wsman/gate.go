package wsman

import (
	"context"
	"sync"
	"time"
)

// gate lets an operation begin once the known facts allow it. The facts, and
// the rule, belong to the type that embeds the gate; the gate does the waiting.
type gate struct {
	mu      sync.Mutex
	changed chan struct{} // closed at the next change; nil while no operation waits
}

// verdict is the answer to an operation at a gate: enter, fail with an error,
// or wait for a change, at most until a time if there is one.
type verdict struct {
	enter   bool
	refused error
	until   time.Time
}

// wait asks until the operation may enter or is refused. The function ask is
// called under the lock and notes the operations that enter.
func (g *gate) wait(ctx context.Context, ask func(now time.Time) verdict) error {
	for {
		v, changed := g.ask(ask)
		if v.enter || v.refused != nil {
			return v.refused
		}
		if err := sleep(ctx, changed, v.until); err != nil {
			return err
		}
	}
}

func (g *gate) ask(ask func(now time.Time) verdict) (verdict, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return ask(time.Now()), g.changed
}

// change notes a fact and lets all operations that wait ask again.
func (g *gate) change(note func(now time.Time)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	note(time.Now())
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// sleep waits for a change, for a time if it is not zero, or for the end of ctx,
// whose cause it returns.
func sleep(ctx context.Context, changed <-chan struct{}, until time.Time) error {
	var timeout <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-changed:
	case <-timeout:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
