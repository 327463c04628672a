package hypervsim

import (
	"strings"
	"testing"

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

// texts returns one property of all instances of a class.
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
