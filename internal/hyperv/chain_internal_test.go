package hyperv

import (
	"errors"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

func TestReadLink(t *testing.T) {
	t.Parallel()
	const parent = `D:\VMs\base.vhdx`
	for _, c := range []struct {
		kind, named, parent string
		err                 error
	}{
		{kind: "2"},
		{kind: "3"},
		{kind: "4", named: parent, parent: parent},
		{kind: "3", named: parent, parent: parent},
		{kind: "4", named: `\\?\GLOBALROOT\Device\HarddiskVolume3\a.vhdx`, parent: `\\?\GLOBALROOT\Device\HarddiskVolume3\a.vhdx`},
		{kind: "4", err: errParentUntold},
		{kind: "", err: errParentUntold},
		{kind: "5", err: errParentUntold},
		{kind: "4", named: "base.vhdx", err: errParentUntold},
		{kind: "3", named: `..\base.vhdx`, err: errParentUntold},
	} {
		i := cim.NewInstance(cim.ClassVirtualHardDiskSettingData)
		i.Set("Type", cim.Text(c.kind))
		i.Set("ParentPath", cim.Text(c.named))
		l := readLink(`D:\VMs\a.vhdx`, i)
		if l.parent != c.parent || !errors.Is(l.err, c.err) {
			t.Errorf("type %q, parent %q: %q, %v; want %q, %v", c.kind, c.named, l.parent, l.err, c.parent, c.err)
		}
	}
}
