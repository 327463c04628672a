package hypervsim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// DiskFormat is the format of a virtual hard disk, by Hyper-V's number.
type DiskFormat uint16

// The formats. The zero value takes the format from the extension of the file.
const (
	FormatVHD    DiskFormat = 2
	FormatVHDX   DiskFormat = 3
	FormatVHDSet DiskFormat = 4
)

// DiskType is the type of a virtual hard disk, by Hyper-V's number.
type DiskType uint16

// The types. The zero value is a dynamic disk.
const (
	TypeFixed        DiskType = 2
	TypeDynamic      DiskType = 3
	TypeDifferencing DiskType = 4
)

// Via says how a refusal reaches the caller. No source says for every refusal
// which way a real host takes, so a client has to expect both.
type Via int

// The ways in which a refusal can reach the caller.
const (
	// ViaDefault is a failed job where the sources have seen one, else the
	// return value.
	ViaDefault Via = iota
	// ViaReturnValue never starts a job.
	ViaReturnValue
	// ViaJob answers 4096 and lets the job fail.
	ViaJob
)

// Optional says how a host presents the properties that it may leave out.
type Optional int

// The ways to present optional properties.
const (
	OptionalPresent Optional = iota
	OptionalNull             // named without a value
	OptionalAbsent           // not named
)

// Default times and sizes of a disk.
const (
	defaultJobDuration    = time.Second
	defaultAttachDuration = 200 * time.Millisecond
	defaultVirtualSize    = 127 << 30
)

// VHD describes a virtual hard disk that consists of numbers only.
type VHD struct {
	Path       string
	Format     DiskFormat
	Type       DiskType
	ParentPath string
	// VirtualSize and FileSize are in bytes. The default is 127 GiB and 4 MiB.
	VirtualSize, FileSize int64
	// MinInternalSize is an optional property; 0 leaves it null.
	MinInternalSize int64
	// FragmentationPercent is an optional property; nil leaves it null.
	FragmentationPercent *uint32
	// The default of each is that of the format.
	BlockSize, LogicalSectorSize, PhysicalSectorSize uint32
	VirtualDiskID                                    string
	Optional                                         Optional

	// ReclaimableMounted is what Full and Quick reclaim while the disk is
	// attached read-only: free space that only the file system knows of.
	// ReclaimableUnmounted is what the other modes reclaim, and every mode
	// while the disk is not attached: zeroed and trimmed blocks.
	ReclaimableMounted, ReclaimableUnmounted int64
	// UnlockedByPass becomes reclaimable in turn after each compaction that
	// completed: there are disks that shrink in the second run only.
	UnlockedByPass []int64

	// JobDuration is how long a compaction takes; the default is a second.
	JobDuration time.Duration
	// Progress maps the part of the duration that has passed to the progress
	// that the job shows, both from 0 to 1; nil is the identity.
	Progress func(done float64) float64
	// Immediate compacts within the call and returns 0 without a job.
	Immediate bool
	// AttachDuration is how long an attach job takes; the default is 200 ms.
	AttachDuration time.Duration
	// AttachImmediate attaches within the call and returns 0 without a job.
	AttachImmediate bool
	// CancelDelay is how long a job takes to stop when it is cancelled. It is
	// shutting down meanwhile.
	CancelDelay time.Duration
	// NotCancellable jobs refuse to be cancelled.
	NotCancellable bool

	// InspectionJobs is how many inspections start a job and return no instance
	// before one returns it; all of them if negative.
	InspectionJobs int
	// InspectionDuration is how long such a job takes; the default is 50 ms.
	InspectionDuration time.Duration

	// Compressed files, or encrypted or sparse ones, are refused.
	Compressed bool
	// Denied files cannot be opened by the management service.
	Denied bool
	// Locked files are open elsewhere: a backup, a virus scanner.
	Locked bool
	// Exclusive files are open elsewhere in a way that keeps others from reading
	// them, too.
	Exclusive bool
	// Changed is the time of the last change of the file; the default is the
	// time at which it was added.
	Changed time.Time
	// Refusals is the way in which all refusals about this disk reach the
	// caller.
	Refusals Via
	// CompactionFailure and AttachFailure end such jobs in an exception.
	CompactionFailure, AttachFailure *JobFailure
	// Warnings makes compactions end in CompletedWithWarnings.
	Warnings bool
	// DetachFailures is how many detaches fail before one succeeds.
	DetachFailures int
}

