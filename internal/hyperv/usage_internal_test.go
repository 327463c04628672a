package hyperv

import (
	"fmt"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// TestJoin: each disk that a machine has counts, and is followed to its parents unless the host says
// that it is something else; one whose machine or file is not said counts as in use, or for all
// volumes.
func TestJoin(t *testing.T) {
	t.Parallel()
	const (
		disk, image = subTypeDisk, "Microsoft:Hyper-V:Virtual CD/DVD Disk"
		ours, other = `Microsoft:A\1`, `Microsoft:B\1`
		template    = `Microsoft:Definition\1\Default`
		path, stays = `C:\VMs\a.vhdx`, "A off " + `C:\VMs\a.vhdx`
	)
	for _, c := range []struct{ id, kind, path, want string }{
		{ours, disk, path, stays + " followed"},
		{ours, "MICROSOFT:Hyper-V:virtual hard disk", path, stays + " followed"},
		{ours, "", path, stays + " followed"},
		{ours, image, path, stays},
		{ours, "", `\\.\C:\VMs\..\a.vhdx.`, `A off \\.\C:\VMs\..\a.vhdx. followed`},
		{ours, "", "C:\\a\u00a0b.avhdx", "A off C:\\a\u00a0b.avhdx followed"},
		{ours, "", `C:\a.vhdx'`, `A off C:\a.vhdx' followed`},
		{ours, "", `\\?\GLOBALROOT\Device\HarddiskVolume3\a.vhdx`, `A off \\?\GLOBALROOT\Device\HarddiskVolume3\a.vhdx followed`},
		{ours, "", `\\HV1\root\v2:Msvm_DiskDrive.DeviceID="1"`, `A off \\HV1\root\v2:Msvm_DiskDrive.DeviceID="1"`},
		{ours, disk, "", "A off without a path"},
		{ours, "", "", "A off without a path"},
		{ours, image, "", "nothing"},
		{other, disk, path, "B running " + path + " followed"},
		{other, disk, "", "nothing"},
		{other, disk, `D:\VMs`, "nothing"}, // a resource pool
		{other, disk, `D:\VMs\A_1~1.AVH`, `B running D:\VMs\A_1~1.AVH followed`},
		{template, disk, "", "nothing"},
		{template, disk, path, "nothing"},
		{"", disk, path, "an error"},
	} {
		i := cim.NewInstance(cim.ClassStorageAllocationSettingData)
		i.Set("InstanceID", cim.Text(c.id))
		i.Set("ResourceSubType", cim.Text(c.kind))
		i.Set("HostResource", cim.Texts(c.path))
		u := &usage{}
		err := u.join(i, map[string]namedDisk{"MICROSOFT:A": {use: Use{Machine: "A", Kind: UseOff}}})
		got := "nothing"
		switch {
		case err != nil:
			got = "an error"
		case len(u.pathless) == 1:
			got = fmt.Sprintf("%s %s without a path", u.pathless[0].use.Machine, u.pathless[0].use.Kind)
		case len(u.named) == 1:
			d := u.named[0]
			got = fmt.Sprintf("%s %s %s", d.use.Machine, d.use.Kind, d.path)
			if d.file {
				got += " followed"
			}
		}
		if got != c.want {
			t.Errorf("disk %q of kind %q at %q: %s, want %s", c.id, c.kind, c.path, got, c.want)
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
		{"", UseOff, UseUnnamed},
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
