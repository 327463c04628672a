package hyperv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// errNotListed: an account without rights is shown no machines, without a
// denial. But a host always has its own record.
var errNotListed = errors.New("the host lists not even itself among its computer systems, so the account lacks the right to see them")

// readUsage asks for the machines of the host, their settings and disks, and for the parents of
// those disks: three enumerations, one exchange for each disk that a machine or checkpoint names,
// and one for each parent that none of them names. Parents from an earlier reading are taken over
// as long as they are not too old.
func (h *Host) readUsage(ctx context.Context, before *usage) (*usage, error) {
	var u *usage
	err := h.withGeneration(ctx, func(g *generation) (err error) {
		if g == generationV1 {
			u = &usage{silent: true}
			return h.prove(ctx, g)
		}
		u, err = h.readMachines(ctx, g)
		return err
	})
	if err != nil || u.silent {
		return u, err
	}
	if err := h.readChains(ctx, u, before); err != nil {
		return nil, err
	}
	u.compare(before)
	return u, nil
}

// listTries bounds how often the lists are read: a machine that appeared after the settings were
// listed is in the last list, and nothing is known of its disks. A machine that stays so has no
// readable settings.
const listTries = 2

// readMachines asks for the machines of the host, their settings and disks. The settings come first
// and the machines last, so that a machine that appears meanwhile is noticed.
func (h *Host) readMachines(ctx context.Context, g *generation) (*usage, error) {
	for try := 1; ; try++ {
		settings, err := h.enumerate(ctx, g.classURI(cim.ClassVirtualSystemSettingData))
		if err != nil {
			return nil, err
		}
		disks, err := h.enumerate(ctx, g.classURI(cim.ClassStorageAllocationSettingData))
		if err != nil {
			return nil, err
		}
		seen := time.Now()
		systems, err := h.enumerate(ctx, g.classURI(cim.ClassComputerSystem))
		if err != nil {
			return nil, err
		}
		u, err := joinUsage(disks, settings, systems)
		if err != nil {
			return nil, err
		}
		u.settled, u.seen = seen, seen
		if try == listTries || u.knowsAll(systems) {
			return u, nil
		}
	}
}

// knowsAll reports whether the settings of all these machines were listed.
func (u *usage) knowsAll(systems []*cim.Instance) bool {
	return !slices.ContainsFunc(systems, func(s *cim.Instance) bool {
		name, _ := s.String("Name")
		_, known := u.machines[strings.ToUpper(name)]
		return winpath.IsGUID(name) && !known
	})
}

// prove asks the service of a generation that no answer has confirmed yet. The
// absence of the newer one does not prove the older one: the host may have
// neither, or be starting up.
func (h *Host) prove(ctx context.Context, g *generation) error {
	if h.known.Load() == g {
		return nil
	}
	_, err := h.get(ctx, g.service())
	return err
}

// readChains reads every disk that u names, and its parents.
func (h *Host) readChains(ctx context.Context, u, before *usage) error {
	reader := &chainReader{host: h, links: map[string]*link{}, mute: map[string]error{}}
	if before != nil {
		reader.before = before.links
	}
	for _, d := range u.named {
		if !d.file {
			continue
		}
		if err := reader.follow(ctx, d.path); err != nil {
			return err
		}
	}
	u.links = reader.links
	u.trace()
	return nil
}

