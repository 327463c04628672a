package replay

import (
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// machineSeen is a machine of the recorded host, and the exchange whose answer shows it first.
type machineSeen struct {
	vm   hypervsim.VM
	told int
}

// states are the numbers of EnabledState in both generations.
var states = map[int64]hypervsim.VMState{
	2: hypervsim.VMRunning, 3: hypervsim.VMOff, 6: hypervsim.VMSaved, 9: hypervsim.VMPaused, 32768: hypervsim.VMPaused, 32769: hypervsim.VMSaved,
}

// machines lists the machines in the answers, in order of appearance, each in the state of its
// first appearance.
func machines(all []exchange) []*machineSeen {
	var list []*machineSeen
	for _, x := range all {
		x.answer.all(func(n *node) {
			id := n.property("Name").value()
			if n.name != "Msvm_ComputerSystem" || id == "" || guidForm.FindString(id) != id || machineOf(list, id) != nil {
				return
			}
			if state, ok := number(n, "EnabledState"); ok {
				list = append(list, &machineSeen{vm: hypervsim.VM{Name: n.property("ElementName").value(), ID: id, State: states[state]}, told: x.Number})
			}
		})
	}
	giveSettings(list, all)
	for _, x := range all {
		giveSaved(list, x)
	}
	return list
}

func machineOf(list []*machineSeen, id string) *machineSeen {
	i := slices.IndexFunc(list, func(m *machineSeen) bool { return strings.EqualFold(m.vm.ID, id) })
	if i < 0 {
		return nil
	}
	return list[i]
}

// configured holds the settings of a machine or of a checkpoint.
type configured struct {
	id, machine, name string
	notes, disks      []string
}

// giveSettings gives machines the disks, the checkpoints and the notes that their
// settings name.
func giveSettings(list []*machineSeen, all []exchange) {
	var settings []*configured
	for _, x := range all {
		x.answer.all(func(n *node) {
			switch n.name {
			case "Msvm_VirtualSystemSettingData":
				settings = addSettings(settings, n)
			case "Msvm_StorageAllocationSettingData":
				addDisk(settings, n)
			}
		})
		if x.request != nil && x.class() == "Msvm_VirtualSystemSettingData" && x.answer.find("Fault") != nil && x.operation() == "Get" {
			lengthen(settings, x.selector("InstanceID"))
		}
	}
	for _, s := range settings {
		m := machineOf(list, s.machine)
		switch {
		case m == nil:
		case strings.EqualFold(s.id, s.machine):
			m.vm.Notes, m.vm.Disks = s.notes, append(m.vm.Disks, s.disks...)
		default:
			m.vm.Checkpoints = append(m.vm.Checkpoints, hypervsim.Checkpoint{ID: s.id, Name: s.name, Disks: s.disks})
		}
	}
}

const settingsPrefix = "Microsoft:"

func addSettings(settings []*configured, n *node) []*configured {
	id := strings.TrimPrefix(n.property("InstanceID").value(), settingsPrefix)
	if id == "" || slices.ContainsFunc(settings, func(s *configured) bool { return s.id == id }) {
		return settings
	}
	s := &configured{id: id, machine: n.property("VirtualSystemIdentifier").value(), name: n.property("ElementName").value()}
	for _, c := range n.children {
		if c.name == "Notes" && c.text != "" {
			s.notes = append(s.notes, c.text)
		}
	}
	return append(settings, s)
}

func addDisk(settings []*configured, n *node) {
	id, path := strings.TrimPrefix(n.property("InstanceID").value(), settingsPrefix), n.property("HostResource").value()
	for _, s := range settings {
		if strings.HasPrefix(id, s.id+`\`) && !slices.Contains(s.disks, path) {
			s.disks = append(s.disks, path)
		}
	}
}

// lengthen makes notes too long for an answer again, which they were before a mask shortened them.
func lengthen(settings []*configured, instanceID string) {
	const enough = 10000
	for _, s := range settings {
		if settingsPrefix+s.id == instanceID && len(s.notes) > 0 && len(s.notes[0]) < enough {
			s.notes[0] += strings.Repeat(" ", enough)
		}
	}
}

// giveSaved gives the disk of an exchange to a saved machine: the older generation says that a
// saved machine needs the disk, but not which.
func giveSaved(list []*machineSeen, x exchange) {
	if x.answer.find("Info").property("InSavedState").value() != "TRUE" {
		return
	}
	for _, m := range list {
		if m.vm.State == hypervsim.VMSaved && !slices.Contains(m.vm.Disks, x.path()) {
			m.vm.Disks = append(m.vm.Disks, x.path())
			return
		}
	}
}