// JobFailure is how a job fails.
type JobFailure struct {
	ErrorCode        uint32 // as a return value of the method
	CompletionStatus uint32 // HRESULT
	// After is the part of the job's duration at which it fails; 0 is its end.
	After float64
	// Completed: the job reports that it has completed all the same.
	Completed bool
}

func (f *JobFailure) state() JobState {
	if f.Completed {
		return JobCompleted
	}
	return JobException
}

// Never is the duration of a job that does not end.
const Never = 200 * 365 * 24 * time.Hour

// ProgressAtEnd shows no progress until the job is done.
func ProgressAtEnd(done float64) float64 {
	if done < 1 {
		return 0
	}
	return 1
}

// ProgressStall stands still at a level from that level until another.
func ProgressStall(at, until float64) func(float64) float64 {
	return func(done float64) float64 {
		if done > at && done < until {
			return at
		}
		return done
	}
}

// disk is a virtual hard disk on the simulated host.
type disk struct {
	VHD
	seenSize int64  // the file size when Changed was last read
	file     string // the real file; empty for a disk that consists of numbers only
}

// withDefaults fills in what the caller left out.
func (v VHD) withDefaults() VHD {
	if v.Format == 0 {
		v.Format = formatOf(v.Path)
	}
	if v.Type == 0 {
		v.Type = TypeDynamic
	}
	v.VirtualSize = orElse(v.VirtualSize, defaultVirtualSize)
	v.FileSize = orElse(v.FileSize, 4<<20)
	v.LogicalSectorSize = orElse(v.LogicalSectorSize, 512)
	if v.Format == FormatVHD {
		v.BlockSize = orElse(v.BlockSize, 2<<20)
		v.PhysicalSectorSize = orElse(v.PhysicalSectorSize, 512)
	} else {
		v.BlockSize = orElse(v.BlockSize, 32<<20)
		v.PhysicalSectorSize = orElse(v.PhysicalSectorSize, 4096)
	}
	v.JobDuration = orElse(v.JobDuration, defaultJobDuration)
	v.AttachDuration = orElse(v.AttachDuration, defaultAttachDuration)
	return v
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func formatOf(path string) DiskFormat {
	switch extension(path) {
	case "vhd", "avhd":
		return FormatVHD
	case "vhds":
		return FormatVHDSet
	}
	return FormatVHDX
}

// AddVHD puts a disk on the host, with its directory. It replaces one that is
// already there, and panics on a path that is not absolute: a test that is
// arranged wrongly cannot go on.
func (h *Host) AddVHD(v VHD) {
	now := h.world.lock()
	defer h.world.mu.Unlock()
	if !isAbsolute(v.Path) {
		panic(fmt.Sprintf("hypervsim: %q is not an absolute path", v.Path))
	}
	if v.VirtualDiskID == "" {
		v.VirtualDiskID = h.world.newID()
	}
	h.world.addDirectory(winpath.Dir(v.Path))
	h.world.putDisk(&disk{VHD: v.withDefaults()}, now)
}

// VHD returns a disk as it is now.
func (h *Host) VHD(path string) (VHD, bool) {
	h.world.lock()
	defer h.world.mu.Unlock()
	d, refused := h.world.find(path)
	if refused != nil {
		return VHD{}, false
	}
	return d.VHD, true
}

// VHDs returns every disk, in the order of their paths.
func (h *Host) VHDs() []VHD {
	h.world.lock()
	defer h.world.mu.Unlock()
	paths := h.world.realFiles()
	for d := range h.world.disks() {
		paths = append(paths, d.Path)
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Compare(pathKey(a), pathKey(b)) })
	var all []VHD
	for _, path := range paths {
		if d, refused := h.world.find(path); refused == nil {
			all = append(all, d.VHD)
		}
	}
	return all
}

// Change changes a disk that consists of numbers, for example its behaviour.
func (h *Host) Change(path string, change func(*VHD)) error {
	h.world.lock()
	defer h.world.mu.Unlock()
	d, ok := h.world.disk(path)
	if !ok {
		return fmt.Errorf("%s: no such disk", path)
	}
	change(&d.VHD)
	return nil
}

// Remove deletes the file of a disk.
func (h *Host) Remove(path string) error {
	h.world.lock()
	defer h.world.mu.Unlock()
	if _, ok := h.world.disk(path); !ok {
		return fmt.Errorf("%s: no such disk, or a real file", path)
	}
	h.world.removeDisk(path)
	return nil
}

