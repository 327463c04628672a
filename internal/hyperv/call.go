package hyperv

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// Errors of the wire that this package distinguishes in addition to its
// sentinels.
var (
	// errObjectGone: the addressed instance does not exist.
	errObjectGone = errors.New("no such object")
	// errLogonLater: the account was rejected, and is tried again later.
	errLogonLater = errors.New("the logon is tried again later")
	// errTransient: the host may answer the same request at another time.
	errTransient = errors.New("the host cannot answer now")
)

// get reads one instance.
func (h *Host) get(ctx context.Context, ref cim.Reference) (*cim.Instance, error) {
	i, err := h.client.Get(ctx, ref, options(ctx)...)
	if err != nil {
		return nil, classify(ctx, err)
	}
	return i, nil
}

// enumerate reads all instances of a class.
func (h *Host) enumerate(ctx context.Context, classURI string) ([]*cim.Instance, error) {
	var all []*cim.Instance
	for i, err := range h.client.Enumerate(ctx, wsman.Enumeration{ResourceURI: classURI}, options(ctx)...) {
		if err != nil {
			return nil, classify(ctx, err)
		}
		all = append(all, i)
	}
	return all, nil
}

// method is one call of a WMI method.
type method struct {
	target cim.Reference
	name   string
	params []wsman.Param // in the order of the MOF
	reads  bool          // changes nothing on the host, so it may be sent twice
	// jobless: the return value "job started" comes without a job, as for
	// RequestStateChange of a job.
	jobless bool
}

// invoke calls a method. It returns the out parameters, the return value and,
// when the host started one, the job. Every return value but "completed" and
// "job started" is a MethodError.
func (h *Host) invoke(ctx context.Context, m method) (out *cim.Instance, job *cim.Reference, err error) {
	out, err = h.client.Invoke(ctx, wsman.Invocation{Target: m.target, Method: m.name, Params: m.params, ReadOnly: m.reads}, options(ctx)...)
	if err != nil {
		return nil, nil, classify(ctx, err)
	}
	value, err := readReturnValue(out)
	if err != nil {
		// An answer that cannot be read does not show what was done.
		return nil, nil, &classified{err: fmt.Errorf("%s: return value: %w", m.name, err), kind: ErrOutcomeUnknown}
	}
	switch value {
	case returnCompleted:
		return out, nil, nil
	case returnJobStarted:
		ref, ok := out.Value("Job").Reference()
		if m.jobless {
			return out, nil, nil
		}
		if !ok {
			return nil, nil, &classified{err: fmt.Errorf("%s: %w", m.name, errJobUnnamed), kind: ErrOutcomeUnknown}
		}
		return out, &ref, nil
	}
	_, class, _ := cim.SplitResourceURI(m.target.ResourceURI)
	return out, nil, &MethodError{Class: class, Method: m.name, ReturnValue: value}
}

func readReturnValue(out *cim.Instance) (uint32, error) {
	value, ok, err := out.Uint("ReturnValue", 32)
	if err == nil && !ok {
		err = errors.New("the answer has none")
	}
	return uint32(value), err //nolint:gosec // 32 bits were parsed
}

// params builds the parameters of a method from pairs of a name and a text, in
// this order.
func params(pairs ...[2]string) []wsman.Param {
	list := make([]wsman.Param, 0, len(pairs))
	for _, p := range pairs {
		list = append(list, wsman.Param{Name: p[0], Value: cim.Text(p[1])})
	}
	return list
}
