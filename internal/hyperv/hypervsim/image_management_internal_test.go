package hypervsim

import (
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// TestCompactModes: what a mode reclaims depends on whether the disk is
// attached read-only; without that, Full and Quick fall back.
func TestCompactModes(t *testing.T) {
	t.Parallel()
	const size, mounted, unmounted = 1000 * mib, 600 * mib, 100 * mib
	tests := []struct {
		name     string
		mode     int
		attached bool
		want     int64 // file size afterwards
	}{
		{"full attached", modeFull, true, size - mounted},
		{"quick attached", modeQuick, true, size - mounted},
		{"pretrimmed attached", modePretrimmed, true, size - unmounted},
		{"full", modeFull, false, size - unmounted},
		{"quick", modeQuick, false, size - unmounted},
		{"pretrimmed", modePretrimmed, false, size - unmounted},
		{"prezeroed", modePrezeroed, false, size - unmounted},
		{"retrim attached", modeRetrim, true, size},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, VHD{Path: testDisk, FileSize: size, ReclaimableMounted: mounted, ReclaimableUnmounted: unmounted})
			if test.attached {
				b.attachNow(testDisk)
			}
			code, id := b.compact(testDisk, test.mode)
			want(t, "return value", code, "4096")
			b.pass(defaultJobDuration - time.Millisecond)
			want(t, "size before the end", b.fileSize(testDisk), size)
			b.pass(time.Millisecond)
			b.wantJob(id, map[string]string{"JobState": "7", "PercentComplete": "100", "ErrorCode": "0", "JobCompletionStatusCode": "0"})
			want(t, "size", b.fileSize(testDisk), test.want)
		})
	}
}

// TestCompactAfterRetrim: Retrim prepares a run that needs no attachment.
func TestCompactAfterRetrim(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, FileSize: 100 * mib, ReclaimableMounted: 60 * mib})
	b.attachNow(testDisk)
	b.compact(testDisk, modeRetrim)
	b.pass(defaultJobDuration)
	b.Detach(testDisk)
	b.compact(testDisk, modePretrimmed)
	b.pass(defaultJobDuration)
	want(t, "size", b.fileSize(testDisk), 40*mib)
}

// TestCompactPasses: some disks shrink in the second run only.
func TestCompactPasses(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, FileSize: 20 * mib, ReclaimableUnmounted: 9 * mib, UnlockedByPass: []int64{9 * mib}})
	for _, size := range []int64{11 * mib, 2 * mib, 2 * mib} {
		b.compact(testDisk, modeFull)
		b.pass(defaultJobDuration)
		want(t, "size", b.fileSize(testDisk), size)
	}
	want(t, "compactions", b.Compactions(testDisk), 3)
}

