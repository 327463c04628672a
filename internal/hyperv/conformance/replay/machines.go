package replay

import (
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// machineSeen is a machine of the recorded host, and the exchange that tells of it
// first.
type machineSeen struct {
	vm   hypervsim.VM
	told int
}

// states are the numbers of EnabledState in both generations.
var states = map[int64]hypervsim.VMState{
	2: hypervsim.VMRunning, 3: hypervsim.VMOff, 6: hypervsim.VMSaved, 9: hypervsim.VMPaused, 32768: hypervsim.VMPaused, 32769: hypervsim.VMSaved,
}

// machines lists the machines that the answers tell of, in their order, as each is
// when it is told of first.
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
	for _, x := range all {
		giveDisks(list, x)
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

// giveDisks gives machines the disks that an answer ties to them. The older
// generation says of a disk that a saved machine needs it, without naming one.
func giveDisks(list []*machineSeen, x exchange) {
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
