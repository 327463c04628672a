package hyperv

import "time"

// Status is how a run ended, or why there was none.
type Status string

// The statuses that a disk can have: how its last run ended, or that it was imported.
const (
	StatusCompacted    Status = "compacted"
	StatusUnchanged    Status = "unchanged" // it ran, and there was nothing to reclaim
	StatusSkippedInUse Status = "skipped_in_use"
	// StatusSkippedDependents: others depend on the disk for good, so that it
	// is due again only when it has grown or a trigger changes.
	StatusSkippedDependents Status = "skipped_dependents"
	StatusBelowMinimum      Status = "below_minimum"
	StatusInterrupted       Status = "interrupted"
	StatusUnknown           Status = "unknown" // the job vanished or its answer was lost for good
	StatusFailed            Status = "failed"
	// StatusNotCompactable: the host can never compact the file as it is, because it is sparse,
	// compressed or encrypted.
	StatusNotCompactable Status = "not_compactable"
	StatusImported       Status = "imported"
)

// Order is one order to compact one disk.
type Order struct {
	Path string
	// Mode is the mode; nil means Quick for VHDX and Full for VHD, as with Optimize-VHD.
	Mode *Mode
	// AttachReadOnly says whether to attach the disk read-only; nil means if the mode gains from it
	// (see [Mode.Attaches]) and the host can attach read-only.
	AttachReadOnly *bool
	// AllowAttach permits attaching the disk to the host; without it, the disk is never attached.
	AllowAttach bool
	// SkipInUse turns a disk in use into [StatusSkippedInUse] without an error, and
	// one on which others depend for good into [StatusSkippedDependents].
	SkipInUse bool
	// AllowParent permits a VHDX on which known children depend, in [ModePrezeroed]
	// and without attaching it.
	AllowParent bool
	// AllowReplicated permits the disk of a replication's primary; the next cycle of the
	// replication is then a resynchronisation.
	AllowReplicated bool
	// AllowUnseen permits a disk although machines or nodes that may use it are not shown.
	AllowUnseen bool
	// Format and Type, unless empty, are what the disk was when the order was made:
	// another one is refused before anything is sent.
	Format Format
	Type   DiskType
	// MinFileSizeBytes leaves smaller files alone, unless such a file may be attached and only a
	// compaction can show by which run.
	MinFileSizeBytes int64
	// MaxPasses bounds the number of passes; the passes end early when two in a
	// row have each reclaimed less than 1 % of the size before them.
	MaxPasses int
	// Timeout bounds the run once its turn has come; 0 means no such bound.
	Timeout time.Duration
	// PriorJobID is the job of an earlier run whose end was not seen, on PriorNode: it is awaited
	// before another job is started.
	PriorJobID, PriorNode string
	// LeftAttached says that an earlier run may have left the disk attached, at LeftAt if that run
	// knew where.
	LeftAttached bool
	LeftAt       *AttachedAt
	// SeenAttached says that the disk was seen attached read-only, and it is not known by which
	// client: a run that was killed may have left it so.
	SeenAttached bool
	// OnProgress is called with the progress of the run and must return quickly; it may be nil.
	OnProgress func(Progress)
}

// mayHeal reports whether only a compaction that the host accepts can show which run holds an
// attachment of the disk.
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

// Progress is the progress of a run.
type Progress struct {
	Phase   Phase
	Pass    int // from 1
	Percent int // 0 to 100, of this pass
	Elapsed time.Duration
	JobID   string
	Done    bool // the last report of this phase
}

// CompactRun is what was started on the host, and its outcome. Sizes are in bytes and read from the
// host; nil means that the size could not be read.
type CompactRun struct {
	StartedAt, CompletedAt time.Time
	Mode                   Mode // empty where the host has no modes
	Attached               bool
	Passes                 int
	JobID                  string // of the last job
	FileSizeBeforeBytes    *int64
	FileSizeAfterBytes     *int64
}

// CompactResult holds everything that was observed while an [Order] was carried
// out. It is valid even with an error, and then holds what was observed until
// then.
type CompactResult struct {
	Status Status
	// Detail is one sentence about the status; it may be empty.
	Detail string
	// Format and Type are empty when the disk could not be read.
	Format Format
	Type   DiskType
	// VirtualDiskID is nil if the host gives none.
	VirtualDiskID *string
	// FileSizeBytes is the last size read from the host.
	FileSizeBytes *int64
	// Run is nil when nothing was started on the host.
	Run *CompactRun
	// Node is the node of the host that answered, by its own name; empty if no answer named it.
	Node string
	// LeftAttached says that this program may have left the disk attached to the node, at
	// LeftAttachedAt, as far as that was seen.
	LeftAttached   bool
	LeftAttachedAt *AttachedAt
	// UnseenJob is a job on UnseenJobNode that may still compact the disk, of this run or of an
	// earlier one: the next run awaits it. Empty when no such job is known.
	UnseenJob, UnseenJobNode string
	Warnings                 []Warning
}

// WarningKind is a kind of warning; each has one summary.
type WarningKind string

// The warnings that a run can give.
const (
	// WarnInUse: the disk was skipped because it is in use.
	WarnInUse WarningKind = "in_use"
	// WarnAwaited: a running compaction of an earlier run was awaited.
	WarnAwaited WarningKind = "awaited"
	// WarnTookOver: a read-only attachment without a visible holder was used and detached.
	WarnTookOver WarningKind = "took_over_attachment"
	// WarnSettled: a disk that an earlier run left attached on another node is no longer attached
	// there.
	WarnSettled WarningKind = "settled"
	// WarnRestarted: Windows was restarted after the disk was attached, and the file is attached again.
	WarnRestarted WarningKind = "restarted"
	// WarnLostAnswer: an answer was lost, and the size of the file shows the outcome.
	WarnLostAnswer WarningKind = "lost_answer"
	// WarnNotCompactable: see [StatusNotCompactable].
	WarnNotCompactable WarningKind = "not_compactable"
	// WarnUsageUnknown: a host did not show which machines use a disk.
	WarnUsageUnknown WarningKind = "usage_unknown"
	// WarnDependedOn: the disk was skipped because others depend on it for good.
	WarnDependedOn WarningKind = "depended_on"
	// WarnDiskNotOpened: the parents of a machine's disk could not be read.
	WarnDiskNotOpened WarningKind = "disk_not_opened"
	// WarnClusterName: the host is addressed by the name of its cluster, which moves between nodes.
	WarnClusterName WarningKind = "cluster_name"
	// WarnNodeDown: a node of the cluster is down, so its machines were not seen.
	WarnNodeDown WarningKind = "node_down"
	// WarnLeftAttached: the disk could not be detached.
	WarnLeftAttached WarningKind = "left_attached"
	// WarnJob: the job completed with warnings.
	WarnJob WarningKind = "job"
)

// Warning is a fact that an operator should know about a run.
type Warning struct {
	Kind   WarningKind
	Detail string
}
