package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

const (
	pollInterval = 200 * time.Millisecond
	// callTimeout bounds a call that changes something. It is not cut short by an
	// interrupt: its answer tells what has to be undone.
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

// String is the outcome in numbers.
func (o outcome) String() string {
	if o.state == 0 {
		return fmt.Sprintf("return value %d", o.value)
	}
	return fmt.Sprintf("return value %d, job state %d, error code %d, completion 0x%08X", o.value, o.state, o.code, o.status)
}

// succeeded reports whether the host did what it was asked for.
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

// isFollowed reports whether the host named a job of its Hyper-V provider. Other
// things have a RequestStateChange too: 4 ends a job, and other classes stop at it.
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

// Errors of jobs.
var (
	errNoJob = errors.New("the host said that a job was started, but named none")
	errStuck = errors.New("a job of the kit has not ended")
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

// start calls a method that may start a job, and does not wait for the job.
func (k *kit) start(ctx context.Context, target cim.Reference, method string, pairs ...string) (outcome, error) {
	if err := context.Cause(ctx); err != nil {
		return outcome{}, err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer stop()
	value, out, err := k.invoke(ctx, target, method, pairs...)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{value: value, out: out, raw: k.tape.last()}
	if ref, ok := out.Value("Job").Reference(); ok {
		o.job = &ref
		if o.isFollowed() {
			k.lab.jobs = append(k.lab.jobs, ref)
		}
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

// await follows the job of an outcome to its end. Nothing more is started after
// one that did not come to its end in time.
func (k *kit) await(ctx context.Context, o *outcome) error {
	switch {
	case o.value != returnJobStarted:
		return nil
	case !o.isFollowed():
		return errNoJob
	}
	for {
		i, err := k.client.Get(ctx, *o.job)
		if err != nil {
			return k.unended(ctx, err)
		}
		if readJob(o, i); terminal(o.state) {
			return nil
		}
		if err := pause(ctx, pollInterval); err != nil {
			return k.unended(ctx, err)
		}
	}
}

// unended is the error of a wait: errStuck when its time is over.
func (k *kit) unended(ctx context.Context, err error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return err
	}
	k.lab.stuck = true
	return errStuck
}

// readJob takes over what a job says.
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
