// Package rehearsal makes of the simulated host what the workflow makes of a
// hosted Windows runner, so that all later steps can be tried without Windows.
package rehearsal

import (
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// states are the machines, one for each state.
var states = []struct {
	name  string
	state hypervsim.VMState
}{
	{"off", hypervsim.VMOff}, {"running", hypervsim.VMRunning}, {"saved", hypervsim.VMSaved}, {"paused", hypervsim.VMPaused},
}

// longNotes is longer than fits into the smallest MaxEnvelopeSize.
var longNotes = strings.Repeat("It is here to be looked at. ", 400)

// Machines returns virtual machines in every state, whose names begin with prefix and whose disks
// are in a directory. The first has long notes, the last two have a checkpoint and a linked clone.
func Machines(directory, prefix string) ([]hypervsim.Option, []conformance.FixtureMachine) {
	var options []hypervsim.Option
	var fixtures []conformance.FixtureMachine
	add := func(vm hypervsim.VM, f conformance.FixtureMachine, disks ...hypervsim.VHD) {
		options = append(options, hypervsim.WithVHD(disks...), hypervsim.WithVM(vm))
		fixtures = append(fixtures, f)
	}
	for _, s := range states {
		disk := winpath.Join(directory, s.name+".vhdx")
		vm := hypervsim.VM{Name: prefix + s.name, State: s.state, Disks: []string{disk}}
		f := conformance.FixtureMachine{Name: vm.Name, State: s.name, Disk: disk}
		if s.state == hypervsim.VMOff {
			vm.Notes, f.LongNotes = []string{longNotes}, true
		}
		add(vm, f, hypervsim.VHD{Path: disk})
	}
	base, child := winpath.Join(directory, "point.vhdx"), winpath.Join(directory, "point_1.avhdx")
	add(
		hypervsim.VM{Name: prefix + "point", Disks: []string{child}, Checkpoints: []hypervsim.Checkpoint{{Name: "before", Disks: []string{base}}}},
		conformance.FixtureMachine{Name: prefix + "point", State: "off", Disk: base, Checkpoint: true},
		hypervsim.VHD{Path: base}, hypervsim.VHD{Path: child, Type: hypervsim.TypeDifferencing, ParentPath: base},
	)
	golden, clone := winpath.Join(directory, "golden.vhdx"), winpath.Join(directory, "clone.vhdx")
	add(
		hypervsim.VM{Name: prefix + "clone", Disks: []string{clone}},
		conformance.FixtureMachine{Name: prefix + "clone", State: "off", Disk: clone, Parent: golden},
		hypervsim.VHD{Path: golden}, hypervsim.VHD{Path: clone, Type: hypervsim.TypeDifferencing, ParentPath: golden},
	)
	return options, fixtures
}

// PlugIn is the configuration of the WMI plug-in as the simulated host behaves.
const PlugIn = `<PlugInConfiguration xmlns="http://schemas.microsoft.com/wbem/wsman/1/config/PluginConfiguration" Name="WMI Provider">
<Resources>
<Resource ResourceUri="http://schemas.microsoft.com/wbem/wsman/1/wmi" SupportsOptions="true">
<Security Uri="" ExactMatch="false" Sddl="O:NSG:BAD:P(A;;GA;;;BA)(A;;GA;;;IU)(A;;GA;;;RM)"/>
</Resource>
</Resources>
<Quotas MaxConcurrentUsers="100" MaxConcurrentOperationsPerUser="15" MaxConcurrentOperations="1500"/>
</PlugInConfiguration>`
