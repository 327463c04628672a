package hyperv

import (
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// TestHoldsDisk: a disk whose kind the host leaves out is followed to its parents under
// whatever name it has.
func TestHoldsDisk(t *testing.T) {
	t.Parallel()
	const disk, image = subTypeDisk, "Microsoft:Hyper-V:Virtual CD/DVD Disk"
	for _, c := range []struct {
		kind, path string
		want       bool
	}{
		{disk, `C:\VMs\a.vhdx`, true},
		{"MICROSOFT:Hyper-V:virtual hard disk", `C:\VMs\a.vhdx`, true},
		{disk, ``, false},
		{image, `C:\a.iso`, false},
		{"", `C:\VMs\a.vhdx`, true},
		{"", `\\.\C:\VMs\..\a.vhdx.`, true},
		{"", "C:\\VMs\\a\u00a0b.avhdx", true},
		{"", `C:\VMs\a.vhdx'`, true},
		{"", `\\?\GLOBALROOT\Device\HarddiskVolume3\a.vhdx`, true},
		{"", `\\HV1\root\virtualization\v2:Msvm_DiskDrive.DeviceID="1"`, false},
		{"", ``, false},
	} {
		i := cim.NewInstance(cim.ClassStorageAllocationSettingData)
		i.Set("ResourceSubType", cim.Text(c.kind))
		if got := holdsDisk(i, c.path); got != c.want {
			t.Errorf("holdsDisk(%q, %q) = %v, want %v", c.kind, c.path, got, c.want)
		}
		unsaid := cim.NewInstance(cim.ClassStorageAllocationSettingData)
		if got := holdsDisk(unsaid, c.path); c.kind == "" && got != c.want {
			t.Errorf("holdsDisk(null, %q) = %v, want %v", c.path, got, c.want)
		}
	}
}

func TestStampMaybe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b stamp
		want bool
	}{
		{stamp{5, 7}, stamp{5, 7}, true},
		{stamp{5, 7}, stamp{5, 8}, false},
		{stamp{5, 7}, stamp{6, 7}, false},
		{stamp{5, 7}, stamp{5, 0}, true},
		{stamp{5, 0}, stamp{5, 0}, true},
		{stamp{5, 0}, stamp{6, 0}, false},
	} {
		if a, b := c.a.maybe(c.b), c.b.maybe(c.a); a != c.want || b != c.want {
			t.Errorf("%v and %v: %v, %v; want %v", c.a, c.b, a, b, c.want)
		}
	}
}

// TestUseOfSettings: settings whose type the host does not say, or that is not known here, may be
// those with which the machine runs.
func TestUseOfSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  string
		state UseKind
		want  UseKind
	}{
		{"microsoft:hyper-v:system:realized", UseRunning, UseRunning},
		{"microsoft:hyper-v:system:realized", UseOff, UseOff},
		{"microsoft:hyper-v:snapshot:realized", UseRunning, UseCheckpoint},
		{"microsoft:hyper-v:snapshot:of the future", UseSaved, UseCheckpoint},
		{"microsoft:hyper-v:snapshot:recovery", UseRunning, UseRecovery},
		{"microsoft:hyper-v:snapshot:replica:standard", UseOff, UseReplicaPoint},
		{"", UseRunning, UseRunning},
		{"", UseSaved, UseSaved},
		{"", UseOff, UseCheckpoint},
		{"microsoft:hyper-v:something", UseRunning, UseRunning},
	} {
		if got := useOfSettings(c.kind, c.state); got != c.want {
			t.Errorf("useOfSettings(%q, %s) = %s, want %s", c.kind, c.state, got, c.want)
		}
	}
}

// TestReadStates_unnamed: a record without a name is that of no machine.
func TestReadStates_unnamed(t *testing.T) {
	t.Parallel()
	unnamed, named := cim.NewInstance(cim.ClassComputerSystem), cim.NewInstance(cim.ClassComputerSystem)
	unnamed.Set("Name", cim.Text(""))
	named.Set("Name", cim.Text("a"))
	if states := readStates([]*cim.Instance{unnamed, named}); len(states) != 1 || states["A"].kind != UseRunning {
		t.Errorf("states %v, want the named one", states)
	}
}
