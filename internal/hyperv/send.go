package hyperv

import (
	"context"
	"errors"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// outcome is what is known of a request that changes something.
type outcome int

const (
	// outcomeRefused: it is proven that the host did not carry it out and that
	// nothing of it is running.
	outcomeRefused outcome = iota
	// outcomeAccepted: an answer of the host says that it is being, or has
	// been, carried out.
	outcomeAccepted
	// outcomeUnknown: neither is known, so it may be running, or begin later.
	outcomeUnknown
)

// errJobUnnamed: the host started a job and did not name it.
var errJobUnnamed = errors.New("a job was started, but not named")

// sendOnce sends a request that changes something, once, and classifies the
// outcome. All such requests go through here. The request may outlive an
// interrupt for a moment, because its answer shows what was started; it is not
// sent after an interrupt. An accepted request returns its job, or none if the
// host completed it at once, or errJobUnnamed.
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
