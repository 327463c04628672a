package conformance

import (
	"context"
	"errors"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const classSettings = cim.ClassVirtualSystemSettingData

// serviceSystemName asks about the name by which a client identifies the node.
func (k *kit) serviceSystemName(ctx context.Context) verdict {
	i, err := k.client.Get(ctx, service(k.namespace))
	if err != nil {
		return trouble(err)
	}
	name, _ := i.String("SystemName")
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: systems})
	if err != nil {
		return trouble(err)
	}
	if len(all) != 1 {
		return notTested("%d operating systems", len(all))
	}
	computer, _ := all[0].String("CSName")
	return when(name != "" && strings.EqualFold(name, computer), "SystemName %t, equal to CSName %t, in the same letter case %t",
		name != "", strings.EqualFold(name, computer), name == computer)
}

// ownSystem looks for the host's own instance among the computer systems.
func (k *kit) ownSystem(ctx context.Context) (bool, error) {
	i, err := k.client.Get(ctx, service(k.namespace))
	if err != nil {
		return false, err
	}
	own, _ := i.String("SystemName")
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(k.namespace, cim.ClassComputerSystem)})
	for _, i := range all {
		if name, _ := i.String("Name"); own != "" && strings.EqualFold(name, own) {
			return true, err
		}
	}
	return false, err
}

func (k *kit) ownComputerSystem(ctx context.Context) verdict {
	is, err := k.ownSystem(ctx)
	if err != nil {
		return trouble(err)
	}
	return when(is, "listed %t", is)
}

// machine reads a machine by its name.
func (k *kit) machine(ctx context.Context, name string) (*cim.Instance, error) {
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(k.namespace, cim.ClassComputerSystem)})
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if have, _ := i.String("ElementName"); have == name {
			return i, nil
		}
	}
	return nil, errNoMachine
}

var errNoMachine = errors.New("the machine that should be there is not listed")

// stateIs asks for the EnabledState of a machine in a state.
func stateIs(state string, number uint64) func(*kit, context.Context) verdict {
	return func(k *kit, ctx context.Context) verdict {
		m := k.fixture(inState(state))
		if m == nil {
			return noFixture(state)
		}
		i, err := k.machine(ctx, m.Name)
		if err != nil {
			return machineTrouble(err)
		}
		n, ok, err := i.Uint("EnabledState", 16)
		return when(ok && err == nil && n == number, "EnabledState %d", n)
	}
}

// replicationNone asks for the ReplicationMode of the machine that is off: those that
// the set-up makes are not replicated.
func (k *kit) replicationNone(ctx context.Context) verdict {
	m := k.fixture(inState("off"))
	if m == nil {
		return noFixture("off")
	}
	i, err := k.machine(ctx, m.Name)
	if err != nil {
		return machineTrouble(err)
	}
	n, ok, err := i.Uint("ReplicationMode", 16)
	return when(ok && err == nil && n == 0, "ReplicationMode %d", n)
}

func machineTrouble(err error) verdict {
	if errors.Is(err, errNoMachine) {
		return contradicted("%s", errNoMachine)
	}
	return trouble(err)
}

// settingsOf lists the settings of a machine: its own first, then those of
// checkpoints.
func (k *kit) settingsOf(ctx context.Context, name string) ([]*cim.Instance, error) {
	machine, err := k.machine(ctx, name)
	if err != nil {
		return nil, err
	}
	id, _ := machine.String("Name")
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(k.namespace, classSettings)})
	if err != nil {
		return nil, err
	}
	var own, others []*cim.Instance
	for _, i := range all {
		of, _ := i.String("VirtualSystemIdentifier")
		instance, _ := i.String("InstanceID")
		switch {
		case !strings.EqualFold(of, id):
		case strings.EqualFold(instance, "Microsoft:"+id):
			own = append(own, i)
		default:
			others = append(others, i)
		}
	}
	return append(own, others...), nil
}

