package hyperv

import "time"

// Status says how a run ended, or why there was none.
type Status string

// Every status that a disk can have in state.
const (
	StatusCompacted    Status = "compacted"
	StatusUnchanged    Status = "unchanged" // it ran, there was nothing to reclaim
	StatusSkippedInUse Status = "skipped_in_use"
	StatusBelowMinimum Status = "below_minimum"
	StatusInterrupted  Status = "interrupted"
	StatusUnknown      Status = "unknown" // the job vanished or the answer was lost for good
	StatusFailed       Status = "failed"
	StatusImported     Status = "imported"
)

// Order is one order to compact one disk.
type Order struct {
	Path string
	// Mode nil means Quick for VHDX and Full for VHD, as Optimize-VHD does.
	Mode *Mode
	// AttachReadOnly nil means: where the mode gains from it (see [Mode.Attaches])
	// and the host can attach read-only.
	AttachReadOnly *bool
	// AllowAttach false forbids attaching the disk to the host altogether.
	AllowAttach bool
	// SkipInUse turns a disk in use into [StatusSkippedInUse] without an error.
	SkipInUse bool
	// AllowParent permits a disk on which checkpoints or other disks depend.
	AllowParent bool
	// MinFileSizeBytes leaves smaller files alone.
	MinFileSizeBytes int64
	// MaxPasses repeats while a pass reclaims at least 1 % of the size before it.
	MaxPasses int
	// Timeout bounds the run once its turn has come; 0 means no bound of its own.
	Timeout time.Duration
	// PriorJobID is the job of an earlier run whose end was not seen: it is
	// awaited before another one is started.
	PriorJobID string
	// LeftAttached says that an earlier run could not detach the disk.
	LeftAttached bool
	// OnProgress hears of the run; it must return quickly. May be nil.
	OnProgress func(Progress)
}

// Phase is a step of a run that takes time.
type Phase string

// The phases of a run.
const (
	PhaseWaiting    Phase = "waiting"    // for a turn
	PhaseAttaching  Phase = "attaching"  //
	PhaseCompacting Phase = "compacting" //
	PhaseDetaching  Phase = "detaching"  //
	PhaseCancelling Phase = "cancelling" //
)

// Progress tells how far a run is.
type Progress struct {
	Phase   Phase
	Pass    int // from 1
	Percent int // 0 to 100, of this pass
	Elapsed time.Duration
	JobID   string
	Done    bool // the last report of this phase
}

// CompactRun is what was started on the host and what came of it. Sizes are read from
// the host; nil means that the host was not seen to say.
type CompactRun struct {
	StartedAt, CompletedAt time.Time
	Mode                   Mode // empty where the host has no modes
	Attached               bool
	Passes                 int
	JobID                  string // of the last job
	FileSizeBeforeBytes    *int64
	FileSizeAfterBytes     *int64
}

// CompactResult is everything observed while carrying out a [Order]. It is
// complete as far as it goes even beside an error.
type CompactResult struct {
	Status Status
	// Detail is one sentence about the status, may be empty.
	Detail string
	// Format and Type are empty when the disk could not be read.
	Format Format
	Type   DiskType
	// FileSizeBytes is the last size read from the host.
	FileSizeBytes *int64
	// Run is nil when nothing was started on the host.
	Run *CompactRun
	// LeftAttached says that the disk may still be attached to the host by us.
	LeftAttached bool
	Warnings     []Warning
}

// WarningKind names a kind of warning; each has one summary.
type WarningKind string

// The warnings that a run can give.
const (
	// WarnInUse: the disk was skipped because it is in use.
	WarnInUse WarningKind = "in_use"
	// WarnAdopted: a running compaction of an earlier run was taken over.
	WarnAdopted WarningKind = "adopted"
	// WarnTookOver: an attachment that a dead run left was used and detached.
	WarnTookOver WarningKind = "took_over_attachment"
	// WarnUsageUnknown: the host did not let us see which machines use a disk.
	WarnUsageUnknown WarningKind = "usage_unknown"
	// WarnLeftAttached: the disk could not be detached.
	WarnLeftAttached WarningKind = "left_attached"
	// WarnJob: the job completed with warnings.
	WarnJob WarningKind = "job"
)

// Warning is something that an operator should know about a run.
type Warning struct {
	Kind   WarningKind
	Detail string
}
