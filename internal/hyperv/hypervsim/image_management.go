package hypervsim

import (
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// Modes of CompactVirtualHardDisk.
const (
	modeFull       = 0
	modeQuick      = 1
	modeRetrim     = 2
	modePretrimmed = 3
	modePrezeroed  = 4
)

// imageManagementServices returns the one instance of the service.
func (w *world) imageManagementServices(v view) []*object {
	return []*object{{
		namespace: v.namespace, class: cim.ClassImageManagementService, keys: serviceKeys,
		properties: []property{
			text("Caption", "Hyper-V Image Management Service"),
			text("CreationClassName", cim.ClassImageManagementService),
			text("Description", "Microsoft Hyper-V Image Management Service"),
			text("ElementName", "Hyper-V Image Management Service"),
			number("EnabledDefault", typeUint16, uint16(2)),
			number("EnabledState", typeUint16, uint16(5)),
			number("HealthState", typeUint16, uint16(5)),
			null("InstallDate", typeDateTime),
			text("Name", "vhdsvc"),
			numbers("OperationalStatus", 2),
			text("PrimaryOwnerContact", ""),
			text("PrimaryOwnerName", ""),
			number("RequestedState", typeUint16, uint16(12)),
			boolean("Started", true),
			text("StartMode", "Automatic"),
			text("Status", "OK"),
			texts("StatusDescriptions", "OK"),
			text("SystemCreationClassName", cim.ClassComputerSystem),
			text("SystemName", w.host),
			null("TimeOfLastStateChange", typeDateTime),
		},
	}}
}

func (w *world) servicePath(namespace string) *objectPath {
	return &objectPath{namespace: namespace, class: cim.ClassImageManagementService, keys: []keyValue{
		{"CreationClassName", cim.ClassImageManagementService},
		{"Name", "vhdsvc"},
		{"SystemCreationClassName", cim.ClassComputerSystem},
		{"SystemName", w.host},
	}}
}

// openable returns a disk that can be opened to be read. A running machine
// does not prevent that: settings of its disks can be read.
func (w *world) openable(path string) (*disk, *refusal) {
	d, refused := w.find(path)
	switch {
	case refused != nil:
		return nil, refused
	case d.Denied:
		return nil, &refusal{code: returnAccessDenied, status: statusAccessDenied}
	case d.ParentPath != "" && !w.exists(d.ParentPath):
		return nil, &refusal{code: returnFailed, status: statusParentNotFound, viaJob: true, parent: d.ParentPath}
	}
	return d, nil
}

func (w *world) exists(path string) bool {
	_, refused := w.find(path)
	return refused == nil
}

// via is the way in which refusals about a path come.
func (w *world) via(path string) Via {
	if d, refused := w.find(path); refused == nil {
		return d.Refusals
	}
	return ViaDefault
}

// inspect answers one of the calls that describe a disk.
func (w *world) inspect(c invocation, name string, describe func(*disk) string) ([]property, *failure) {
	path := c.in["Path"]
	d, refused := w.openable(path)
	if refused != nil {
		code, j := w.refuse(refused, w.via(path), JobGetInfo, path, c.user, c.now)
		return returnsJob(c.namespace, code, j, null(name, typeString)), nil
	}
	if d.InspectionJobs != 0 {
		d.InspectionJobs = max(d.InspectionJobs-1, -1)
		j := w.start(&job{kind: JobGetInfo, path: path, owner: c.user, cancellable: true, ends: c.now.Add(inspectionDuration)}, c.now)
		return returnsJob(c.namespace, returnJobStarted, j, null(name, typeString)), nil
	}
	return returnsJob(c.namespace, returnOK, nil, text(name, describe(d))), nil
}

func (w *world) getVirtualHardDiskInfo(c invocation) ([]property, *failure) {
	return w.inspect(c, "Info", func(d *disk) string {
		_, saved := w.user(d.Path, VMSaved)
		return embedded(cim.ClassVirtualHardDiskInfo, []property{
			number("FileSize", typeUint64, d.FileSize),
			boolean("InSavedState", saved),
			boolean("InUse", w.attached(d.Path) != nil || w.isOpen(d.Path)),
			number("MaxInternalSize", typeUint64, d.VirtualSize),
			orNull("ParentPath", d.ParentPath),
			number("Type", typeUint16, d.Type),
		})
	})
}

func (w *world) getVirtualHardDiskState(c invocation) ([]property, *failure) {
	return w.inspect(c, "State", func(d *disk) string {
		var properties []property
		alignment := uint32(0)
		if d.PhysicalSectorSize > 512 {
			alignment = 1
		}
		fragmentation := null("FragmentationPercentage", typeUint32)
		if d.FragmentationPercent != nil {
			fragmentation = number("FragmentationPercentage", typeUint32, *d.FragmentationPercent)
		}
		minimum := null("MinInternalSize", typeUint64)
		if d.MinInternalSize > 0 {
			minimum = number("MinInternalSize", typeUint64, d.MinInternalSize)
		}
		properties = d.withOptional(properties, number("Alignment", typeUint32, alignment))
		properties = append(properties, number("FileSize", typeUint64, d.FileSize))
		properties = d.withOptional(properties, fragmentation, boolean("InUse", false), minimum,
			number("PhysicalSectorSize", typeUint32, d.PhysicalSectorSize))
		if w.release >= Server2016 {
			properties = d.withOptional(properties, date("Timestamp", c.now.Truncate(time.Second)))
		}
		return embedded(cim.ClassVirtualHardDiskState, properties)
	})
}

func (w *world) getVirtualHardDiskSettingData(c invocation) ([]property, *failure) {
	return w.inspect(c, "SettingData", func(d *disk) string {
		blockSize := d.BlockSize
		if d.Type == TypeFixed {
			blockSize = 0
		}
		properties := []property{number("BlockSize", typeUint32, blockSize)}
		properties = d.withOptional(properties, text("Caption", "Virtual Hard Disk Setting Data"))
		if w.release >= Server2022 {
			properties = d.withOptional(properties, number("DataAlignment", typeUint64, uint64(0)))
		}
		properties = d.withOptional(properties, text("Description", "Setting Data for a Virtual Hard Disk"),
			text("ElementName", winpath.Base(d.Path)))
		properties = append(properties, number("Format", typeUint16, d.Format))
		properties = d.withOptional(properties, null("InstanceID", typeString))
		if w.release >= Server2022 {
			properties = d.withOptional(properties, boolean("IsPmemCompatible", false))
		}
		properties = d.withOptional(properties, number("LogicalSectorSize", typeUint32, d.LogicalSectorSize))
		properties = append(properties, number("MaxInternalSize", typeUint64, d.VirtualSize))
		if w.release >= Server2016 {
			properties = d.withOptional(properties, null("ParentIdentifier", typeString))
		}
		properties = append(properties, text("ParentPath", d.ParentPath))
		if w.release >= Server2016 {
			properties = d.withOptional(properties, date("ParentTimestamp", unset))
		}
		properties = append(properties, text("Path", d.Path))
		properties = d.withOptional(properties, number("PhysicalSectorSize", typeUint32, d.PhysicalSectorSize))
		if w.release >= Server2022 {
			properties = d.withOptional(properties, number("PmemAddressAbstractionType", typeUint16, uint16(0)))
		}
		properties = append(properties, number("Type", typeUint16, d.Type))
		if w.release >= Server2012R2 {
			properties = d.withOptional(properties, orNull("VirtualDiskId", d.VirtualDiskID))
		}
		return embedded(cim.ClassVirtualHardDiskSettingData, properties)
	})
}

// withOptional adds properties that a host may leave out.
func (d *disk) withOptional(properties []property, optional ...property) []property {
	for _, p := range optional {
		switch d.Optional {
		case OptionalPresent:
			properties = append(properties, p)
		case OptionalNull:
			properties = append(properties, null(p.name, p.typ))
		case OptionalAbsent:
		}
	}
	return properties
}

// compactV1 compacts where there are no modes: zeroed blocks only, as a disk
// that is mounted there is in use.
func (w *world) compactV1(c invocation) ([]property, *failure) {
	return w.compact(c, modeFull)
}

// compactV2 compacts in one of the five modes. Without a mode it refuses, as
// the documentation demands one of them.
//
// Unverified on a real host (compact-without-mode, compact-unknown-mode): the answer to a missing or unknown mode.
func (w *world) compactV2(c invocation) ([]property, *failure) {
	mode, ok := c.in.number("Mode", 16)
	if !ok || mode > modePrezeroed {
		return returnsJob(c.namespace, returnInvalidParam, nil), nil
	}
	return w.compact(c, uint16(mode))
}

func (w *world) compact(c invocation, mode uint16) ([]property, *failure) {
	code, j := w.startCompaction(c.in["Path"], mode, c.user, c.now)
	return returnsJob(c.namespace, code, j), nil
}

// startCompaction starts to compact a disk, or refuses to.
func (w *world) startCompaction(path string, mode uint16, owner string, now time.Time) (uint32, *job) {
	w.observation.requests[pathKey(path)]++
	d, refused := w.openable(path)
	if refused == nil {
		refused = w.mayCompact(d, mode)
	}
	if refused != nil {
		return w.refuse(refused, w.via(path), JobCompaction, path, owner, now)
	}
	mounted := w.attached(path) != nil
	if d.Immediate {
		d.reclaim(mode, mounted, 1)
		w.observation.started(w, path)
		return returnOK, nil
	}
	j := &job{
		kind: JobCompaction, path: d.Path, owner: owner, cancellable: !d.NotCancellable,
		progress: d.Progress, cancelDelay: d.CancelDelay,
		compaction: &compaction{mode: mode, mounted: mounted},
	}
	if d.file != "" {
		w.startReal(j, d, now)
	} else {
		w.startNumbers(j, d, now)
	}
	w.observation.started(w, path)
	return returnJobStarted, j
}

// startNumbers starts the compaction of a disk that is numbers only.
func (w *world) startNumbers(j *job, d *disk, now time.Time) {
	duration := d.JobDuration
	mode, mounted := j.compaction.mode, j.compaction.mounted
	j.finish = func(part float64) { d.reclaim(mode, mounted, part) }
	switch {
	case d.CompactionFailure != nil:
		duration = d.CompactionFailure.within(duration)
		j.settled, j.failure = JobException, d.CompactionFailure.refusal()
	case d.Warnings:
		j.settled = JobCompletedWithWarnings
	}
	j.ends = now.Add(duration)
	w.start(j, now)
}

func (f *JobFailure) within(d time.Duration) time.Duration {
	if f.After > 0 {
		return time.Duration(float64(d) * f.After)
	}
	return d
}

func (f *JobFailure) refusal() *refusal {
	return &refusal{code: f.ErrorCode, status: f.CompletionStatus}
}

// mayCompact says why a disk cannot be compacted now.
func (w *world) mayCompact(d *disk, mode uint16) *refusal {
	inUse := &refusal{code: returnInUse, status: statusSharingViolation}
	a := w.attached(d.Path)
	switch {
	case d.Locked || w.jobOn(d.Path) != nil || w.isOpen(d.Path):
		return inUse
	case a != nil && !a.readOnly:
		return inUse
	case d.Compressed:
		// Seen in the field for compressed, encrypted and sparse files.
		return &refusal{code: returnFailed, status: statusLimitation, viaJob: true}
	case d.Format == FormatVHDSet:
		return &refusal{code: returnNotSupported, status: statusInvalidType}
	case d.Format == FormatVHD && d.Type == TypeFixed:
		// Not in the list of disks that the method takes.
		// Unverified on a real host (compact-fixed-vhd): the codes of this refusal.
		return &refusal{code: returnNotSupported, status: statusInvalidType, viaJob: true}
	case mode == modeRetrim && a == nil:
		return &refusal{code: returnInvalidState, status: statusInvalidState}
	}
	return nil
}
