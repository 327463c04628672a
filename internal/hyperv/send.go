package hyperv

import (
	"context"
	"errors"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// outcome is what is known of a request that changes something.
type outcome int

const (
	// outcomeRefused: it is proven that nothing of it is running on the host.
	outcomeRefused outcome = iota
	// outcomeAccepted: an answer of the host says that it is carried out.
	outcomeAccepted
	// outcomeUnknown: neither is known, so it may be running, or begin later.
	outcomeUnknown
)

// errJobUnnamed: the host started a job and did not say which.
var errJobUnnamed = errors.New("a job was started, but not named")

// sendOnce sends a request that changes something, once, and sorts what came of
// it. All such requests go through here. The request may outlive an interrupt
// for a moment, since its answer tells what was started; it is not sent after
// one. An accepted request comes with its job, or with none when the host was
// done at once, or with errJobUnnamed.
func (h *Host) sendOnce(ctx context.Context, m method) (job *cim.Reference, o outcome, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, outcomeRefused, err
	}
	sending, stop := lingering(ctx, invokeGrace)
	defer stop()
	_, job, err = h.invoke(sending, m)
	switch {
	case err == nil, errors.Is(err, errJobUnnamed):
		return job, outcomeAccepted, err
	case refused(err):
		return nil, outcomeRefused, err
	}
	return nil, outcomeUnknown, err
}
