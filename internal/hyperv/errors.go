package hyperv

import "errors"

// Sentinels classify errors; reach them with [errors.Is]. The errors of this
// package carry the codes behind them, see [Explain].
var (
	// ErrNotFound: the file is proven to be absent, its directory answers.
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
	// ErrUnseen: who uses the disk or depends on it cannot be told.
	ErrUnseen = errors.New("users not seen")
	// ErrAccessDenied: authenticated, but not allowed.
	ErrAccessDenied = errors.New("access denied")
	// ErrUnreachable: no connection could be made, so nothing was asked.
	ErrUnreachable = errors.New("unreachable")
	// ErrUnauthenticated: the host refused the credentials.
	ErrUnauthenticated = errors.New("credentials refused")
	// ErrNotSupported: this disk or this host cannot do it.
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
