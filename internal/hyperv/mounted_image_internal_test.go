package hyperv

import (
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

func attachedImage(name, lun string) *cim.Instance {
	i := cim.NewInstance(cim.ClassMountedStorageImage)
	for _, key := range mountKeys {
		i.Set(key, cim.Text("0"))
	}
	i.Set("Lun", cim.Text(lun))
	i.Set("Name", cim.Text(name))
	i.Set("Access", cim.Text("1"))
	return i
}

// TestImageIs: an attachment is the recorded one only if name and address are known and the same.
func TestImageIs(t *testing.T) {
	t.Parallel()
	const name = `D:\VMs\a.vhdx`
	at := &AttachedAt{Node: "HV01", Name: name, PortNumber: "0", PathID: "0", TargetID: "0", Lun: "3"}
	nameless := &AttachedAt{Node: "HV01", PortNumber: "0", PathID: "0", TargetID: "0", Lun: "3"}
	for _, c := range []struct {
		name string
		at   *AttachedAt
		want bool
	}{
		{name, at, true},
		{name, nil, false},
		{name, nameless, false},
		{name, &AttachedAt{Node: "HV01", Name: name}, false},
		{name, &AttachedAt{Node: "HV01"}, false},
	} {
		m, err := readImage("", attachedImage(c.name, "3"))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.is(c.at, "HV01"); got != c.want {
			t.Errorf("%q is %+v: %v, want %v", c.name, c.at, got, c.want)
		}
	}
	if (&mountedImage{readOnly: true}).is(&AttachedAt{Node: "HV01"}, "HV01") {
		t.Error("an attachment without name and address is taken for the recorded one")
	}
}

// TestReadImage_incomplete: an attachment that cannot be told from another is none to work with.
func TestReadImage_incomplete(t *testing.T) {
	t.Parallel()
	for _, i := range []*cim.Instance{attachedImage(`D:\VMs\a.vhdx`, ""), attachedImage("", "1")} {
		if m, err := readImage("", i); err == nil {
			t.Errorf("an incomplete attachment is read as %+v", m)
		}
	}
}
