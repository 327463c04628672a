package conformance

import "context"

// cancelled is a compaction that was cancelled, or that the kit tried to
// cancel.
type cancelled struct {
	o      outcome
	answer uint64
	opens  bool
	err    error
}

// accepted reports whether the host agreed to cancel.
func (c *cancelled) accepted() bool { return c.answer == returnOK || c.answer == returnJobStarted }

func (k *kit) cancelOne(ctx context.Context) (*cancelled, error) {
	if k.lab.cancel == nil {
		c := &cancelled{}
		c.err = k.tryCancel(ctx, c)
		k.lab.cancel = c
	}
	return k.lab.cancel, k.lab.cancel.err
}

func (k *kit) tryCancel(ctx context.Context, c *cancelled) error {
	d, err := k.disk(ctx, k.work())
	if err != nil {
		return err
	}
	if c.o, err = k.startCompact(ctx, d.path, "0"); err != nil || !c.o.isFollowed() {
		return err
	}
	if c.answer, _, err = k.invoke(ctx, *c.o.job, "RequestStateChange", "RequestedState", "4"); err != nil {
		return err
	}
	if err := k.await(ctx, &c.o); err != nil {
		return err
	}
	c.opens, err = k.opens(ctx, d.path)
	return err
}

// whenCancelling looks at a compaction that was to be cancelled, and was running
// then.
func (k *kit) whenCancelling(ctx context.Context, look func(*cancelled) verdict) verdict {
	if !k.cancels() {
		return notTested("jobs can be cancelled from Server 2012 R2 on")
	}
	c, err := k.cancelOne(ctx)
	switch {
	case err != nil:
		return trouble(err)
	case !c.o.isFollowed():
		return notTested("the compaction had no job: %s", c.o)
	case c.o.succeeded():
		return notTested("%s", tooFast)
	}
	return look(c)
}

// whenCancelled looks at a compaction that the host agreed to cancel.
func (k *kit) whenCancelled(ctx context.Context, look func(*cancelled) verdict) verdict {
	return k.whenCancelling(ctx, func(c *cancelled) verdict {
		if !c.accepted() {
			return notTested("the host did not cancel: return value %d", c.answer)
		}
		return look(c)
	})
}

// cancels reports whether jobs are documented to be cancellable.
func (k *kit) cancels() bool {
	is, known := k.atLeast(6, 3, 0)
	return is || !known
}

func (k *kit) cancelAnswer(ctx context.Context) verdict {
	return k.whenCancelling(ctx, func(c *cancelled) verdict {
		return when(c.accepted(), "return value %d, %s", c.answer, c.o)
	})
}

func (k *kit) cancelledState(ctx context.Context) verdict {
	return k.whenCancelled(ctx, func(c *cancelled) verdict { return when(c.o.state == 8, "%s", c.o) })
}

func (k *kit) cancelledOpens(ctx context.Context) verdict {
	return k.whenCancelled(ctx, func(c *cancelled) verdict { return when(c.opens, "inspected %t", c.opens) })
}

func (k *kit) endedJob(ctx context.Context) verdict {
	if !k.cancels() {
		return notTested("jobs can be cancelled from Server 2012 R2 on")
	}
	return k.withJob(ctx, func(s *observed) verdict {
		value, _, err := k.invoke(ctx, *s.o.job, "RequestStateChange", "RequestedState", "4")
		if err != nil {
			return trouble(err)
		}
		return when(value == 4097, "return value %d", value)
	})
}
