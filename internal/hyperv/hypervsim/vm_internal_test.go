package hypervsim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

const (
	machineID    = "11111111-AAAA-4000-8000-000000000001"
	checkpointID = "22222222-AAAA-4000-8000-000000000002"
)

func newMachine(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, VHD{Path: testDisk}, VHD{Path: `D:\VMs\sql01_1.avhdx`, Type: TypeDifferencing, ParentPath: testDisk})
	b.AddVM(VM{
		Name: "sql01", ID: strings.ToLower(machineID), Disks: []string{`D:\VMs\sql01_1.avhdx`},
		Checkpoints: []Checkpoint{{Name: "before update", ID: checkpointID, Disks: []string{testDisk}}},
	})
	return b
}

// all returns one property of all instances of a class.
func (b *bench) all(namespace, class, name string, where ...wmi.KeyValue) []string {
	b.t.Helper()
	objects, fail := b.world.Enumerate(testCaller, namespace, class, where)
	if fail != nil {
		b.t.Fatalf("fault %+v", *fail)
	}
	var values []string
	for _, o := range objects {
		if p := o.Property(name); p != nil {
			values = append(values, strings.Join(p.Values, " "))
		}
	}
	return values
}

func TestMachineClassesV2(t *testing.T) {
	t.Parallel()
	b := newMachine(t)
	tests := []struct {
		class, property string
		want            []string
	}{
		{cim.ClassComputerSystem, "Name", []string{"HYPERV", machineID}},
		{cim.ClassComputerSystem, "ElementName", []string{"HYPERV", "sql01"}},
		{cim.ClassVirtualSystemSettingData, "InstanceID", []string{"Microsoft:" + machineID, "Microsoft:" + checkpointID}},
		{cim.ClassVirtualSystemSettingData, "VirtualSystemIdentifier", []string{machineID, machineID}},
		{cim.ClassVirtualSystemSettingData, "VirtualSystemType", []string{"Microsoft:Hyper-V:System:Realized", "Microsoft:Hyper-V:Snapshot:Realized"}},
		{cim.ClassVirtualSystemSettingData, "ElementName", []string{"sql01", "before update"}},
		{cim.ClassVirtualSystemSettingData, "Parent", []string{"", `\\HYPERV\root\virtualization\v2:Msvm_VirtualSystemSettingData.InstanceID="Microsoft:` + machineID + `"`}},
		{cim.ClassStorageAllocationSettingData, "HostResource", []string{`D:\VMs\sql01_1.avhdx`, testDisk}},
		{cim.ClassStorageAllocationSettingData, "InstanceID", []string{
			"Microsoft:" + machineID + `\` + scsiController + `\0\0\L`, "Microsoft:" + checkpointID + `\` + scsiController + `\0\0\L`,
		}},
		{cim.ClassStorageAllocationSettingData, "Parent", []string{
			`\\HYPERV\root\virtualization\v2:Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:` + machineID + `\\` + scsiController + `\\0\\0\\D"`,
			`\\HYPERV\root\virtualization\v2:Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:` + checkpointID + `\\` + scsiController + `\\0\\0\\D"`,
		}},
		{cim.ClassResourceAllocSettingData, "InstanceID", []string{
			"Microsoft:" + machineID + `\` + scsiController + `\0\0\D`, "Microsoft:" + checkpointID + `\` + scsiController + `\0\0\D`,
		}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, b.all(cim.NamespaceVirtualizationV2, test.class, test.property)); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", test.property, test.class, diff)
		}
	}
	one := b.all(cim.NamespaceVirtualizationV2, cim.ClassVirtualSystemSettingData, "ElementName", wmi.Key("VirtualSystemType", "Microsoft:Hyper-V:Snapshot:Realized"))
	if diff := cmp.Diff([]string{"before update"}, one); diff != "" {
		t.Errorf("filtered (-want +got):\n%s", diff)
	}
}

func TestMachineClassesV1(t *testing.T) {
	t.Parallel()
	b := newMachine(t)
	b.world.release = Server2008
	v1 := cim.NamespaceVirtualizationV1
	disks := wmi.Key("ResourceSubType", "Microsoft Virtual Hard Disk")
	if diff := cmp.Diff([]string{`D:\VMs\sql01_1.avhdx`, testDisk}, b.all(v1, cim.ClassResourceAllocSettingData, "Connection", disks)); diff != "" {
		t.Errorf("Connection (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"3", "5"}, b.all(v1, cim.ClassVirtualSystemSettingData, "SettingType")); diff != "" {
		t.Errorf("SettingType (-want +got):\n%s", diff)
	}
	if _, fail := b.world.Enumerate(testCaller, v1, cim.ClassStorageAllocationSettingData, nil); fail == nil {
		t.Error("the older generation has storage allocations")
	}
}

func TestMachineStates(t *testing.T) {
	t.Parallel()
	b := newMachine(t)
	b.world.release = Server2012
	for state, wanted := range map[VMState][2]string{
		VMOff: {"3", "3"}, VMRunning: {"2", "2"}, VMSaved: {"6", "32769"}, VMPaused: {"9", "32768"},
	} {
		if err := b.SetVMState("sql01", state); err != nil {
			t.Fatal(err)
		}
		want(t, "v2", b.all(cim.NamespaceVirtualizationV2, cim.ClassComputerSystem, "EnabledState")[1], wanted[0])
		want(t, "v1", b.all(cim.NamespaceVirtualizationV1, cim.ClassComputerSystem, "EnabledState")[1], wanted[1])
	}
}

// TestMachineStart: a machine does not start while a disk of its chain is
// attached to the host or compacted.
func TestMachineStart(t *testing.T) {
	t.Parallel()
	b := newMachine(t)
	starts := func() bool {
		err := b.SetVMState("sql01", VMRunning)
		_ = b.SetVMState("sql01", VMOff)
		return err == nil
	}
	want(t, "at first", starts(), true)
	b.attachNow(testDisk)
	want(t, "with its parent attached", starts(), false)
	b.Detach(testDisk)
	b.compact(`D:\VMs\sql01_1.avhdx`, modeFull)
	want(t, "while it is compacted", starts(), false)
	b.pass(defaultJobDuration)
	want(t, "afterwards", starts(), true)
	if b.SetVMState("web01", VMRunning) == nil {
		t.Error("a machine started that is not there")
	}
}

// TestMachineKinds: the kinds of settings that a machine has, and its part in
// Hyper-V Replica.
func TestMachineKinds(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	b.AddVM(VM{Name: "coming", Planned: true, Disks: []string{testDisk}})
	b.AddVM(VM{Name: "copied", Replication: 1, ReplicationState: 3, ReplicationHealth: 1, Checkpoints: []Checkpoint{
		{Name: "nightly", Kind: "Recovery"}, {Name: "point", Kind: "Replica:Standard"}, {Name: "mine"},
	}})
	got := b.all(cim.NamespaceVirtualizationV2, cim.ClassVirtualSystemSettingData, "VirtualSystemType")
	wanted := []string{
		"Microsoft:Hyper-V:System:Planned", "Microsoft:Hyper-V:System:Realized", "Microsoft:Hyper-V:Snapshot:Recovery",
		"Microsoft:Hyper-V:Snapshot:Replica:Standard", "Microsoft:Hyper-V:Snapshot:Realized",
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{testDisk}, b.all(cim.NamespaceVirtualizationV2, cim.ClassStorageAllocationSettingData, "HostResource")); diff != "" {
		t.Errorf("disks (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"HYPERV", "copied"}, b.all(cim.NamespaceVirtualizationV2, cim.ClassComputerSystem, "ElementName")); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
	replication := func(name string) []string {
		return b.all(cim.NamespaceVirtualizationV2, cim.ClassComputerSystem, name, wmi.Key("ElementName", "copied"))
	}
	want(t, "ReplicationMode", replication("ReplicationMode")[0], "1")
	want(t, "ReplicationState", replication("ReplicationState")[0], "3")
	want(t, "ReplicationHealth", replication("ReplicationHealth")[0], "1")
}

// TestReplica: compacting the disk of a replica is a violation.
func TestReplica(t *testing.T) {
	t.Parallel()
	for mode, violations := range map[uint16][]string{0: nil, 1: nil, 2: {"replica"}, 4: {"replica"}} {
		b := newBench(t, VHD{Path: testDisk})
		b.AddVM(VM{Name: "copied", Replication: mode, Disks: []string{testDisk}})
		b.compact(testDisk, modePrezeroed)
		b.wantViolations(violations...)
	}
}

// TestHiddenMachines: nothing is seen, not even the host itself, and nothing is
// denied; a namespace can be.
func TestHiddenMachines(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	b.AddVM(VM{Name: "web", Disks: []string{testDisk}})
	seen := func(user string) int {
		t.Helper()
		n := 0
		for _, class := range []string{cim.ClassComputerSystem, cim.ClassVirtualSystemSettingData, cim.ClassStorageAllocationSettingData} {
			all, fail := b.world.Enumerate(wmi.Caller{User: user}, cim.NamespaceVirtualizationV2, class, nil)
			if fail != nil {
				t.Errorf("%s: %+v", class, *fail)
			}
			n += len(all)
		}
		return n
	}
	want(t, "seen", seen(testUser), 4)
	b.HideVMs(true)
	want(t, "seen when hidden", seen(testUser), 0)
	b.HideVMs(false)
	b.Deny(testUser, cim.NamespaceVirtualizationV2)
	_, fail := b.world.Enumerate(testCaller, `root\VIRTUALIZATION\v2`, cim.ClassComputerSystem, nil)
	if fail == nil || fail.Code != wmi.CodeServiceDenied {
		t.Errorf("denied: %+v", fail)
	}
	want(t, "seen by another who is not denied", seen(`LAB\clerk`), 4)
}

// TestVolumes: drives and mounted volumes, without a file system while offline.
func TestVolumes(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	b.MountVolume(`D:\Mount`)
	b.AddVHD(VHD{Path: `D:\Mount\web.vhdx`})
	systems := func() []string { return b.all(cim.NamespaceCIMv2, cim.ClassVolume, "FileSystem") }
	if diff := cmp.Diff([]string{`D:\`, `D:\Mount\`}, b.all(cim.NamespaceCIMv2, cim.ClassVolume, "Name")); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"NTFS", "NTFS"}, systems()); diff != "" {
		t.Errorf("file systems (-want +got):\n%s", diff)
	}
	b.SetMountOnline(`D:\Mount`, false)
	if diff := cmp.Diff([]string{"NTFS", ""}, systems()); diff != "" {
		t.Errorf("file systems while offline (-want +got):\n%s", diff)
	}
	points, fail := b.world.Enumerate(testCaller, cim.NamespaceCIMv2, cim.ClassMountPoint, nil)
	if fail != nil || len(points) != 1 {
		t.Fatalf("mount points: %v, %+v", points, fail)
	}
	volume, fail := b.world.Get(testCaller, cim.NamespaceCIMv2, cim.ClassVolume, points[0].Property("Volume").Ref.Keys)
	if fail != nil || volume.Text("Name") != `D:\Mount\` || volume.Text("FileSystem") != "" {
		t.Errorf("volume of the mount point: %v, %+v", volume, fail)
	}
	want(t, "directory", points[0].Property("Directory").Ref.Keys[0].Value, `D:\Mount`)
}

// TestTimestamp: it changes with the file, and not by itself.
func TestTimestamp(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, FileSize: 9 * mib, ReclaimableUnmounted: mib})
	stamp := func() string {
		state := b.invoke("GetVirtualHardDiskState", path(testDisk)).Text("State")
		_, after, _ := strings.Cut(state, `NAME="Timestamp" TYPE="datetime"><VALUE>`)
		value, _, _ := strings.Cut(after, "<")
		return value
	}
	first := stamp()
	b.pass(time.Hour)
	want(t, "later", stamp(), first)
	b.compact(testDisk, modePrezeroed)
	b.pass(time.Hour)
	if second := stamp(); second == first || second == "" {
		t.Errorf("after a compaction: %q, before %q", second, first)
	}
}

// TestParents: every way in which a parent can be out of reach, and what that means for the child.
func TestParents(t *testing.T) {
	t.Parallel()
	const child, share = `D:\VMs\child.avhdx`, `\\nas\golden\base.vhdx`
	tests := []struct {
		name, parent string
		arrange      func(b *bench)
		ofParent     string // return value and status of its job
		ofChild      string
	}{
		{"there", testDisk, nil, "0", "0"},
		{"absent", `D:\VMs\gone.vhdx`, nil, "32779 80070002", "32768 c03a000d"},
		{"on a share that is not there", share, nil, "32779 80070035", "32768 c03a000d"},
		{"on a share behind a second hop", share, func(b *bench) { b.CloseDirectory(`\\NAS\golden`) }, "32769 80070005", "0"},
		{"denied", testDisk, func(b *bench) { _ = b.Change(testDisk, func(v *VHD) { v.Denied = true }) }, "32769 80070005", "0"},
		{"open exclusively", testDisk, func(b *bench) { _ = b.Change(testDisk, func(v *VHD) { v.Exclusive = true }) }, "32774 80070020", "0"},
		{"locked", testDisk, func(b *bench) { _ = b.Change(testDisk, func(v *VHD) { v.Locked = true }) }, "0", "0"},
		{"itself", child, nil, "0", "0"},
		{"offline", `E:\base.vhdx`, func(b *bench) { b.AddVHD(VHD{Path: `E:\base.vhdx`}); b.RemoveVolume("E:") }, "32779 80070003", "32768 c03a000d"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, VHD{Path: testDisk})
			b.world.missingViaJob = true
			b.AddVHD(VHD{Path: child, Type: TypeDifferencing, ParentPath: test.parent})
			if test.arrange != nil {
				test.arrange(b)
			}
			want(t, "parent", b.inspected(test.parent), test.ofParent)
			want(t, "child", b.inspected(child), test.ofChild)
		})
	}
}

// inspected returns 0, or the code and the status with which an inspection is refused.
func (b *bench) inspected(p string) string {
	b.t.Helper()
	if d, refused := b.world.openable(p); refused != nil {
		return fmt.Sprintf("%d %x", refused.code, refused.status)
	} else if d == nil {
		b.t.Fatal("no disk and no refusal")
	}
	return returnValue(b.invoke("GetVirtualHardDiskSettingData", path(p)))
}
