package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// UseKind says what a virtual machine does with a disk.
type UseKind string

// The uses of a disk by a virtual machine.
const (
	UseOff        UseKind = "off"        // configured, the machine is off
	UseRunning    UseKind = "running"    // the machine is on, or on its way
	UseSaved      UseKind = "saved"      // the machine is in saved state
	UseCheckpoint UseKind = "checkpoint" // a checkpoint depends on the disk
	// UseUnnamed: the older generation says that the disk is used by a machine
	// or mounted on the host, and no more.
	UseUnnamed UseKind = "unnamed"
)

// Use is one virtual machine that refers to a disk.
type Use struct {
	Machine string
	Kind    UseKind
}

// usageKept is how long an enumeration of the host's machines is good for. It is
// shared by all disks of the host; a run that waited longer for its turn asks
// anew, since machines are started meanwhile.
const usageKept = 10 * time.Minute

// usageCache holds which machines use which disks.
type usageCache struct {
	loading chan struct{} // held by whoever enumerates
	read    time.Time
	usage   *usage
	denied  error // why the host did not tell, nil when it did
}

// usage is which virtual machines of a host refer to which disks.
type usage struct {
	byDisk   map[string][]Use // by disk key
	disks    []machineDisk    // in the order of the host
	machines map[string]string
	// silent: the older generation is not asked for its machines.
	silent bool
}

// machineDisk is one disk in the settings of a machine or of its checkpoint.
type machineDisk struct {
	path, machine string // the machine by its GUID
}

// Uses lists the virtual machines that refer to the disk. The older generation
// of the provider is not asked: its inspection says whether a disk is in use.
func (h *Host) Uses(ctx context.Context, path string) ([]Use, error) {
	u, err := h.loadUsage(ctx)
	if err != nil {
		return nil, err
	}
	return u.byDisk[winpath.Key(path)], nil
}

// loadUsage reads which machines use which disks, or takes what was read lately.
func (h *Host) loadUsage(ctx context.Context) (*usage, error) {
	select {
	case h.usage.loading <- struct{}{}:
		defer func() { <-h.usage.loading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if h.usage.read.IsZero() || time.Since(h.usage.read) > usageKept {
		u, err := h.readUsage(ctx)
		switch {
		case isMissingClass(err): // not kept: the host may be starting up
			return nil, &usageDeniedError{err}
		case err != nil && !errors.Is(err, ErrAccessDenied):
			return nil, fmt.Errorf("list the disks of virtual machines: %w", err)
		}
		h.usage.read, h.usage.usage, h.usage.denied = time.Now(), u, err
	}
	if h.usage.denied != nil {
		return nil, &usageDeniedError{h.usage.denied}
	}
	return h.usage.usage, nil
}

// usageDeniedError: the host does not let us see which machines use a disk.
type usageDeniedError struct{ err error }

func (e *usageDeniedError) Error() string { return e.err.Error() }
func (e *usageDeniedError) Unwrap() error { return e.err }

func (h *Host) readUsage(ctx context.Context) (*usage, error) {
	var u *usage
	err := h.withGeneration(ctx, func(g *generation) error {
		if g == generationV1 {
			u = &usage{silent: true}
			return h.prove(ctx, g)
		}
		disks, err := h.enumerate(ctx, g.classURI(cim.ClassStorageAllocationSettingData))
		if err != nil {
			return err
		}
		systems, err := h.enumerate(ctx, g.classURI(cim.ClassVirtualSystemSettingData))
		if err != nil {
			return err
		}
		machines, err := h.enumerate(ctx, g.classURI(cim.ClassComputerSystem))
		if err == nil {
			u = joinUsage(disks, systems, readStates(machines))
		}
		return err
	})
	return u, err
}

// prove asks a generation that nothing has answered for yet. That the newer one
// is missing does not prove it: the host may have neither, or be starting up.
func (h *Host) prove(ctx context.Context, g *generation) error {
	if h.known.Load() == g {
		return nil
	}
	_, err := h.get(ctx, g.service())
	return err
}

// joinUsage finds the machine behind each disk.
func joinUsage(disks, systems []*cim.Instance, states map[string]UseKind) *usage {
	u := &usage{byDisk: map[string][]Use{}, machines: readMachines(systems)}
	owners := readOwners(systems, u.machines, states)
	for _, disk := range disks {
		owner, ok := owners[settingsID(disk)]
		if !ok {
			continue
		}
		for _, path := range disk.Strings("HostResource") {
			key := winpath.Key(path)
			u.byDisk[key] = append(u.byDisk[key], owner.use)
			u.disks = append(u.disks, machineDisk{path: path, machine: owner.machine})
		}
	}
	return u
}

// settingsID is the part of an InstanceID of a storage allocation that names the
// settings it belongs to: "Microsoft:<settings>\<device>…".
func settingsID(disk *cim.Instance) string {
	id, _ := disk.String("InstanceID")
	id, _, _ = strings.Cut(id, `\`)
	return strings.ToUpper(id)
}

// readStates maps the name of a machine, a GUID, to what it does.
func readStates(machines []*cim.Instance) map[string]UseKind {
	states := map[string]UseKind{}
	for _, m := range machines {
		if name, ok := m.String("Name"); ok {
			states[strings.ToUpper(name)] = useOfState(firstUint(m, 16, "EnabledState"))
		}
	}
	return states
}

// EnabledState of Msvm_ComputerSystem.
const (
	enabledStateOff   = 3
	enabledStateSaved = 6 // "Enabled but Offline"
)

// useOfState errs on the side of in use: every state but off and saved may have
// the disk open.
func useOfState(state uint64) UseKind {
	switch state {
	case enabledStateOff:
		return UseOff
	case enabledStateSaved:
		return UseSaved
	}
	return UseRunning
}

// settingsRealized is the VirtualSystemType of the settings that a machine runs
// with; other values belong to checkpoints and the like.
const settingsRealized = "Microsoft:Hyper-V:System:Realized"

// readMachines maps the GUID of a machine to the name that people gave it.
func readMachines(systems []*cim.Instance) map[string]string {
	names := map[string]string{}
	for _, s := range systems {
		if isRealized(s) {
			names[machineID(s)], _ = s.String("ElementName")
		}
	}
	return names
}

// owner is what settings belong to.
type owner struct {
	machine string // GUID
	use     Use
}

// readOwners maps the InstanceID of settings to the machine behind them.
func readOwners(systems []*cim.Instance, names map[string]string, states map[string]UseKind) map[string]owner {
	owners := map[string]owner{}
	for _, s := range systems {
		id, _ := s.String("InstanceID")
		o := owner{machine: machineID(s), use: Use{Machine: names[machineID(s)], Kind: UseCheckpoint}}
		if isRealized(s) {
			o.use.Kind = UseRunning
			if state, ok := states[o.machine]; ok {
				o.use.Kind = state
			}
		}
		owners[strings.ToUpper(id)] = o
	}
	return owners
}

func isRealized(settings *cim.Instance) bool {
	kind, _ := settings.String("VirtualSystemType")
	return strings.EqualFold(kind, settingsRealized)
}

func machineID(settings *cim.Instance) string {
	id, _ := settings.String("VirtualSystemIdentifier")
	return strings.ToUpper(id)
}
