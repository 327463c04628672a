package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// usageKept is how long an enumeration of the host's machines is good for. It is
// shared by all disks of the host; a run that waited longer for its turn asks
// anew, since machines are started meanwhile.
const usageKept = 10 * time.Minute

// usageCache holds which machines use which disks.
type usageCache struct {
	loading chan struct{} // held by whoever enumerates
	read    time.Time
	usage   *usage
	hidden  error // why the host did not tell, nil when it did
}

// loadUsage reads which machines use which disks, or takes what was read lately
// from that node: the name of a host can move to another one. A host that does not
// show its machines answers with a [hiddenError].
func (h *Host) loadUsage(ctx context.Context, node string) (*usage, error) {
	select {
	case h.usage.loading <- struct{}{}:
		defer func() { <-h.usage.loading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if h.usage.read.IsZero() || time.Since(h.usage.read) > usageKept || h.usage.isOfAnother(node) {
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
	return node != "" && c.hidden == nil && c.usage.node != "" && !sameComputer(c.usage.node, node)
}

// renewUsage keeps an enumeration, or that it was refused. Every other failure is
// the caller's alone: it may be one of his context, and the next may fare better.
func (h *Host) renewUsage(ctx context.Context) error {
	u, err := h.readUsage(ctx, h.usage.usage)
	switch {
	case isMissingClass(err): // the host may be starting up
		return &hiddenError{err}
	case err != nil && !isHidden(err):
		return fmt.Errorf("list the disks of virtual machines: %w", err)
	}
	h.usage.read, h.usage.hidden = time.Now(), err
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