// TestCompactRefusals: every reason not to compact, with its codes, as a return
// value and as a failed job.
func TestCompactRefusals(t *testing.T) {
	t.Parallel()
	foreign := func(b *bench) {
		if _, err := b.StartForeignCompaction(testDisk, time.Minute); err != nil {
			b.t.Fatal(err)
		}
	}
	machine := func(state VMState, disks ...string) func(b *bench) {
		return func(b *bench) { b.AddVM(VM{Name: "sql01", State: state, Disks: disks}) }
	}
	child := `D:\VMs\sql01_child.avhdx`
	tests := []struct {
		name    string
		disk    VHD
		arrange func(b *bench)
		path    string
		mode    int
		code    string
		status  string // JobCompletionStatusCode as a decimal
		viaJob  bool   // by default
	}{
		{name: "running machine", arrange: machine(VMRunning, testDisk), code: "32774", status: "2147942432"},
		{name: "paused machine", arrange: machine(VMPaused, testDisk), code: "32774", status: "2147942432"},
		{name: "parent of a running machine's disk", arrange: func(b *bench) {
			b.AddVHD(VHD{Path: child, Type: TypeDifferencing, ParentPath: testDisk})
			machine(VMRunning, child)(b)
		}, code: "32774", status: "2147942432"},
		{name: "open elsewhere", disk: VHD{Locked: true}, code: "32774", status: "2147942432"},
		{name: "another compaction", arrange: foreign, code: "32774", status: "2147942432"},
		{name: "attached for writing", arrange: func(b *bench) { _ = b.Attach(testDisk, false) }, code: "32774", status: "2147942432"},
		{name: "being attached", arrange: func(b *bench) {
			b.invoke("AttachVirtualHardDisk", path(testDisk), wmi.Text("AssignDriveLetter", "false"), wmi.Text("ReadOnly", "true"))
		}, code: "32774", status: "2147942432"},
		{name: "no file", path: `D:\VMs\gone.vhdx`, code: "32779", status: "2147942402"},
		{name: "no directory", path: `D:\gone\gone.vhdx`, code: "32779", status: "2147942403"},
		{name: "no volume", arrange: func(b *bench) { b.RemoveVolume("d") }, code: "32779", status: "2147942403"},
		{name: "denied", disk: VHD{Denied: true}, code: "32769", status: "2147942405"},
		{name: "compressed", disk: VHD{Compressed: true}, code: "32768", status: "3225026586", viaJob: true},
		{name: "fixed VHD", path: `D:\VMs\old.vhd`, arrange: func(b *bench) {
			b.AddVHD(VHD{Path: `D:\VMs\old.vhd`, Type: TypeFixed})
		}, code: "32770", status: "3225026587", viaJob: true},
		{name: "VHD Set", path: `D:\VMs\set.vhds`, arrange: func(b *bench) { b.AddVHD(VHD{Path: `D:\VMs\set.vhds`}) }, code: "32770", status: "3225026587"},
		{name: "retrim unattached", mode: modeRetrim, code: "32775", status: "3225026588"},
		{name: "no parent", disk: VHD{Type: TypeDifferencing, ParentPath: `D:\VMs\parent.vhdx`}, code: "32768", status: "3225026573", viaJob: true},
	}
	for _, test := range tests {
		for _, via := range []Via{ViaDefault, ViaReturnValue, ViaJob} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				disk := test.disk
				disk.Path, disk.Refusals = testDisk, via
				b := newBench(t, disk)
				b.world.missingViaJob = via == ViaJob
				if test.arrange != nil {
					test.arrange(b)
				}
				target := orElse(test.path, testDisk)
				_ = b.Change(target, func(v *VHD) { v.Refusals = via })
				before, _ := b.VHD(target)
				code, id := b.compact(target, test.mode)
				missingByReturn := test.code == "32779" && via == ViaDefault
				if via == ViaJob || via == ViaDefault && test.viaJob && !missingByReturn {
					want(t, "return value", code, "4096")
					b.pass(refusalDuration)
					b.wantJob(id, map[string]string{"JobState": "10", "ErrorCode": test.code, "JobCompletionStatusCode": test.status, "JobType": "3"})
					if !strings.Contains(b.jobText(id, "ErrorDescription"), "0x") {
						t.Error("ErrorDescription lacks the HRESULT")
					}
				} else {
					want(t, "return value", code, test.code)
					want(t, "job", id, "")
				}
				after, _ := b.VHD(target)
				want(t, "size", after.FileSize, before.FileSize)
			})
		}
	}
}

// TestCompactBadMode: one of the five modes must be given.
func TestCompactBadMode(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	want(t, "unknown mode", returnValue(b.invoke("CompactVirtualHardDisk", path(testDisk), mode(5))), "32773")
	want(t, "no mode", returnValue(b.invoke("CompactVirtualHardDisk", path(testDisk))), "32773")
	want(t, "relative path", returnValue(b.invoke("CompactVirtualHardDisk", path("sql01.vhdx"), mode(0))), "32773")
	want(t, "compactions", b.Compactions(testDisk), 0)
	want(t, "requests", b.CompactionRequests(testDisk), 0)
}

// TestCompactFixedVHDX: it succeeds without an effect.
func TestCompactFixedVHDX(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, Type: TypeFixed, FileSize: 50 * mib, ReclaimableUnmounted: 20 * mib, Immediate: true})
	code, id := b.compact(testDisk, modeFull)
	want(t, "return value", code, "0")
	want(t, "job", id, "")
	want(t, "size", b.fileSize(testDisk), 50*mib)
}