// disksOf lists the disks that settings name.
func (k *kit) disksOf(ctx context.Context, settings *cim.Instance) ([]string, error) {
	id, _ := settings.String("InstanceID")
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(k.namespace, cim.ClassStorageAllocationSettingData)})
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, i := range all {
		if of, _ := i.String("InstanceID"); strings.HasPrefix(strings.ToLower(of), strings.ToLower(id)+`\`) {
			paths = append(paths, i.Strings("HostResource")...)
		}
	}
	return paths, nil
}

func (k *kit) machineDiskNamed(ctx context.Context) verdict {
	m := k.fixture(inState("off"))
	if m == nil {
		return noFixture("off")
	}
	settings, err := k.settingsOf(ctx, m.Name)
	if err != nil {
		return machineTrouble(err)
	}
	if len(settings) == 0 {
		return contradicted("no settings with the ID of the machine")
	}
	paths, err := k.disksOf(ctx, settings[0])
	if err != nil {
		return trouble(err)
	}
	return when(len(paths) == 1 && winpath.Equal(paths[0], m.Disk), "%d disks, the one of the machine %t", len(paths), len(paths) > 0 && winpath.Equal(paths[0], m.Disk))
}

// withCheckpoint looks at the settings of a machine and of its checkpoint.
func (k *kit) withCheckpoint(ctx context.Context, look func(m *FixtureMachine, own, checkpoint *cim.Instance) verdict) verdict {
	m := k.fixture(func(m FixtureMachine) bool { return m.Checkpoint })
	if m == nil {
		return noFixture("one with a checkpoint")
	}
	settings, err := k.settingsOf(ctx, m.Name)
	if err != nil {
		return machineTrouble(err)
	}
	if len(settings) != 2 {
		return contradicted("%d settings with the machine's identifier", len(settings))
	}
	return look(m, settings[0], settings[1])
}

func (k *kit) checkpointKind(ctx context.Context) verdict {
	return k.withCheckpoint(ctx, func(_ *FixtureMachine, own, checkpoint *cim.Instance) verdict {
		of, _ := own.String("VirtualSystemType")
		kind, _ := checkpoint.String("VirtualSystemType")
		return when(of == "Microsoft:Hyper-V:System:Realized" && kind == "Microsoft:Hyper-V:Snapshot:Realized", "machine %s, checkpoint %s", of, kind)
	})
}

// checkpointDisks looks at the disks of the machine and of its checkpoint, and at the parent of the
// disk that the machine runs from.
func (k *kit) checkpointDisks(ctx context.Context) verdict {
	return k.withCheckpoint(ctx, func(m *FixtureMachine, own, checkpoint *cim.Instance) verdict {
		now, err := k.disksOf(ctx, own)
		if err != nil {
			return trouble(err)
		}
		before, err := k.disksOf(ctx, checkpoint)
		if err != nil {
			return trouble(err)
		}
		if len(now) != 1 || len(before) != 1 {
			return contradicted("the machine names %d disks, the checkpoint %d", len(now), len(before))
		}
		base := winpath.Equal(before[0], m.Disk)
		i, err := k.inspect(ctx, [2]string{"GetVirtualHardDiskSettingData", "SettingData"}, now[0])
		if err != nil {
			return trouble(err)
		}
		parent, _ := i.String("ParentPath")
		typ, _, _ := i.Uint("Type", 16)
		return when(base && typ == 4 && winpath.Equal(parent, m.Disk), "the checkpoint names the base %t; the machine's disk has type %d and the base as parent %t",
			base, typ, winpath.Equal(parent, m.Disk))
	})
}

func (k *kit) notesUnset(ctx context.Context) verdict {
	m := k.fixture(func(m FixtureMachine) bool { return !m.LongNotes })
	if m == nil {
		return noFixture("one without notes")
	}
	settings, err := k.settingsOf(ctx, m.Name)
	if err != nil {
		return machineTrouble(err)
	}
	if len(settings) == 0 {
		return contradicted("no settings with the ID of the machine")
	}
	lines := settings[0].Strings("Notes")
	return when(strings.Join(lines, "") == "", "%d elements, null %t", len(lines), len(lines) == 0)
}

// whileUsed inspects the disk of a machine in a state.
func whileUsed(state string) func(*kit, context.Context) verdict {
	return func(k *kit, ctx context.Context) verdict {
		m := k.fixture(inState(state))
		if m == nil {
			return noFixture(state)
		}
		var seen []string
		all := true
		for _, method := range k.inspections() {
			o, err := k.call(ctx, service(k.namespace), method[0], "Path", m.Disk)
			if err != nil {
				return trouble(err)
			}
			all = all && o.succeeded()
			seen = append(seen, method[0]+": "+o.String())
		}
		return when(all, "%s", strings.Join(seen, "; "))
	}
}

// compactRunning asks for a compaction that a host must refuse, because a machine has the disk
// open.
func (k *kit) compactRunning(ctx context.Context) verdict {
	m := k.fixture(inState("running"))
	if m == nil {
		return noFixture("running")
	}
	o, err := k.compact(ctx, m.Disk, "0")
	if err != nil {
		return trouble(err)
	}
	return when(inUse(o), "%s", o)
}
