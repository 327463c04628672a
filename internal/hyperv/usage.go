package hyperv

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// UseKind is the way in which a virtual machine uses a disk.
type UseKind string

// The uses of a disk by a virtual machine.
const (
	UseOff        UseKind = "off"        // configured, the machine is off
	UseRunning    UseKind = "running"    // the machine is on, or on its way
	UseSaved      UseKind = "saved"      // the machine is in saved state
	UseCheckpoint UseKind = "checkpoint" // a checkpoint depends on the disk
	// UsePlanned: the machine is being imported, or migrated to this host.
	UsePlanned UseKind = "planned"
	// UseRecovery: a backup has made a checkpoint, and will merge it.
	UseRecovery UseKind = "recovery"
	// UseReplicaPoint: a recovery point of a replica depends on the disk.
	UseReplicaPoint UseKind = "replica_point"
	// UseUnnamed: the host does not say how. The older generation reports only that the disk is
	// used by a machine or attached to the host.
	UseUnnamed UseKind = "unnamed"
)

// Replication is ReplicationMode of Msvm_ComputerSystem: the part that a virtual
// machine has in Hyper-V Replica.
type Replication uint16

// The parts in Hyper-V Replica; every other number is on the side of the replica.
const (
	ReplicationNone    Replication = 0
	ReplicationPrimary Replication = 1

	replicationUntold Replication = math.MaxUint16 // the host does not say
)

// Use is one use of a disk: a virtual machine that refers to it, or depends on it.
type Use struct {
	// Machine is the name that users gave the machine, or its GUID if they gave none.
	Machine string
	// Node is the computer name of the host on which the machine is registered.
	Node string
	Kind UseKind
	// Child is the differencing disk of which the disk is the parent, in the
	// chain from a disk in the settings of the machine; empty for a disk in the
	// settings.
	Child string
	// Path is the other path under which the host knows the disk, empty for the same.
	Path        string
	Replication Replication
}

// String names the machine and its use of the disk, as a clause after "by" or "of".
func (u Use) String() string {
	var b strings.Builder
	b.WriteString("virtual machine " + u.Machine)
	if u.Node != "" {
		b.WriteString(" on " + u.Node)
	}
	fmt.Fprintf(&b, " (%s)", kindNames[u.Kind])
	if u.Child != "" {
		b.WriteString(" through its child " + u.Child)
	}
	if u.Path != "" {
		b.WriteString(", where the disk is " + u.Path)
	}
	return b.String()
}

var kindNames = map[UseKind]string{
	UseOff:          "off",
	UseRunning:      "running",
	UseSaved:        "in saved state",
	UseCheckpoint:   "checkpoint",
	UsePlanned:      "planned: it is being imported or migrated",
	UseRecovery:     "checkpoint of a backup",
	UseReplicaPoint: "recovery point of a replica",
	UseUnnamed:      "in a way that the host does not say",
}

// usage holds which disks the virtual machines of one host refer to, and on
// which disks those depend in turn.
type usage struct {
	// node is the computer name of the host.
	node string
	// machines maps the GUID of a machine to the name that users gave it.
	machines map[string]string
	// named holds the disks in the settings of machines and checkpoints, in the
	// order of the host.
	named []namedDisk
	// links holds those disks and all their parents, by disk key.
	links map[string]*link
	// byDisk holds the uses of a disk by its key.
	byDisk map[string][]Use
	// pathless holds the disks whose files the host does not name.
	pathless []gap
	// gaps holds those and the disks whose parents could not be read.
	gaps []gap
	// silent: the older generation is not asked for its machines.
	silent bool
	// settled is when the listing of all settings had ended, seen when the host was asked for the
	// machines to which they belong.
	settled, seen time.Time
	// gone holds the disks of machines that the host listed the last time and no longer lists: the
	// machines may be on their way to another node.
	gone []namedDisk
	// round is the second round that the list has been through, nil before.
	round atomic.Pointer[round]

	// asked holds disks that no machine of this host names, read here to close
	// gaps of other hosts, by disk key. The lock guards it.
	mu    sync.Mutex
	asked map[string]*link
}

// namedDisk is one disk in the settings of a machine or of its checkpoint.
type namedDisk struct {
	path    string
	machine string // by its GUID, empty if its settings were not listed
	use     Use
	// file: a virtual hard disk, whose parents can be read.
	file bool
}

// gap is a disk in the settings of a machine, or a parent of one, that the host
// did not open: it is not known on which disks it depends.
type gap struct {
	path string
	use  Use
	err  error
}

// What the host does not say of a machine, and a path that may be another of the disk.
var (
	errPathUntold        = errors.New("the file is not told")
	errReplicationUntold = errors.New("the replication is not told")
	errMayBeThis         = errors.New("another path of the disk")
)

// trace notes the uses of every disk: of those in the settings, and of their
// parents.
func (u *usage) trace() {
	u.byDisk = map[string][]Use{}
	u.gaps = slices.Clone(u.pathless)
	for _, d := range u.named {
		u.note(d.path, d.use)
		if d.file {
			u.traceParents(d)
		}
	}
}

// traceParents follows the chain of one disk. A disk that was not found has no
// parents that could be opened, so it protects none.
func (u *usage) traceParents(d namedDisk) {
	seen := map[string]bool{}
	for path := d.path; ; {
		key := winpath.Key(path)
		l := u.links[key]
		switch {
		case seen[key] || l == nil || l.missing:
			return
		case l.err != nil:
			u.gaps = append(u.gaps, gap{path: path, use: d.use, err: l.err})
			return
		case l.parent == "":
			return
		}
		seen[key] = true
		use := d.use
		use.Child = path
		u.note(l.parent, use)
		path = l.parent
	}
}

// compare takes over what is still valid of the reading before this one.
func (u *usage) compare(before *usage) {
	if before == nil {
		return
	}
	for key, l := range u.links {
		if old := before.links[key]; old != nil && u.rests(key) && before.rests(key) {
			l.stamp = old.lastStamp()
		}
	}
	for _, d := range before.named {
		if _, listed := u.machines[d.machine]; !listed && d.machine != "" {
			u.gone = append(u.gone, d)
			u.keepChain(before, d.path)
		}
	}
}

// keepChain keeps what is known of a disk and its parents.
func (u *usage) keepChain(before *usage, path string) {
	for range longestChain {
		key := winpath.Key(path)
		l := before.links[key]
		if l == nil || u.links[key] != nil {
			return
		}
		u.links[key] = l
		path = l.parent
	}
}

// rests reports whether only machines that are off use a disk, so that its file does not change.
func (u *usage) rests(key string) bool {
	return !slices.ContainsFunc(u.byDisk[key], func(use Use) bool { return use.Kind != UseOff })
}

func (u *usage) note(path string, use Use) {
	key := winpath.Key(path)
	u.byDisk[key] = append(u.byDisk[key], use)
}