// TestCompactInSequence: a second compaction is possible after the first only.
func TestCompactInSequence(t *testing.T) {
	t.Parallel()
	other := `D:\VMs\web01.vhdx`
	b := newBench(t, VHD{Path: testDisk}, VHD{Path: other})
	b.compact(testDisk, modeFull)
	code, _ := b.compact(strings.ToUpper(testDisk), modeFull)
	want(t, "second at once", code, "32774")
	code, _ = b.compact(other, modeFull)
	want(t, "other disk", code, "4096")
	b.pass(defaultJobDuration)
	code, _ = b.compact(testDisk, modeFull)
	want(t, "after the first", code, "4096")
	want(t, "compactions", b.Compactions(testDisk), 2)
	want(t, "requests", b.CompactionRequests(testDisk), 3)
	want(t, "peak", b.PeakCompactions(), 2)
	want(t, "violations", len(b.Violations()), 0)
}

// TestCompactFailingJob: a failed compaction leaves the disk as it was.
func TestCompactFailingJob(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{
		Path: testDisk, FileSize: 50 * mib, ReclaimableUnmounted: 20 * mib, JobDuration: 10 * time.Second,
		CompactionFailure: &JobFailure{ErrorCode: 32768, CompletionStatus: 0x80070070, After: 0.5},
	})
	_, id := b.compact(testDisk, modeFull)
	b.pass(4 * time.Second)
	b.wantJob(id, map[string]string{"JobState": "4", "ErrorCode": "0"})
	b.pass(time.Second)
	b.wantJob(id, map[string]string{"JobState": "10", "ErrorCode": "32768", "JobCompletionStatusCode": "2147942512", "Status": "Error"})
	want(t, "size", b.fileSize(testDisk), 50*mib)
}

func TestCompactSavedMachineIsAViolation(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	b.AddVM(VM{Name: "sql01", State: VMSaved, Disks: []string{testDisk}})
	code, _ := b.compact(testDisk, modeFull)
	want(t, "return value", code, "4096")
	want(t, "violations", len(b.Violations()), 1)
}

