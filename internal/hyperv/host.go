package hyperv

import "context"

// Fleet is all the hosts that one [Config] reaches: one [Host] per name,
// however its letters are cased.
type Fleet struct{}

// NewFleet checks cfg and dials nothing.
func NewFleet(cfg Config) (*Fleet, error) { panic("contract") }

// Host returns the host of that name, always the same one.
func (f *Fleet) Host(name string) (*Host, error) { panic("contract") }

// Close drops every idle connection.
func (f *Fleet) Close() { panic("contract") }

// Host is one Hyper-V host.
type Host struct{}

// Name is the name by which the host was first asked for.
func (h *Host) Name() string { panic("contract") }

// FileSize reads the size of a disk's file in bytes: one exchange. The error is
// ErrNotFound only when the host proves that the file is absent.
func (h *Host) FileSize(ctx context.Context, path string) (int64, error) { panic("contract") }

// Inspect reads everything that the two inspection calls tell: two exchanges.
func (h *Host) Inspect(ctx context.Context, path string) (VHD, error) { panic("contract") }

// Compact carries out one order. The Result is valid beside an error too.
func (h *Host) Compact(ctx context.Context, c Compaction) (Result, error) { panic("contract") }

// Detach detaches the disk from the host if it is attached there read-only;
// one that is not attached is no error.
func (h *Host) Detach(ctx context.Context, path string) error { panic("contract") }

// Explanation is what an administrator needs to know about an error.
type Explanation struct {
	// Code is the deciding number with its meaning, for example
	// "return value 32774 (in use)"; may be empty.
	Code string
	// Hint is one sentence about what to do; empty for an unknown error.
	Hint string
	// HostWide says that every disk of this host would fail the same way.
	HostWide bool
}

// Explain finds the deciding number in err and what is known about it.
func Explain(err error) Explanation { panic("contract") }
