package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const (
	pollInterval = 200 * time.Millisecond
	// callTimeout bounds a call that changes something. It is not cut short by an interrupt: its
	// answer shows what has to be undone.
	callTimeout = time.Minute
)

// Return values and job states on which the kit itself decides.
const (
	returnOK         = 0
	returnJobStarted = 4096

	jobCompleted = 7
	jobWarnings  = 32768
)

// outcome is how a method call ended, with its job if there was one.
type outcome struct {
	value  uint64
	job    *cim.Reference // as the host named it, see isFollowed
	state  uint64         // of the job; 0 without one
	code   uint64         // ErrorCode
	status uint32         // JobCompletionStatusCode
	last   *cim.Instance
	out    *cim.Instance // of the call
	raw    string        // the answer to the call
}

// String describes the outcome in numbers.
func (o outcome) String() string {
	if o.state == 0 {
		return fmt.Sprintf("return value %d", o.value)
	}
	return fmt.Sprintf("return value %d, job state %d, error code %d, completion 0x%08X", o.value, o.state, o.code, o.status)
}

// succeeded reports whether the host did what was asked for.
func (o outcome) succeeded() bool {
	return o.value == returnOK || o.value == returnJobStarted && (o.state == jobCompleted || o.state == jobWarnings)
}

// refused reports whether the host refused with the value, or by a job that
// failed with the value or the status.
func (o outcome) refused(value uint64, status uint32) bool {
	if o.value != returnJobStarted {
		return o.value == value
	}
	return !o.succeeded() && terminal(o.state) && (o.code == value || o.status == status)
}

// settled reports whether the call has no further consequences: it was carried
// out or refused, by a value that is documented.
func (o outcome) settled() bool {
	return o.succeeded() || terminal(o.state) || o.value >= 32768 && o.value < 33000
}

// isFollowed reports whether the host named a job of its Hyper-V provider. Other classes have a
// RequestStateChange too: the state 4 ends a job, and stops instances of other classes.
func (o outcome) isFollowed() bool {
	if o.value != returnJobStarted || o.job == nil {
		return false
	}
	namespace, class, ok := cim.SplitResourceURI(o.job.ResourceURI)
	_, named := o.job.Selector("InstanceID")
	return ok && named && len(o.job.Selectors) == 1 && isVirtualization(namespace) && strings.HasSuffix(strings.ToLower(class), "job")
}

func isVirtualization(namespace string) bool {
	return strings.EqualFold(namespace, cim.NamespaceVirtualizationV2) || strings.EqualFold(namespace, cim.NamespaceVirtualizationV1)
}

// Errors after which it is unknown what the host is doing. A check that is made then could meet the
// consequences of the one before.
var (
	errLost    = errors.New("the answer to a call was lost")
	errUnknown = errors.New("a call was answered with a return value that is not documented")
	errNoJob   = errors.New("the host said that a job was started, but named none")
	errGone    = errors.New("a job could not be followed to its end")
	errStuck   = errors.New("a job has not ended")
)

func terminal(state uint64) bool {
	switch state {
	case jobCompleted, 8, 9, 10, jobWarnings:
		return true
	}
	return false
}

// valueError is a return value that a check cannot go on with.
type valueError struct {
	method string
	value  uint64
}

// Error implements error.
func (e *valueError) Error() string { return fmt.Sprintf("%s returned %d", e.method, e.value) }

// mayStart refuses to change more once it is not known what the host is doing.
func (k *kit) mayStart(ctx context.Context) error {
	if k.lab.astray != nil {
		return &astrayError{k.lab.astray}
	}
	return context.Cause(ctx)
}

// astrayError says why nothing more is started.
type astrayError struct{ err error }

// Error implements error.
func (e *astrayError) Error() string { return "nothing more was started: " + e.err.Error() }

// start calls a method that may start a job, and does not wait for the job.
func (k *kit) start(ctx context.Context, target cim.Reference, method string, pairs ...string) (outcome, error) {
	if err := context.Cause(ctx); err != nil {
		return outcome{}, err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer stop()
	value, out, err := k.invoke(ctx, target, method, pairs...)
	if err != nil {
		_, open := errors.AsType[*wsman.OutcomeError](err)
		_, unread := errors.AsType[*wsman.DecodeError](err)
		if open || unread {
			k.lab.astray = errLost
		}
		return outcome{}, err
	}
	o := outcome{value: value, out: out, raw: k.tape.last()}
	if ref, ok := out.Value("Job").Reference(); ok {
		o.job = &ref
	}
	switch {
	case o.isFollowed():
		k.lab.jobs = append(k.lab.jobs, *o.job)
	case value == returnJobStarted:
		k.lab.astray = errNoJob
	case !o.settled():
		k.lab.astray = errUnknown
	}
	return o, nil
}

// call calls a method and waits for its job.
func (k *kit) call(ctx context.Context, target cim.Reference, method string, pairs ...string) (outcome, error) {
	o, err := k.start(ctx, target, method, pairs...)
	if err != nil {
		return o, err
	}
	err = k.await(ctx, &o)
	return o, err
}

// await follows the job of an outcome to its end.
func (k *kit) await(ctx context.Context, o *outcome) error {
	switch {
	case o.value != returnJobStarted:
		return nil
	case !o.isFollowed():
		return errNoJob
	}
	for {
		i, err := k.client.Get(ctx, *o.job)
		if err == nil {
			if readJob(o, i); terminal(o.state) {
				return nil
			}
			err = pause(ctx, pollInterval)
		}
		switch {
		case err == nil:
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			k.lab.astray = errStuck
			return errStuck
		default:
			k.lab.astray = errGone
			return err
		}
	}
}

// readJob copies the properties of a job into an outcome.
func readJob(o *outcome, i *cim.Instance) {
	o.last = i
	o.state, _, _ = i.Uint("JobState", 16)
	o.code, _, _ = i.Uint("ErrorCode", 32)
	status, _, _ := i.Uint("JobCompletionStatusCode", 32)
	o.status = uint32(status) //nolint:gosec // 32 bits were parsed
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
