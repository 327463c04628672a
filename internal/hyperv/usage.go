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
	uses    map[string][]Use // by disk key
	denied  error            // why the host did not tell, nil when it did
}

// Uses lists the virtual machines that refer to the disk. The older generation
// of the provider is not asked: its inspection says whether a disk is in use.
func (h *Host) Uses(ctx context.Context, path string) ([]Use, error) {
	select {
	case h.usage.loading <- struct{}{}:
		defer func() { <-h.usage.loading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if h.usage.read.IsZero() || time.Since(h.usage.read) > usageKept {
		uses, err := h.readUses(ctx)
		if err != nil && !errors.Is(err, ErrAccessDenied) && !isMissingClass(err) {
			return nil, fmt.Errorf("list the disks of virtual machines: %w", err)
		}
		h.usage.read, h.usage.uses, h.usage.denied = time.Now(), uses, err
	}
	if h.usage.denied != nil {
		return nil, &usageDeniedError{h.usage.denied}
	}
	return h.usage.uses[winpath.Key(path)], nil
}

// usageDeniedError: the host does not let us see which machines use a disk.
type usageDeniedError struct{ err error }

func (e *usageDeniedError) Error() string { return e.err.Error() }
func (e *usageDeniedError) Unwrap() error { return e.err }

func (h *Host) readUses(ctx context.Context) (map[string][]Use, error) {
	uses := map[string][]Use{}
	err := h.withGeneration(ctx, func(g *generation) error {
		if g == generationV1 {
			return nil
		}
		disks, err := h.enumerate(ctx, g.classURI(cim.ClassStorageAllocationSettingData))
		if err != nil || len(disks) == 0 {
			return err
		}
		systems, err := h.enumerate(ctx, g.classURI(cim.ClassVirtualSystemSettingData))
		if err != nil {
			return err
		}
		machines, err := h.enumerate(ctx, g.classURI(cim.ClassComputerSystem))
		if err != nil {
			return err
		}
		owners := readOwners(systems, readStates(machines))
		for _, disk := range disks {
			use, ok := owners[settingsID(disk)]
			if !ok {
				continue
			}
			for _, path := range disk.Strings("HostResource") {
				key := winpath.Key(path)
				uses[key] = append(uses[key], use)
			}
		}
		return nil
	})
	return uses, err
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

// readOwners maps the InstanceID of settings to the machine behind them.
func readOwners(systems []*cim.Instance, states map[string]UseKind) map[string]Use {
	names := map[string]string{}
	for _, s := range systems {
		if kind, _ := s.String("VirtualSystemType"); strings.EqualFold(kind, settingsRealized) {
			names[machineID(s)], _ = s.String("ElementName")
		}
	}
	owners := map[string]Use{}
	for _, s := range systems {
		id, _ := s.String("InstanceID")
		use := Use{Machine: names[machineID(s)], Kind: UseCheckpoint}
		if kind, _ := s.String("VirtualSystemType"); strings.EqualFold(kind, settingsRealized) {
			use.Kind = UseRunning
			if state, ok := states[machineID(s)]; ok {
				use.Kind = state
			}
		}
		owners[strings.ToUpper(id)] = use
	}
	return owners
}

func machineID(settings *cim.Instance) string {
	id, _ := settings.String("VirtualSystemIdentifier")
	return strings.ToUpper(id)
}
