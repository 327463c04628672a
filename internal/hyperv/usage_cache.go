package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What the host has told of its machines is shared by all its disks.
const (
	// usageKept is how long it is good enough to be shown, and for how long a disk
	// keeps the parent that it had.
	usageKept = 10 * time.Minute
	// usageTrusted is how long it is good enough to start a compaction: a clone may
	// be made and a machine saved meanwhile, of which the host says nothing by itself.
	usageTrusted = time.Minute
)

// shown and trusted are how old what a host has told may be at the most.
func shown() time.Time   { return time.Now().Add(-usageKept) }
func trusted() time.Time { return time.Now().Add(-usageTrusted) }

// usageCache holds which machines use which disks.
type usageCache struct {
	loading chan struct{} // held by whoever enumerates
	read    time.Time     // when the host was asked
	usage   *usage
	hidden  error // why the host did not tell, nil when it did
}

// serves reports whether what is kept needs no renewal. A refusal is good for long:
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

// loadUsage reads which machines use which disks, or takes what that node has told
// since then: the name of a host can move to another one. A host that does not
// show its machines answers with a [hiddenError].
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
		return nil, &hiddenError{h.usage.hidden}
	}
	return h.usage.usage, nil
}

// isOfAnother reports whether what is kept was read from another node.
func (c *usageCache) isOfAnother(node string) bool {
	return node != "" && c.usage.node != "" && !sameComputer(c.usage.node, node)
}

// renewUsage keeps an enumeration, or that it was refused. Every other failure is
// the caller's alone: it may be one of his context, and the next may fare better.
func (h *Host) renewUsage(ctx context.Context) error {
	began := time.Now()
	u, err := h.readUsage(ctx, h.usage.usage)
	switch {
	case isMissingClass(err): // the host may be starting up
		return &hiddenError{err}
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
type hiddenError struct{ err error }

func (e *hiddenError) Error() string { return e.err.Error() }
func (e *hiddenError) Unwrap() error { return e.err }