// Grow makes a disk grow by n bytes, as a guest does when it writes and deletes
// again: all of them can be reclaimed. A real file grows by blocks of zeros
// that were not allocated before, so its content stays the same.
func (h *Host) Grow(path string, n int64) error {
	if n < 0 {
		return fmt.Errorf("%s: a disk cannot grow by %d bytes", path, n)
	}
	h.world.lock()
	d, refused := h.world.find(path)
	if refused != nil {
		h.world.mu.Unlock()
		return fmt.Errorf("%s: no such disk", path)
	}
	if d.file == "" {
		d.FileSize += n
		d.ReclaimableMounted += n
		d.ReclaimableUnmounted += n
		h.world.mu.Unlock()
		return nil
	}
	h.world.mu.Unlock()
	return growFile(h.world.life, d.file, d.VHD, n)
}

// Write makes a disk grow by n bytes of data that cannot be reclaimed.
func (h *Host) Write(path string, n int64) error {
	return h.Change(path, func(v *VHD) { v.FileSize += n })
}

// find returns the disk at path, or why there is none.
func (w *world) find(path string) (*disk, *refusal) {
	missing := func(status uint32) *refusal {
		return &refusal{code: returnFileNotFound, status: status, viaJob: w.missingViaJob}
	}
	switch {
	case !isAbsolute(path):
		return nil, &refusal{code: returnInvalidParam, status: statusPathNotFound}
	case w.isClosed(path):
		return nil, &refusal{code: returnAccessDenied, status: statusAccessDenied}
	case w.isOffline(path):
		return nil, missing(w.pathMissing(path))
	}
	if d, ok := w.disk(path); ok {
		return d, nil
	}
	if d, err := w.realDisk(path); err != nil {
		w.log.Error("a mapped disk cannot be read", "path", path, "error", err)
		return nil, &refusal{code: returnFailed, status: statusCorrupt}
	} else if d != nil {
		return d, nil
	}
	if !w.isDirectory(winpath.Dir(path)) {
		return nil, missing(w.pathMissing(path))
	}
	return nil, missing(statusFileNotFound)
}

// pathMissing is the status for a path whose directory is not there: a share that was not put on
// the host, or is offline, counts as missing together with its server.
//
// Unverified on a real host (unreachable-share-code): the status for a share.
func (w *world) pathMissing(path string) uint32 {
	key := w.key(path)
	volume := pathKey(volumeOf(key))
	if _, known := w.storeOf(key).directories[volume]; winpath.IsUNC(key) && (!known || w.isOffline(path)) {
		return statusNetworkPath
	}
	return statusPathNotFound
}

// timestamp is the time of the last change of the file, to the second. A change
// gets the time at which the state is next read.
func (d *disk) timestamp(now time.Time) time.Time {
	if d.seenSize != d.FileSize {
		d.seenSize, d.Changed = d.FileSize, now
	}
	return d.Changed.Truncate(time.Second)
}

// reclaimable returns how many bytes a compaction would reclaim.
func (d *disk) reclaimable(mode uint16, mounted bool) int64 {
	switch {
	case d.Type == TypeFixed || mode == modeRetrim:
		return 0
	case mounted && (mode == modeFull || mode == modeQuick):
		return min(d.ReclaimableMounted, d.FileSize)
	}
	return min(d.ReclaimableUnmounted, d.FileSize)
}

// reclaim reclaims a part of what can be reclaimed, from 0 to 1.
func (d *disk) reclaim(mode uint16, mounted bool, part float64) {
	n := int64(float64(d.reclaimable(mode, mounted)) * part)
	d.FileSize -= n
	d.ReclaimableMounted = max(0, d.ReclaimableMounted-n)
	d.ReclaimableUnmounted = max(0, d.ReclaimableUnmounted-n)
	if part < 1 {
		return
	}
	if mode == modeRetrim {
		d.ReclaimableUnmounted = max(d.ReclaimableUnmounted, d.ReclaimableMounted)
	}
	if len(d.UnlockedByPass) > 0 {
		d.ReclaimableMounted += d.UnlockedByPass[0]
		d.ReclaimableUnmounted += d.UnlockedByPass[0]
		d.UnlockedByPass = d.UnlockedByPass[1:]
	}
}
