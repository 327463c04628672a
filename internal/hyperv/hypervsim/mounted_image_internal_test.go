package hypervsim

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// attachCall calls AttachVirtualHardDisk.
func (b *bench) attachCall(p, readOnly string) (string, string) {
	b.t.Helper()
	out := b.invoke("AttachVirtualHardDisk", path(p), wmi.Text("AssignDriveLetter", "false"), wmi.Text("ReadOnly", readOnly))
	return returnValue(out), jobID(out)
}

func (b *bench) images(namespace string) []*wmi.Object {
	b.t.Helper()
	all, fail := b.world.Enumerate(testCaller, namespace, cim.ClassMountedStorageImage, nil)
	if fail != nil {
		b.t.Fatalf("fault %+v", *fail)
	}
	return all
}

func imageKeys(o *wmi.Object) []wmi.KeyValue {
	var keys []wmi.KeyValue
	for _, k := range o.Keys {
		keys = append(keys, wmi.Key(k, o.Text(k)))
	}
	return keys
}

func (b *bench) detachCall(keys []wmi.KeyValue) (string, *wmi.Failure) {
	b.t.Helper()
	out, fail := b.try(wmi.Call{Class: cim.ClassMountedStorageImage, Method: "DetachVirtualHardDisk", Keys: keys})
	if fail != nil {
		return "", fail
	}
	return returnValue(out), nil
}

// TestAttachAndDetach: attach as a job, find, detach, and no more.
func TestAttachAndDetach(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	code, id := b.attachCall(testDisk, "TRUE")
	want(t, "return value", code, "4096")
	b.wantJob(id, map[string]string{"JobType": "7", "JobState": "2"})
	want(t, "attachments before the end", len(b.Attachments()), 0)
	b.pass(defaultAttachDuration)
	b.wantJob(id, map[string]string{"JobState": "7"})
	if diff := cmp.Diff([]Attachment{{Path: testDisk, ReadOnly: true, Client: "test"}}, b.Attachments()); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
	images := b.images(cim.NamespaceVirtualizationV2)
	want(t, "images", len(images), 1)
	want(t, "Access", images[0].Text("Access"), "1")
	want(t, "Name", images[0].Text("Name"), testDisk)

	keys := imageKeys(images[0])
	code, fail := b.detachCall(keys)
	if fail != nil || code != "0" {
		t.Errorf("detach: %q, %+v", code, fail)
	}
	want(t, "attachments", len(b.Attachments()), 0)
	if _, fail := b.detachCall(keys[:1]); fail == nil || fail.Code != wmi.CodeInsufficientSelectors {
		t.Errorf("detach by one key: %+v", fail)
	}
	if _, fail := b.detachCall([]wmi.KeyValue{}); fail == nil || fail.Code != wmi.CodeNotSingleton {
		t.Errorf("detach by no key: %+v", fail)
	}
	if _, fail := b.detachCall(keys); fail == nil || fail.Code != wmi.CodeResourceNotFound {
		t.Errorf("detach again: %+v", fail)
	}
	want(t, "violations", len(b.Violations()), 0)
}

func TestAttachImmediately(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, AttachImmediate: true})
	code, id := b.attachCall(testDisk, "false")
	want(t, "return value", code, "0")
	want(t, "job", id, "")
	want(t, "Access", b.images(cim.NamespaceVirtualizationV2)[0].Text("Access"), "2")
}

// TestAttachOrder: all that happened since the last access happened in the order of its times.
func TestAttachOrder(t *testing.T) {
	t.Parallel()
	slow, quick := VHD{Path: `D:\VMs\slow.vhdx`, AttachDuration: 2 * time.Second}, VHD{Path: `D:\VMs\quick.vhdx`}
	b := newBench(t, slow, quick)
	b.attachCall(slow.Path, "true")
	b.attachCall(quick.Path, "true")
	b.pass(time.Minute)
	if diff := cmp.Diff([]Attachment{{Path: quick.Path, ReadOnly: true, Client: "test"}, {Path: slow.Path, ReadOnly: true, Client: "test"}}, b.Attachments()); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
}

func TestAttachRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		arrange func(b *bench)
		path    string
		code    string
	}{
		{"attached", func(b *bench) { b.attachNow(testDisk) }, testDisk, "32774"},
		{"being attached", func(b *bench) { b.attachCall(testDisk, "true") }, strings.ToUpper(testDisk), "32774"},
		{"running machine", func(b *bench) { b.AddVM(VM{State: VMRunning, Disks: []string{testDisk}}) }, testDisk, "32774"},
		{"being compacted", func(b *bench) { b.compact(testDisk, modeFull) }, testDisk, "32774"},
		{"denied", func(b *bench) { _ = b.Change(testDisk, func(v *VHD) { v.Denied = true }) }, testDisk, "32769"},
		{"missing", func(*bench) {}, `D:\VMs\gone.vhdx`, "32779"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, VHD{Path: testDisk})
			test.arrange(b)
			code, _ := b.attachCall(test.path, "true")
			want(t, "return value", code, test.code)
		})
	}
}

func TestAttachFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, AttachFailure: &JobFailure{ErrorCode: 32768, CompletionStatus: 0xC03A0005}})
	_, id := b.attachCall(testDisk, "true")
	b.pass(defaultAttachDuration)
	b.wantJob(id, map[string]string{"JobState": "10", "ErrorCode": "32768", "JobCompletionStatusCode": "3225026565"})
	want(t, "attachments", len(b.Attachments()), 0)
}

// TestAttachCancelled: a cancelled attach attaches nothing.
func TestAttachCancelled(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	_, id := b.attachCall(testDisk, "true")
	b.CancelJob(id)
	b.pass(time.Minute)
	want(t, "attachments", len(b.Attachments()), 0)
}

func TestDetachFailures(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, DetachFailures: 1})
	b.attachNow(testDisk)
	keys := imageKeys(b.images(cim.NamespaceVirtualizationV2)[0])
	for _, wanted := range []string{"1", "0"} {
		code, _ := b.detachCall(keys)
		want(t, "return value", code, wanted)
	}
}

// TestDetachWhileCompacting: the compaction fails and the oracle reports it.
func TestDetachWhileCompacting(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, FileSize: 9 * mib, ReclaimableMounted: 4 * mib})
	b.attachNow(testDisk)
	_, id := b.compact(testDisk, modeFull)
	b.pass(defaultJobDuration / 2)
	code, _ := b.detachCall(imageKeys(b.images(cim.NamespaceVirtualizationV2)[0]))
	want(t, "return value", code, "0")
	b.wantJob(id, map[string]string{"JobState": "10", "ErrorCode": "32768"})
	b.pass(time.Minute)
	want(t, "size", b.fileSize(testDisk), 9*mib)
	want(t, "violations", len(b.Violations()), 1)
}

// TestFindMountedImage: by path, since Windows Server 2016.
func TestFindMountedImage(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: `D:\VMs\other.vhdx`}, VHD{Path: testDisk})
	find := func(criterion, kind string) *wmi.Object {
		return b.invoke("FindMountedStorageImageInstance", wmi.Text("SelectionCriterion", criterion), wmi.Text("CriterionType", kind))
	}
	want(t, "not attached", returnValue(find(testDisk, "2")), "32789")
	b.attachNow(`D:\VMs\other.vhdx`)
	b.attachNow(testDisk)
	out := find(strings.ToLower(testDisk), "2")
	want(t, "return value", returnValue(out), "0")
	code, fail := b.detachCall(out.Property("Image").Ref.Keys)
	if fail != nil || code != "0" {
		t.Errorf("detach: %q, %+v", code, fail)
	}
	if diff := cmp.Diff([]Attachment{{Path: `D:\VMs\other.vhdx`, ReadOnly: true, Client: `console of HYPERV\Administrator`}}, b.Attachments()); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
	want(t, "wrong criterion", returnValue(find(testDisk, "1")), "32773")
	b.world.release = Server2012R2
	if _, fail := b.try(wmi.Call{Method: "FindMountedStorageImageInstance"}); fail == nil || fail.Code != wmi.CodeInvalidMethod {
		t.Errorf("before 2016: %+v", fail)
	}
}

// TestMountV1: the older generation mounts for writing only.
func TestMountV1(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, AttachImmediate: true})
	b.world.release = Server2008
	v1 := func(class, method string, keys []wmi.KeyValue, in ...wmi.Property) string {
		return returnValue(b.mustInvoke(wmi.Call{Namespace: cim.NamespaceVirtualizationV1, Class: class, Method: method, Keys: keys, Input: in}))
	}
	want(t, "mount", v1("", "Mount", nil, path(testDisk)), "0")
	images := b.images(cim.NamespaceVirtualizationV1)
	want(t, "Access", images[0].Text("Access"), "2")
	want(t, "compact", v1("", "CompactVirtualHardDisk", nil, path(testDisk)), "32774")
	want(t, "unmount", v1(cim.ClassMountedStorageImage, "Unmount", imageKeys(images[0])), "0")
	want(t, "mount", v1("", "Mount", nil, path(testDisk)), "0")
	want(t, "unmount by path", v1("", "Unmount", nil, path(testDisk)), "0")
	want(t, "attachments", len(b.Attachments()), 0)
}
