package hyperv

import (
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// TestReadSettings_noID: an empty VirtualDiskId is none; taken for one it would make each
// other disk without one the same.
func TestReadSettings_noID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "none", "6B1F": "6B1F"} {
		i := cim.NewInstance(cim.ClassVirtualHardDiskSettingData)
		i.Set("MaxInternalSize", cim.Text("1"))
		i.Set("VirtualDiskId", cim.Text(text))
		disk, err := readSettings(`C:\a.vhdx`, i)
		got := "none"
		if disk.VirtualDiskID != nil {
			got = *disk.VirtualDiskID
		}
		if err != nil || got != want {
			t.Errorf("readSettings with VirtualDiskId %q = %q, %v; want %q", text, got, err, want)
		}
	}
}