// joinUsage finds the machine behind each disk.
func joinUsage(disks, settings, systems []*cim.Instance) (*usage, error) {
	u := &usage{node: ownName(systems), machines: namesOf(settings)}
	if u.node == "" {
		return nil, errNotListed
	}
	owners, err := u.readOwners(settings, readStates(systems))
	if err != nil {
		return nil, err
	}
	for _, disk := range disks {
		if err := u.join(disk, owners); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// templates starts the InstanceID of the disks that the host proposes for new machines.
const templates = "MICROSOFT:DEFINITION"

// join adds a disk with the machine in whose settings it is.
func (u *usage) join(disk *cim.Instance, owners map[string]namedDisk) error {
	id := settingsID(disk)
	owner, known := owners[id]
	switch {
	case id == "":
		return fmt.Errorf("the host lists a disk of a machine without its InstanceID (%s)", disk.Class)
	case id == templates:
		return nil
	case !known: // settings that appeared after they were listed, or a resource pool
		_, guid, _ := strings.Cut(id, ":")
		owner = namedDisk{use: Use{Machine: guid, Node: u.node, Kind: UseRunning}}
	}
	paths := slices.DeleteFunc(slices.Clone(disk.Strings("HostResource")), func(path string) bool { return path == "" })
	if len(paths) == 0 && known && isDisk(disk) {
		u.pathless = append(u.pathless, gap{use: owner.use, err: errPathUntold})
	}
	for _, path := range paths {
		if !known && !hasDiskName(path) {
			continue // a resource pool names folders
		}
		owner.path, owner.file = path, isDisk(disk) && winpath.MayBeFile(path)
		u.named = append(u.named, owner)
	}
	return nil
}

// hasDiskName reports whether a path has an extension without which Hyper-V opens no disk, also in
// a short name.
func hasDiskName(path string) bool {
	return formatOf(path) == FormatVHD || formatOf(path) == FormatVHDX || formatOf(path) == FormatVHDSet || isCheckpointDisk(path)
}

// ownName returns the computer name of the host: the Name of its own record;
// that of a machine is a GUID. It is empty when the host shows no such record.
func ownName(systems []*cim.Instance) string {
	for _, s := range systems {
		if name, ok := s.String("Name"); ok && name != "" && !winpath.IsGUID(name) {
			return name
		}
	}
	return ""
}

// subTypeDisk is the ResourceSubType of a virtual hard disk; optical and floppy
// images have others.
const subTypeDisk = "Microsoft:Hyper-V:Virtual Hard Disk"

// isDisk reports whether a resource of a machine is a virtual hard disk. It counts as one if the
// host does not say.
func isDisk(resource *cim.Instance) bool {
	kind, _ := resource.String("ResourceSubType")
	return kind == "" || strings.EqualFold(kind, subTypeDisk)
}

// settingsID returns the part of the InstanceID of a storage allocation that
// names the settings to which it belongs: "Microsoft:<settings>\<device>…".
func settingsID(disk *cim.Instance) string {
	id, _ := disk.String("InstanceID")
	id, _, _ = strings.Cut(id, `\`)
	return strings.ToUpper(id)
}

// machineState holds the state in the record of a machine.
type machineState struct {
	kind        UseKind
	replication Replication
}

// readStates maps the name of a machine, a GUID, to its state.
func readStates(systems []*cim.Instance) map[string]machineState {
	states := map[string]machineState{}
	for _, m := range systems {
		if name, _ := m.String("Name"); name != "" {
			states[strings.ToUpper(name)] = machineState{
				kind:        useOfState(firstUint(m, 16, "EnabledState")),
				replication: replicationOf(m),
			}
		}
	}
	return states
}

// EnabledState of Msvm_ComputerSystem.
const (
	enabledStateOff   = 3
	enabledStateSaved = 6 // "Enabled but Offline"
)

// useOfState errs on the side of "in use": in every state but off and saved,
// the machine may have the disk open.
func useOfState(state uint64) UseKind {
	switch state {
	case enabledStateOff:
		return UseOff
	case enabledStateSaved:
		return UseSaved
	}
	return UseRunning
}

func replicationOf(machine *cim.Instance) Replication {
	mode, ok, err := machine.Uint("ReplicationMode", 16)
	if !ok || err != nil {
		return replicationUntold
	}
	return Replication(mode) //nolint:gosec // 16 bits were parsed
}

// VirtualSystemType of the settings of machines; other values belong to
// checkpoints (Msvm_VirtualSystemSettingData page).
const (
	settingsRealized = "microsoft:hyper-v:system:realized" // the settings with which a machine runs
	settingsPlanned  = "microsoft:hyper-v:system:planned"

	checkpoint         = "microsoft:hyper-v:snapshot:" // all of them
	checkpointPlanned  = "microsoft:hyper-v:snapshot:planned"
	checkpointRecovery = "microsoft:hyper-v:snapshot:recovery"
	checkpointReplica  = "microsoft:hyper-v:snapshot:replica:" // Standard, ApplicationConsistent, PlannedFailover
)

func settingsType(settings *cim.Instance) string {
	kind, _ := settings.String("VirtualSystemType")
	return strings.ToLower(kind)
}

// useOfSettings returns the use of the disks in settings of this type by a
// machine in the given state.
func useOfSettings(kind string, state UseKind) UseKind {
	switch {
	case kind == settingsRealized:
		return state
	case kind == settingsPlanned, kind == checkpointPlanned:
		return UsePlanned
	case kind == checkpointRecovery:
		return UseRecovery
	case strings.HasPrefix(kind, checkpointReplica):
		return UseReplicaPoint
	case strings.HasPrefix(kind, checkpoint):
		return UseCheckpoint
	case state == UseOff:
		return UseUnnamed // perhaps of a backup or a replica
	}
	return state // settings of no known type may be those with which the machine runs
}

// namesOf maps the GUID of a machine to the name that users gave it.
func namesOf(settings []*cim.Instance) map[string]string {
	names := map[string]string{}
	for _, s := range settings {
		if kind := settingsType(s); kind == settingsRealized || kind == settingsPlanned {
			names[machineID(s)], _ = s.String("ElementName")
		}
	}
	return names
}

// readOwners maps the InstanceID of settings to a disk in them, whose path is
// still to be filled in.
func (u *usage) readOwners(settings []*cim.Instance, states map[string]machineState) (map[string]namedDisk, error) {
	owners := map[string]namedDisk{}
	for _, s := range settings {
		id, _ := s.String("InstanceID")
		if id == "" {
			return nil, fmt.Errorf("the host lists settings of a machine without their InstanceID (%s)", s.Class)
		}
		machine := machineID(s)
		state, ok := states[machine]
		if !ok {
			state = machineState{kind: UseRunning, replication: replicationUntold} // one that the host does not show may have its disks open
		}
		name := u.machines[machine]
		if name == "" {
			name = machine
		}
		owners[strings.ToUpper(id)] = namedDisk{machine: machine, use: Use{
			Machine: name, Node: u.node, Kind: useOfSettings(settingsType(s), state.kind), Replication: state.replication,
		}}
	}
	return owners, nil
}

func machineID(settings *cim.Instance) string {
	id, _ := settings.String("VirtualSystemIdentifier")
	return strings.ToUpper(id)
}
