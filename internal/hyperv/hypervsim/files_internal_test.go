package hypervsim

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

func newFiles(t *testing.T) *bench {
	t.Helper()
	b := newBench(
		t,
		VHD{Path: testDisk, FileSize: 7},
		VHD{Path: `D:\VMs\Old\web.01.vhd`},
		VHD{Path: `\\nas\vms\far.vhdx`},
		VHD{Path: `E:\root.vhdx`},
	)
	b.AddDirectory(`D:\Empty`)
	return b
}

func TestDataFile(t *testing.T) {
	t.Parallel()
	b := newFiles(t)
	o, fail := b.world.Get(testCaller, `ROOT\CIMV2`, "cim_datafile", []wmi.KeyValue{wmi.Key("name", `d:\vms\SQL01.VHDX`)})
	if fail != nil {
		t.Fatalf("fault %+v", *fail)
	}
	for name, value := range map[string]string{
		"Name": `d:\vms\sql01.vhdx`, "Drive": "d:", "Path": `\vms\`, "FileName": "sql01", "Extension": "vhdx", "FileSize": "7",
	} {
		want(t, name, o.Text(name), value)
	}
	for _, missing := range []string{`D:\VMs\gone.vhdx`, `\\nas\vms\far.vhdx`, `D:\VMs`} {
		if _, fail := b.world.Get(testCaller, cim.NamespaceCIMv2, cim.ClassDataFile, []wmi.KeyValue{wmi.Key("Name", missing)}); fail == nil || fail.Code != wmi.CodeResourceNotFound {
			t.Errorf("%s: %+v", missing, fail)
		}
	}
}

func TestDataFilesOfDirectory(t *testing.T) {
	t.Parallel()
	b := newFiles(t)
	tests := []struct {
		where []wmi.KeyValue
		want  []string
	}{
		{nil, []string{`d:\vms\old\web.01.vhd`, `d:\vms\sql01.vhdx`, `e:\root.vhdx`}},
		{[]wmi.KeyValue{wmi.Key("Drive", "D:"), wmi.Key("Path", `\VMs\`)}, []string{`d:\vms\sql01.vhdx`}},
		{[]wmi.KeyValue{wmi.Key("Drive", "D:"), wmi.Key("Path", `\VMs\Old\`), wmi.Key("Extension", "VHD")}, []string{`d:\vms\old\web.01.vhd`}},
		{[]wmi.KeyValue{wmi.Key("Drive", "e:"), wmi.Key("Path", `\`)}, []string{`e:\root.vhdx`}},
		{[]wmi.KeyValue{wmi.Key("Drive", "D:"), wmi.Key("Path", `\VMs\`), wmi.Key("Extension", "vhd")}, nil},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, b.all(cim.NamespaceCIMv2, cim.ClassDataFile, "Name", test.where...)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.where, diff)
		}
	}
}

// TestDirectories: a directory answers as long as its volume is there.
func TestDirectories(t *testing.T) {
	t.Parallel()
	b := newFiles(t)
	exists := func(name string) bool {
		_, fail := b.world.Get(testCaller, cim.NamespaceCIMv2, cim.ClassDirectory, []wmi.KeyValue{wmi.Key("Name", name)})
		return fail == nil
	}
	for name, wanted := range map[string]bool{
		`D:\VMs`: true, `d:\vms\old`: true, `D:\`: true, `D:\Gone`: false, testDisk: false, `\\nas\vms`: false, `F:\`: false,
	} {
		want(t, name, exists(name), wanted)
	}
	below := b.all(cim.NamespaceCIMv2, cim.ClassDirectory, "Name", wmi.Key("Drive", "d:"), wmi.Key("Path", `\`))
	if diff := cmp.Diff([]string{`d:\empty`, `d:\vms`}, below); diff != "" {
		t.Errorf("directories below the root (-want +got):\n%s", diff)
	}

	b.attachNow(testDisk)
	b.compact(testDisk, modeFull)
	b.RemoveVolume("D")
	want(t, "directory offline", exists(`D:\VMs`), false)
	want(t, "attachments offline", len(b.Attachments()), 0)
	want(t, "job offline", b.Jobs()[0].State, JobException)
	want(t, "files offline", len(b.all(cim.NamespaceCIMv2, cim.ClassDataFile, "Name")), 1)
	b.RestoreVolume("D:")
	want(t, "directory online", exists(`D:\VMs`), true)
}

func TestGrowWriteRemove(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, FileSize: 10 * mib})
	if err := b.Grow(testDisk, 5*mib); err != nil {
		t.Fatal(err)
	}
	if err := b.Write(testDisk, 3*mib); err != nil {
		t.Fatal(err)
	}
	want(t, "grown", b.fileSize(testDisk), 18*mib)
	b.compact(testDisk, modeFull)
	b.pass(defaultJobDuration)
	want(t, "compacted", b.fileSize(testDisk), 13*mib)
	if err := b.Remove(testDisk); err != nil {
		t.Fatal(err)
	}
	if _, there := b.VHD(testDisk); there {
		t.Error("the disk is still there")
	}
	if b.Grow(testDisk, 1) == nil || b.Remove(testDisk) == nil {
		t.Error("a missing disk was changed")
	}
	code, _ := b.compact(testDisk, modeFull)
	want(t, "return value", code, "32779")
}

func TestOperatingSystem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if diff := cmp.Diff([]string{"20348"}, b.all(cim.NamespaceCIMv2, "Win32_OperatingSystem", "BuildNumber")); diff != "" {
		t.Errorf("build (-want +got):\n%s", diff)
	}
}