// TestInspect: the embedded instances, and what a host may leave out.
func TestInspect(t *testing.T) {
	t.Parallel()
	fragmentation := uint32(7)
	disk := VHD{
		Path: `D:\VMs\a & b.vhdx`, FileSize: 5, VirtualSize: 4096, MinInternalSize: 1024, FragmentationPercent: &fragmentation,
		VirtualDiskID: "0A1B", BlockSize: 1 << 20,
	}
	tests := []struct {
		name     string
		optional Optional
		method   string
		out      string
		want     string
	}{
		{"state", OptionalPresent, "GetVirtualHardDiskState", "State", `<INSTANCE CLASSNAME="Msvm_VirtualHardDiskState">` +
			`<PROPERTY NAME="Alignment" TYPE="uint32"><VALUE>1</VALUE></PROPERTY><PROPERTY NAME="FileSize" TYPE="uint64"><VALUE>5</VALUE></PROPERTY>` +
			`<PROPERTY NAME="FragmentationPercentage" TYPE="uint32"><VALUE>7</VALUE></PROPERTY><PROPERTY NAME="InUse" TYPE="boolean"><VALUE>FALSE</VALUE></PROPERTY>` +
			`<PROPERTY NAME="MinInternalSize" TYPE="uint64"><VALUE>1024</VALUE></PROPERTY><PROPERTY NAME="PhysicalSectorSize" TYPE="uint32"><VALUE>4096</VALUE></PROPERTY>` +
			`<PROPERTY NAME="Timestamp" TYPE="datetime"><VALUE>20261122020000.000000+000</VALUE></PROPERTY></INSTANCE>`},
		{"state with nulls", OptionalNull, "GetVirtualHardDiskState", "State", `<INSTANCE CLASSNAME="Msvm_VirtualHardDiskState">` +
			`<PROPERTY NAME="Alignment" TYPE="uint32"></PROPERTY><PROPERTY NAME="FileSize" TYPE="uint64"><VALUE>5</VALUE></PROPERTY>` +
			`<PROPERTY NAME="FragmentationPercentage" TYPE="uint32"></PROPERTY><PROPERTY NAME="InUse" TYPE="boolean"></PROPERTY>` +
			`<PROPERTY NAME="MinInternalSize" TYPE="uint64"></PROPERTY><PROPERTY NAME="PhysicalSectorSize" TYPE="uint32"></PROPERTY>` +
			`<PROPERTY NAME="Timestamp" TYPE="datetime"></PROPERTY></INSTANCE>`},
		{"state without", OptionalAbsent, "GetVirtualHardDiskState", "State", `<INSTANCE CLASSNAME="Msvm_VirtualHardDiskState">` +
			`<PROPERTY NAME="FileSize" TYPE="uint64"><VALUE>5</VALUE></PROPERTY></INSTANCE>`},
		{"settings without", OptionalAbsent, "GetVirtualHardDiskSettingData", "SettingData", `<INSTANCE CLASSNAME="Msvm_VirtualHardDiskSettingData">` +
			`<PROPERTY NAME="BlockSize" TYPE="uint32"><VALUE>1048576</VALUE></PROPERTY><PROPERTY NAME="Format" TYPE="uint16"><VALUE>3</VALUE></PROPERTY>` +
			`<PROPERTY NAME="MaxInternalSize" TYPE="uint64"><VALUE>4096</VALUE></PROPERTY><PROPERTY NAME="ParentPath" TYPE="string"><VALUE></VALUE></PROPERTY>` +
			`<PROPERTY NAME="Path" TYPE="string"><VALUE>D:\VMs\a &amp; b.vhdx</VALUE></PROPERTY><PROPERTY NAME="Type" TYPE="uint16"><VALUE>3</VALUE></PROPERTY></INSTANCE>`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			disk := disk
			disk.Optional = test.optional
			b := newBench(t, disk)
			out := b.invoke(test.method, path(disk.Path))
			want(t, "return value", returnValue(out), "0")
			want(t, test.out, out.Text(test.out), test.want)
		})
	}
}

// TestInspectReleases: properties came with releases of Windows.
func TestInspectReleases(t *testing.T) {
	t.Parallel()
	for release, wanted := range map[Release][3]bool{
		Server2012:   {false, false, false},
		Server2012R2: {true, false, false},
		Server2016:   {true, true, false},
		Server2022:   {true, true, true},
	} {
		b := newBench(t, VHD{Path: testDisk})
		b.world.release = release
		settings := b.invoke("GetVirtualHardDiskSettingData", path(testDisk)).Text("SettingData")
		for i, name := range []string{"VirtualDiskId", "ParentTimestamp", "IsPmemCompatible"} {
			want(t, name, strings.Contains(settings, `"`+name+`"`), wanted[i])
		}
	}
}

// TestInspectV1: the older generation has one inspection and no modes.
func TestInspectV1(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, FileSize: 9 * mib, VirtualSize: 4096, ReclaimableMounted: 6 * mib, ReclaimableUnmounted: 4 * mib})
	b.world.release = Server2008
	v1 := func(method string, in ...wmi.Property) *wmi.Object {
		return b.mustInvoke(wmi.Call{Namespace: cim.NamespaceVirtualizationV1, Method: method, Input: in})
	}
	info := v1("GetVirtualHardDiskInfo", path(testDisk)).Text("Info")
	want(t, "info", info, `<INSTANCE CLASSNAME="Msvm_VirtualHardDiskInfo"><PROPERTY NAME="FileSize" TYPE="uint64"><VALUE>9437184</VALUE></PROPERTY>`+
		`<PROPERTY NAME="InSavedState" TYPE="boolean"><VALUE>FALSE</VALUE></PROPERTY><PROPERTY NAME="InUse" TYPE="boolean"><VALUE>FALSE</VALUE></PROPERTY>`+
		`<PROPERTY NAME="MaxInternalSize" TYPE="uint64"><VALUE>4096</VALUE></PROPERTY><PROPERTY NAME="ParentPath" TYPE="string"></PROPERTY>`+
		`<PROPERTY NAME="Type" TYPE="uint16"><VALUE>3</VALUE></PROPERTY></INSTANCE>`)
	want(t, "compact", returnValue(v1("CompactVirtualHardDisk", path(testDisk))), "4096")
	b.pass(defaultJobDuration)
	want(t, "size", b.fileSize(testDisk), 5*mib)

	if _, fail := b.try(wmi.Call{Namespace: cim.NamespaceVirtualizationV1, Method: "CompactVirtualHardDisk", Input: []wmi.Property{path(testDisk), mode(0)}}); fail == nil {
		t.Error("a mode was taken by the generation that knows none")
	}
	if _, fail := b.try(wmi.Call{Method: "GetVirtualHardDiskState", Input: []wmi.Property{path(testDisk)}}); fail == nil || fail.Code != wmi.CodeInvalidNamespace {
		t.Errorf("v2 on a host without it: %+v", fail)
	}
}

