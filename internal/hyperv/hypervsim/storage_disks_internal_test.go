package hypervsim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// accessPaths follows an attached disk from its instance to the names of its
// volume, as a client does.
func (b *bench) accessPaths(image *wmi.Object) []string {
	b.t.Helper()
	number := ""
	disks, fail := b.world.Enumerate(testCaller, cim.NamespaceStorage, cim.ClassDisk, nil)
	if fail != nil {
		b.t.Fatalf("%+v", *fail)
	}
	for _, d := range disks {
		if strings.EqualFold(d.Text("Path"), image.Text("PnpDevicePath")) {
			number = d.Text("Number")
		}
	}
	partitions, _ := b.world.Enumerate(testCaller, cim.NamespaceStorage, cim.ClassPartition, []wmi.KeyValue{wmi.Key("DiskNumber", number)})
	var all []string
	for _, p := range partitions {
		for _, path := range p.Property("AccessPaths").Values {
			if !strings.HasPrefix(path, `\\?\Volume{`) {
				all = append(all, path)
			}
		}
	}
	return all
}

// TestStorageDisks: letters and folders of attached disks can be seen, and none
// where there are none.
func TestStorageDisks(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, AttachImmediate: true}, VHD{Path: `D:\VMs\a.vhdx`, AttachImmediate: true}, VHD{Path: `D:\VMs\b.vhdx`}, VHD{Path: `E:\c.vhdx`})
	attach := func(p, letter string) {
		t.Helper()
		o := b.invoke("AttachVirtualHardDisk", path(p), wmi.Text("ReadOnly", "true"), wmi.Text("AssignDriveLetter", letter))
		want(t, "attach", returnValue(o), "0")
	}
	attach(testDisk, "false")
	attach(`D:\VMs\a.vhdx`, "true")
	if err := b.Console(`LAB\backup`).Attach(`D:\VMs\b.vhdx`, true, `C:\mnt\b\`); err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, image := range b.images(cim.NamespaceVirtualizationV2) {
		got = append(got, b.accessPaths(image))
	}
	if diff := cmp.Diff([][]string{nil, {`F:\`}, {`C:\mnt\b\`}}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	b.world.release = Server2008
	if _, fail := b.world.Enumerate(testCaller, cim.NamespaceStorage, cim.ClassDisk, nil); fail == nil || fail.Code != wmi.CodeInvalidNamespace {
		t.Errorf("before 2012: %+v", fail)
	}
}
