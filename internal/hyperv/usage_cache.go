package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The list of a host's machines is shared by all its disks.
const (
	// usageKept is how long the list is good enough to be shown, and how long a disk is assumed to
	// keep its parent.
	usageKept = 10 * time.Minute
	// usageTrusted is how long the list is good enough to start a compaction: meanwhile a clone may
	// be made and a machine saved, which the host does not report by itself.
	usageTrusted = time.Minute
)

// shown and trusted return the time before which a list is too old to be shown, or to be trusted.
func shown() time.Time   { return time.Now().Add(-usageKept) }
func trusted() time.Time { return time.Now().Add(-usageTrusted) }

// usageCache caches which machines use which disks.
type usageCache struct {
	loading chan struct{} // held while the host is being asked
	read    time.Time     // when the host was asked
	usage   *usage
	hidden  error // why the host did not show its machines, nil when it did
}

// serves reports whether the cached list needs no renewal. A refusal is kept for long, because
// rights do not change by the minute.
func (c *usageCache) serves(node string, since time.Time) bool {
	switch {
	case c.read.IsZero(), time.Since(c.read) > usageKept:
		return false
	case c.hidden != nil, c.usage.silent:
		return true
	}
	return !c.usage.seen.Before(since) && !c.isOfAnother(node)
}

// loadUsage reads which machines use which disks, or returns a list of that node that is not older
// than since: the name of a host can move to another node. A host that does not show its machines
// answers with a [hiddenError].
func (h *Host) loadUsage(ctx context.Context, node string, since time.Time) (*usage, error) {
	select {
	case h.usage.loading <- struct{}{}:
		defer func() { <-h.usage.loading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if !h.usage.serves(node, since) {
		if err := h.renewUsage(ctx); err != nil {
			return nil, err
		}
	}
	if h.usage.hidden != nil {
		return nil, &hiddenError{err: h.usage.hidden}
	}
	return h.usage.usage, nil
}

// isOfAnother reports whether the cached list was read from another node.
func (c *usageCache) isOfAnother(node string) bool {
	return node != "" && c.usage.node != "" && !sameComputer(c.usage.node, node)
}

// renewUsage caches an enumeration, or its refusal. Every other failure concerns only the caller:
// it may come from its context, and the next call may succeed.
func (h *Host) renewUsage(ctx context.Context) error {
	began := time.Now()
	u, err := h.readUsage(ctx, h.usage.usage)
	switch {
	case isMissingClass(err): // the host may be starting up
		return &hiddenError{err: err}
	case err != nil && isHidden(err) && h.usage.usage != nil: // it has told before, so this may pass
		return &hiddenError{err: err, last: h.usage.usage}
	case err != nil && !isHidden(err):
		return fmt.Errorf("list the disks of virtual machines: %w", err)
	}
	h.usage.read, h.usage.hidden = began, err
	if err == nil {
		h.usage.usage = u
	}
	return nil
}

// isHidden reports whether an enumeration ended for lack of rights.
func isHidden(err error) bool {
	return errors.Is(err, errNotListed) || errors.Is(err, ErrAccessDenied)
}

// hiddenError: the host does not let us see which machines use a disk.
type hiddenError struct {
	err error
	// last is what the host has told before, nil if it never has: consent to what is not
	// seen is none to what was.
	last *usage
}

func (e *hiddenError) Error() string { return e.err.Error() }
func (e *hiddenError) Unwrap() error { return e.err }
