package hyperv

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// nsAddressing is the namespace of WS-Addressing 2004/08, whose subcode
// DestinationUnreachable says that an instance or class does not exist.
const nsAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"

// classify gives an error of the WS-Management client the sentinels of this
// package. The error of a wait that its context ended keeps the cause of that
// context.
func classify(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = together(cause, err)
	}
	for _, kind := range kinds(err) {
		err = &classified{err: err, kind: kind}
	}
	return err
}

func kinds(err error) []error {
	var found []error
	var (
		unreachable *wsman.UnreachableError
		secured     *wsman.TLSError
		auth        *wsman.AuthError
		outcome     *wsman.OutcomeError
		garbled     *wsman.DecodeError
		status      *wsman.HTTPError
		fault       *wsman.Fault
		node        *wsman.NodeError
	)
	switch {
	case errors.As(err, &node): // nothing went out
		return []error{errOtherNode, errTransient}
	// This case comes first: whatever the cause is, the request may have been
	// carried out.
	case errors.As(err, &outcome):
		found = append(found, ErrOutcomeUnknown)
	case errors.As(err, &auth):
		found = append(found, ErrUnauthenticated)
		if !auth.Again.IsZero() {
			found = append(found, errLogonLater)
		}
	case errors.As(err, &secured):
	case errors.As(err, &unreachable):
		found = append(found, ErrUnreachable)
	case errors.As(err, &garbled):
		found = append(found, ErrOutcomeUnknown)
	case errors.As(err, &status):
		found = append(found, statusKinds(status.Status)...)
	case errors.As(err, &fault):
		found = append(found, faultKinds(fault)...)
	}
	if _, unsent := errors.AsType[*wsman.ConfirmError](err); unsent {
		found = slices.DeleteFunc(found, func(kind error) bool { return kind == ErrOutcomeUnknown }) //nolint:errorlint // a sentinel itself
	}
	if wsman.Retryable(err) {
		found = append(found, errTransient)
	}
	return found
}

// statusKinds classifies answers without a fault. A host that fails without a
// reason may have acted; 503 comes from http.sys in place of WinRM.
func statusKinds(status int) []error {
	if status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable {
		return []error{ErrOutcomeUnknown}
	}
	return nil
}

func faultKinds(f *wsman.Fault) []error {
	var found []error
	if slices.ContainsFunc([]uint32{faultResourceNotFound, faultNotFound}, f.Has) ||
		(len(f.Codes) == 0 && f.IsSubcode(nsAddressing, "DestinationUnreachable")) {
		found = append(found, errObjectGone)
	}
	for _, number := range f.Codes {
		for _, list := range [...][]Code{faultCodes, hresults} {
			if c, ok := lookUp(list, number); ok && c.class != nil {
				found = append(found, c.class)
			}
		}
	}
	if len(found) == 0 && !f.Refused() {
		found = append(found, ErrOutcomeUnknown)
	}
	return found
}

// refused reports whether err, which a request that changes something failed
// with, proves that the host has not carried it out and that nothing of it runs.
func refused(err error) bool {
	m, ok := errors.AsType[*MethodError](err)
	return ok && m.Refused() || wsman.Refused(err)
}

// isMissingClass reports whether a host answered that the namespace or the
// class does not exist. That is the answer of a host that lacks a generation of
// the Hyper-V provider.
//
// Unverified on a real host (missing-namespace-codes): which of these codes an Invoke on a
// namespace that does not exist gives. All of them say that the class cannot be addressed.
func isMissingClass(err error) bool {
	var f *wsman.Fault
	if !errors.As(err, &f) {
		return false
	}
	for _, number := range [...]uint32{faultInvalidNamespace, faultInvalidClass, faultResourceNotFound, faultInvalidResource, faultCannotFilter} {
		if f.Has(number) {
			return true
		}
	}
	return len(f.Codes) == 0 && f.IsSubcode(nsAddressing, "DestinationUnreachable")
}

// isAnswer reports whether err, or its absence, is an answer of the method
// itself: the class exists.
func isAnswer(err error) bool {
	var m *MethodError
	var j *JobError
	return err == nil || errors.As(err, &m) || errors.As(err, &j)
}

// isMissingMethod reports whether a host answered that the class has no such
// method: its version of Windows is older than the method.
//
// Unverified on a real host (missing-method-codes): which of these codes a missing method gives.
func isMissingMethod(err error) bool {
	var f *wsman.Fault
	if !errors.As(err, &f) {
		return false
	}
	return slices.ContainsFunc([]uint32{faultInvalidMethod, faultInvalidParameters, faultSchema, faultActionUnsupported}, f.Has)
}

// answeredWith reports whether err is the return value of a method.
func answeredWith(err error, value uint32) bool {
	var m *MethodError
	return errors.As(err, &m) && m.ReturnValue == value
}
