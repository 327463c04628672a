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
