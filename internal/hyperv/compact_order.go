package hyperv

import "time"

// Status says how a run ended, or why there was none.
type Status string

// Every status that a disk can have in state.
const (
	StatusCompacted    Status = "compacted"
	StatusUnchanged    Status = "unchanged" // it ran, there was nothing to reclaim
	StatusSkippedInUse Status = "skipped_in_use"
	// StatusSkippedDependents: others depend on the disk for good, so that it is
	// due again only when it has grown or a trigger changes.
	StatusSkippedDependents Status = "skipped_dependents"
	StatusBelowMinimum      Status = "below_minimum"
	StatusInterrupted       Status = "interrupted"
	StatusUnknown           Status = "unknown" // the job vanished or the answer was lost for good
	StatusFailed            Status = "failed"
	// StatusNotCompactable: the host can never compact the file as it is, since it is
	// sparse, compressed or encrypted.
	StatusNotCompactable Status = "not_compactable"
	StatusImported       Status = "imported"
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
	// SkipInUse turns a disk in use into [StatusSkippedInUse] without an error, and
	// one on which others depend for good into [StatusSkippedDependents].
	SkipInUse bool
	// AllowParent permits a VHDX on which known children depend, in [ModePrezeroed]
	// and without attaching it.
	AllowParent bool
	// AllowReplicated permits the disk of the primary in a replication, whose next
	// cycle is a resynchronisation then.
	AllowReplicated bool
	// AllowUnseen permits a disk although machines or nodes are not shown that may
	// use it.
	AllowUnseen bool
	// Format and Type, unless empty, are what the disk was when the order was made:
	// another one is refused before anything is sent.
	Format Format
	Type   DiskType
	// MinFileSizeBytes leaves smaller files alone, unless one may be attached and only
	// a compaction can tell whose that is.
	MinFileSizeBytes int64
	// MaxPasses bounds the passes; fewer are made when two in a row have each
	// reclaimed less than 1 % of the size before it.
	MaxPasses int
	// Timeout bounds the run once its turn has come; 0 means no bound of its own.
	Timeout time.Duration
	// PriorJobID is the job of an earlier run whose end was not seen, on PriorNode:
	// it is awaited before another one is started.
	PriorJobID, PriorNode string
	// LeftAttached says that an earlier run may have left the disk attached, at LeftAt
	// if it knew that.
	LeftAttached bool
	LeftAt       *AttachedAt
	// SeenAttached says that the disk was seen attached read-only, by whom is not
	// known: a run that was killed may have left it so.
	SeenAttached bool
	// OnProgress hears of the run; it must return quickly. May be nil.
	OnProgress func(Progress)
}

// mayHeal reports whether only a compaction that the host takes can tell whose an
// attachment of the disk is.
func (o *Order) mayHeal() bool { return o.SeenAttached || o.LeftAttached && !o.LeftAt.hasAddress() }

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
	// VirtualDiskID is nil where the host tells none.
	VirtualDiskID *string
	// FileSizeBytes is the last size read from the host.
	FileSizeBytes *int64
	// Run is nil when nothing was started on the host.
	Run *CompactRun
	// Node is the node of the host that answered, by its own name; empty if it was
	// not seen.
	Node string
	// LeftAttached says that the disk may still be attached to the node by us, at
	// LeftAttachedAt, which holds what was seen of that.
	LeftAttached   bool
	LeftAttachedAt *AttachedAt
	// UnseenJob is a job on UnseenJobNode that may still compact the disk, of this run
	// or of an earlier one: the next run awaits it. Empty when none is known.
	UnseenJob, UnseenJobNode string
	Warnings                 []Warning
}

// WarningKind names a kind of warning; each has one summary.
type WarningKind string

// The warnings that a run can give.
const (
	// WarnInUse: the disk was skipped because it is in use.
	WarnInUse WarningKind = "in_use"
	// WarnAwaited: a running compaction of an earlier run was awaited.
	WarnAwaited WarningKind = "awaited"
	// WarnTookOver: a read-only attachment that nobody was seen to hold was used and
	// detached.
	WarnTookOver WarningKind = "took_over_attachment"
	// WarnSettled: what an earlier run left on another node is not attached any more.
	WarnSettled WarningKind = "settled"
	// WarnLostAnswer: an answer was lost, and the size of the file shows what it was.
	WarnLostAnswer WarningKind = "lost_answer"
	// WarnNotCompactable: see [StatusNotCompactable].
	WarnNotCompactable WarningKind = "not_compactable"
	// WarnUsageUnknown: a host did not let us see which machines use a disk.
	WarnUsageUnknown WarningKind = "usage_unknown"
	// WarnDependedOn: the disk was skipped because others depend on it for good.
	WarnDependedOn WarningKind = "depended_on"
	// WarnDiskNotOpened: a disk of a machine could not be asked for its parents.
	WarnDiskNotOpened WarningKind = "disk_not_opened"
	// WarnClusterName: the host is named by its cluster, whose name moves.
	WarnClusterName WarningKind = "cluster_name"
	// WarnNodeDown: a node of the cluster is down, so its machines were not seen.
	WarnNodeDown WarningKind = "node_down"
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
