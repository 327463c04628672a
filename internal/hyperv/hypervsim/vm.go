package hypervsim

import (
	"fmt"
	"strings"
)

// VMState is the state of a virtual machine.
type VMState int

// The states of a virtual machine that matter to its disks.
const (
	VMOff VMState = iota
	VMRunning
	VMSaved
	VMPaused
)

// VM is a virtual machine.
type VM struct {
	Name  string
	ID    string // a GUID; one is made up when it is empty
	State VMState
	// Disks are the paths of the virtual hard disks that it uses now.
	Disks       []string
	Checkpoints []Checkpoint
	// Optical are the paths of the images in its optical drives.
	Optical []string
	// Planned machines are being imported or migrated: they have a configuration, and are not
	// machines yet.
	Planned bool
	// Unlisted machines have settings that are shown and a Msvm_ComputerSystem that is
	// not.
	Unlisted bool
	// Replication is ReplicationMode: 0 none, 1 primary, 2 replica, 3 test replica,
	// 4 extended replica.
	Replication uint16
	// ReplicationState and ReplicationHealth are those of a machine that is
	// replicated.
	ReplicationState, ReplicationHealth uint16
	// Notes are the lines that people write about a machine.
	Notes []string
}

// Checkpoint is a saved state of a virtual machine.
type Checkpoint struct {
	Name  string
	ID    string
	Disks []string
	// Kind is the end of VirtualSystemType: Realized, which is the default, Recovery,
	// Planned, Missing, Replica:Standard, Replica:ApplicationConsistent or
	// Replica:PlannedFailover.
	Kind string
}

// machine is a virtual machine on the simulated host.
type machine struct{ VM }

// AddVM puts a virtual machine on the host.
func (h *Host) AddVM(vm VM) {
	h.world.lock()
	defer h.world.mu.Unlock()
	vm.ID = strings.ToUpper(orElse(vm.ID, h.world.newID()))
	checkpoints := append([]Checkpoint(nil), vm.Checkpoints...)
	for i := range checkpoints {
		checkpoints[i].ID = strings.ToUpper(orElse(checkpoints[i].ID, h.world.newID()))
	}
	vm.Checkpoints = checkpoints
	h.world.machines = append(h.world.machines, &machine{VM: vm})
}

// SetVMState starts, stops or saves a machine. A machine does not start while
// one of its disks is attached to a host or a job works on it.
func (h *Host) SetVMState(name string, state VMState) error {
	h.world.lock()
	defer h.world.mu.Unlock()
	m := h.world.machineNamed(name)
	if m == nil {
		return fmt.Errorf("no virtual machine %s", name)
	}
	if state == VMRunning {
		for _, path := range h.world.chains(m.Disks) {
			if h.world.attachedAnywhere(path) || h.world.jobOn(path) != nil {
				return fmt.Errorf("virtual machine %s does not start: %s is in use", name, path)
			}
		}
	}
	m.State = state
	return nil
}

func (w *world) machineNamed(name string) *machine {
	for _, m := range w.machines {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// VMs returns the virtual machines of the host.
func (h *Host) VMs() []VM {
	h.world.lock()
	defer h.world.mu.Unlock()
	var all []VM
	for _, m := range h.world.machines {
		all = append(all, m.VM)
	}
	return all
}

// isOpen reports whether a machine has a disk open: one that runs or is paused
// opens its disks and all their parents.
func (w *world) isOpen(path string) bool {
	_, running := w.user(path, VMRunning)
	_, paused := w.user(path, VMPaused)
	return running || paused
}

// user names a machine in the given state whose chain of disks holds path, on
// any node.
func (w *world) user(path string, state VMState) (string, bool) {
	for _, host := range w.sharers(path) {
		if name, ok := host.ownUser(w.fileID(path), state); ok {
			return name, true
		}
	}
	return "", false
}

func (w *world) ownUser(file fileID, state VMState) (string, bool) {
	for _, m := range w.machines {
		if m.State != state || m.Planned {
			continue
		}
		for _, p := range w.chains(m.Disks) {
			if w.fileID(p) == file {
				return m.Name, true
			}
		}
	}
	return "", false
}

// usedElsewhere reports whether another node has a file open: other nodes cannot even
// read it then.
//
// Unverified on a real host (read-on-other-node): the codes of the refusal.
func (w *world) usedElsewhere(path string) bool {
	file := w.fileID(path)
	for _, host := range w.sharers(path) {
		if host == w {
			continue
		}
		_, running := host.ownUser(file, VMRunning)
		_, paused := host.ownUser(file, VMPaused)
		if running || paused || host.attached(path) != nil || host.ownJobOn(path) != nil {
			return true
		}
	}
	return false
}

// chains returns the disks with all their parents.
func (w *world) chains(paths []string) []string {
	var all []string
	seen := map[string]bool{}
	for _, path := range paths {
		for path != "" && !seen[w.key(path)] {
			seen[w.key(path)] = true
			all = append(all, path)
			d, ok := w.disk(path)
			if !ok {
				break
			}
			path = d.ParentPath
		}
	}
	return all
}
