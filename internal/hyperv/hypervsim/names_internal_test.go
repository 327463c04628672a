package hypervsim

import (
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

const (
	dataVolume  = "8f14e45f-0000-4000-8000-00000000000d"
	mountVolume = "8f14e45f-0000-4000-8000-0000000000ee"
)

// newNames is a host with a file that has seven names, and one on a mounted
// volume.
func newNames(t *testing.T) *bench {
	t.Helper()
	h, err := New(
		WithVHD(VHD{Path: `D:\Virtual Machines\sql01.vhdx`, JobDuration: time.Hour}, VHD{Path: `D:\Mount\web.vhdx`}),
		WithShortName(`D:\Virtual Machines`, "VIRTUA~1"),
		WithVolumeGUID("D:", dataVolume),
		WithShare("machines", `D:\Virtual Machines`),
		WithComputerName("HV01"),
	)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Host: h, t: t, caller: testCaller, now: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)}
	h.world.clock = func() time.Time { return b.now }
	t.Cleanup(h.world.close)
	return b
}

// TestNames: a file is one file under all of its names, and others are others.
func TestNames(t *testing.T) {
	t.Parallel()
	names := []string{
		`D:\Virtual Machines\sql01.vhdx`,
		`d:/VIRTUA~1/SQL01.VHDX`,
		`\\?\Volume{` + dataVolume + `}\Virtual Machines\sql01.vhdx`,
		`\\?\Volume{` + dataVolume + `}\virtua~1\sql01.vhdx`,
		`\\HV01\D$\Virtual Machines\sql01.vhdx`,
		`\\hv01.lab.example\d$\VIRTUA~1\sql01.vhdx`,
		`\\localhost\machines\sql01.vhdx`,
	}
	for _, first := range names {
		b := newNames(t)
		want(t, first, returnValue(b.invoke("GetVirtualHardDiskState", path(first))), "0")
		code, _ := b.compact(first, modePretrimmed)
		want(t, "compact "+first, code, "4096")
		for _, second := range names {
			code, _ := b.compact(second, modePretrimmed)
			want(t, second+" while "+first+" is compacted", code, "32774")
		}
		want(t, "compactions", b.Compactions(names[0]), 1)
	}
	b := newNames(t)
	for _, other := range []string{`\\HV02\D$\Virtual Machines\sql01.vhdx`, `D:\VIRTUA~2\sql01.vhdx`, `\\HV01\others\sql01.vhdx`} {
		want(t, other, returnValue(b.invoke("GetVirtualHardDiskState", path(other))), "32779")
	}
}

// TestAttachmentNames: an attached disk is found by every name and listed under
// one; its address detaches it, whatever the name.
func TestAttachmentNames(t *testing.T) {
	t.Parallel()
	b := newNames(t)
	b.world.listed = func(string) string { return `\\?\Volume{` + dataVolume + `}\VIRTUA~1\sql01.vhdx` }
	b.attachAs("a", `D:\VIRTUA~1\sql01.vhdx`)
	image := b.images(cim.NamespaceVirtualizationV2)[0]
	want(t, "Name", image.Text("Name"), `\\?\Volume{`+dataVolume+`}\VIRTUA~1\sql01.vhdx`)
	found := b.invoke("FindMountedStorageImageInstance", wmi.Text("SelectionCriterion", `\\HV01\D$\Virtual Machines\sql01.vhdx`), wmi.Text("CriterionType", "2"))
	want(t, "find", returnValue(found), "0")
	b.detachAs("a")
	want(t, "attachments", len(b.Attachments()), 0)
	b.wantViolations()
}

// TestMountPoint: the directory of a mounted volume answers although the volume
// is offline, which proves nothing of the files on it.
func TestMountPoint(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.world.mountVolume(`D:\Mount`, volumeGUIDKey(mountVolume), false)
	b.AddVHD(VHD{Path: `D:\Mount\VMs\web.vhdx`})
	directory := func(name string) bool {
		_, fail := b.world.Get(testCaller, cim.NamespaceCIMv2, cim.ClassDirectory, []wmi.KeyValue{wmi.Key("Name", name)})
		return fail == nil
	}
	state := func() string {
		return returnValue(b.invoke("GetVirtualHardDiskState", path(`\\?\Volume{`+mountVolume+`}\VMs\web.vhdx`)))
	}
	want(t, "state", state(), "0")
	want(t, "directory below", directory(`D:\Mount\VMs`), true)
	b.RemoveVolume(`D:\Mount`)
	want(t, "state while offline", state(), "32779")
	want(t, "directory below while offline", directory(`D:\Mount\VMs`), false)
	want(t, "directory of the mount while offline", directory(`D:\Mount`), true)
	b.RestoreVolume(`\\?\Volume{` + mountVolume + `}\`)
	want(t, "state again", state(), "0")
	b.RemoveVolume("D")
	want(t, "directory of the mount without its drive", directory(`D:\Mount`), false)
}
