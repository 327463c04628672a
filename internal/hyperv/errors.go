package hyperv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Sentinels classify errors; reach them with [errors.Is]. The errors of this
// package carry the codes behind them, see [Explain].
var (
	// ErrNotFound: the file is proven to be absent, because its directory
	// answers.
	ErrNotFound = errors.New("file not found")
	// ErrPathNotFound: the host does not find the path, and that proves nothing
	// about the file: its volume may be offline.
	ErrPathNotFound = errors.New("path not found")
	// ErrNoMachine: the host has no virtual machine of that name.
	ErrNoMachine = errors.New("no such virtual machine")
	// ErrInUse: something else has the disk open.
	ErrInUse = errors.New("in use")
	// ErrDependedOn: others depend on the disk for good: linked clones, other
	// children, a replica.
	ErrDependedOn = errors.New("depended on")
	// ErrUnseen: it cannot be seen which machines or disks use the disk or
	// depend on it.
	ErrUnseen = errors.New("users not seen")
	// ErrAccessDenied: the account is authenticated, but lacks the right.
	ErrAccessDenied = errors.New("access denied")
	// ErrUnreachable: no connection could be made, so nothing was asked.
	ErrUnreachable = errors.New("unreachable")
	// ErrUnauthenticated: the host refused the credentials.
	ErrUnauthenticated = errors.New("credentials refused")
	// ErrNotSupported: this disk or this host does not support the request.
	ErrNotSupported = errors.New("not supported")
	// ErrNoHyperV: the host serves neither generation of the Hyper-V provider.
	ErrNoHyperV = errors.New("no Hyper-V role")
	// ErrOutcomeUnknown: a request or a job was lost, so the host may have acted.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrInterrupted: the run was cancelled or timed out.
	ErrInterrupted = errors.New("interrupted")
	// ErrJobGone: the host has no record of the job, which proves nothing about
	// its outcome.
	ErrJobGone = errors.New("job gone")
)

// errHostFindsNothing: the host says that it does not find the file. Only its
// directory can prove that the file, and not the volume, is absent.
var errHostFindsNothing = errors.New("the host does not find the file")

// MethodError is a return value other than success.
type MethodError struct {
	Class, Method string
	ReturnValue   uint32
}

// Error implements error.
func (e *MethodError) Error() string {
	return fmt.Sprintf("%s of %s: %s", e.Method, e.Class, describe(KindReturnValue, returnValues, e.ReturnValue))
}

// Is reports whether the return value stands for the sentinel target.
func (e *MethodError) Is(target error) bool {
	return standsFor(returnValues, e.ReturnValue, target)
}

// JobError is a storage job that did not succeed. Decisions go by its numbers;
// the text comes from the host, in the host's language.
type JobError struct {
	JobID string
	State JobState
	// ErrorCode is one of the return values, 0 when the host gave none.
	ErrorCode uint32
	// CompletionStatus is an HRESULT, 0 when the host gave none.
	CompletionStatus uint32
	Description      string
}

// Error implements error.
func (e *JobError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "job %s ended as %s", e.JobID, e.State)
	if e.ErrorCode != 0 {
		b.WriteString("; error code: " + describe(KindReturnValue, returnValues, e.ErrorCode))
	}
	if e.CompletionStatus != 0 {
		b.WriteString("; completion status: " + describe(KindHRESULT, hresults, e.CompletionStatus))
	}
	if text := strings.TrimSpace(e.Description); text != "" {
		b.WriteString("; the host says: " + text)
	}
	return b.String()
}

// Is reports whether one of the numbers stands for the sentinel target.
func (e *JobError) Is(target error) bool {
	return standsFor(hresults, e.CompletionStatus, target) || standsFor(returnValues, e.ErrorCode, target)
}

// classified gives an error of the wire the sentinel that it stands for.
type classified struct {
	err  error
	kind error
}

func (e *classified) Error() string   { return e.err.Error() }
func (e *classified) Unwrap() []error { return []error{e.err, e.kind} }

// together joins errors as [errors.Join] does, on one line: a line break in a text may be one that
// the host has put there, so a caller cannot tell it from ours.
func together(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return &joinedError{errs}
}

type joinedError struct{ errs []error }

func (e *joinedError) Error() string {
	var texts []string
	for _, err := range e.errs {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func (e *joinedError) Unwrap() []error { return e.errs }

func standsFor(list []Code, number uint32, target error) bool {
	c, ok := lookUp(list, number)
	return ok && c.class != nil && c.class == target //nolint:errorlint // identity of a sentinel is the question
}

func describe(kind CodeKind, list []Code, number uint32) string {
	if c, ok := lookUp(list, number); ok {
		return c.String()
	}
	return Code{Kind: kind, Number: number, Meaning: "unknown"}.String()
}