// TestInspectInUse: a disk of a running machine can be read.
func TestInspectInUse(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	b.AddVM(VM{Name: "sql01", State: VMRunning, Disks: []string{testDisk}})
	want(t, "return value", returnValue(b.invoke("GetVirtualHardDiskState", path(testDisk))), "0")
	v1 := newBench(t, VHD{Path: testDisk})
	v1.world.release = Server2012
	v1.AddVM(VM{Name: "sql01", State: VMSaved, Disks: []string{testDisk}})
	info := v1.mustInvoke(wmi.Call{Namespace: cim.NamespaceVirtualizationV1, Method: "GetVirtualHardDiskInfo", Input: []wmi.Property{path(testDisk)}}).Text("Info")
	want(t, "saved", strings.Contains(info, `"InSavedState" TYPE="boolean"><VALUE>TRUE<`), true)
}

// TestMissingMethodsAndInput: unknown methods and parameters are faults.
func TestMissingMethodsAndInput(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		call wmi.Call
		code uint32
	}{
		{"no method", wmi.Call{Method: "CompactVirtualDisk"}, wmi.CodeInvalidMethod},
		{"no parameter", wmi.Call{Method: "CompactVirtualHardDisk", Input: []wmi.Property{wmi.Text("path", testDisk)}}, wmi.CodeInvalidParameterName},
		{"wrong type", wmi.Call{Method: "CompactVirtualHardDisk", Input: []wmi.Property{path(testDisk), wmi.Text("Mode", "Full")}}, wmi.CodeParameterTypeMismatch},
		{"out of range", wmi.Call{Method: "CompactVirtualHardDisk", Input: []wmi.Property{path(testDisk), wmi.Text("Mode", "65536")}}, wmi.CodeParameterTypeMismatch},
		{"no selector", wmi.Call{Method: "CompactVirtualHardDisk", Keys: []wmi.KeyValue{}, Input: []wmi.Property{path(testDisk), mode(0)}}, wmi.CodeInvalidMethodParameters},
		{"wrong selector", wmi.Call{Method: "CompactVirtualHardDisk", Keys: []wmi.KeyValue{wmi.Key("Path", testDisk)}}, wmi.CodeUnexpectedSelectors},
		{"other instance", wmi.Call{Method: "CompactVirtualHardDisk", Keys: []wmi.KeyValue{wmi.Key("Name", "other")}}, wmi.CodeResourceNotFound},
		{"no class", wmi.Call{Class: "Msvm_ImageService", Method: "CompactVirtualHardDisk"}, wmi.CodeResourceNotFound},
		{"no namespace", wmi.Call{Namespace: `root\virtualization`, Method: "CompactVirtualHardDisk"}, wmi.CodeInvalidNamespace},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, VHD{Path: testDisk})
			_, fail := b.try(test.call)
			if fail == nil || fail.Code != test.code {
				t.Errorf("got %+v, want code %d", fail, test.code)
			}
			want(t, "compactions", b.Compactions(testDisk), 0)
		})
	}
}
