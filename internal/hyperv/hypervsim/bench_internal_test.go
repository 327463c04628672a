package hypervsim

import (
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

const (
	testDisk = `D:\VMs\sql01.vhdx`
	testUser = `LAB\backup`
	mib      = int64(1) << 20
)

var testCaller = wmi.Caller{User: testUser, Client: "test"}

// bench is a world whose clock a test moves by hand.
type bench struct {
	*Host
	t      *testing.T
	now    time.Time
	caller wmi.Caller
}

func newBench(t *testing.T, disks ...VHD) *bench {
	t.Helper()
	b := &bench{t: t, caller: testCaller, now: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)}
	b.Host = &Host{world: newWorld(func() time.Time { return b.now }, slog.New(slog.DiscardHandler), newSite())}
	t.Cleanup(b.world.close)
	for _, v := range disks {
		b.AddVHD(v)
	}
	return b
}

func (b *bench) pass(d time.Duration) { b.now = b.now.Add(d) }

// try calls a method and returns its output or its fault.
func (b *bench) try(c wmi.Call) (*wmi.Object, *wmi.Failure) {
	b.t.Helper()
	c.Caller = b.caller
	if c.Namespace == "" {
		c.Namespace = cim.NamespaceVirtualizationV2
	}
	if c.Class == "" {
		c.Class = cim.ClassImageManagementService
	}
	if c.Keys == nil {
		c.Keys = []wmi.KeyValue{wmi.Key("CreationClassName", cim.ClassImageManagementService)}
	}
	return b.world.Invoke(c)
}

// invoke calls a method of the service that must not fault.
func (b *bench) invoke(method string, in ...wmi.Property) *wmi.Object {
	b.t.Helper()
	return b.mustInvoke(wmi.Call{Method: method, Input: in})
}

func (b *bench) mustInvoke(c wmi.Call) *wmi.Object {
	b.t.Helper()
	o, fail := b.try(c)
	if fail != nil {
		b.t.Fatalf("%s: fault %+v", c.Method, *fail)
	}
	return o
}

func path(p string) wmi.Property { return wmi.Text("Path", p) }

func mode(m int) wmi.Property { return wmi.Text("Mode", strconv.Itoa(m)) }

func returnValue(o *wmi.Object) string { return o.Text("ReturnValue") }

// jobID is the job that an output refers to.
func jobID(o *wmi.Object) string {
	if p := o.Property("Job"); p != nil && p.Ref != nil {
		return p.Ref.Keys[0].Value
	}
	return ""
}

// compact starts a compaction and returns the return value and the job.
func (b *bench) compact(p string, m int) (string, string) {
	b.t.Helper()
	out := b.invoke("CompactVirtualHardDisk", path(p), mode(m))
	return returnValue(out), jobID(out)
}

// attachNow attaches a disk read-only.
func (b *bench) attachNow(p string) {
	b.t.Helper()
	if err := b.Attach(p, true); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) job(id string) (*wmi.Object, *wmi.Failure) {
	return b.world.Get(testCaller, cim.NamespaceVirtualizationV2, cim.ClassStorageJob, []wmi.KeyValue{wmi.Key("InstanceID", id)})
}

// jobText is a property of a job that must exist.
func (b *bench) jobText(id, name string) string {
	b.t.Helper()
	o, fail := b.job(id)
	if fail != nil {
		b.t.Fatalf("job %s: fault %+v", id, *fail)
	}
	return o.Text(name)
}

func (b *bench) wantJob(id string, want map[string]string) {
	b.t.Helper()
	for name, value := range want {
		if got := b.jobText(id, name); got != value {
			b.t.Errorf("%s of the job is %q, want %q", name, got, value)
		}
	}
}

func (b *bench) fileSize(p string) int64 {
	b.t.Helper()
	v, ok := b.VHD(p)
	if !ok {
		b.t.Fatalf("%s is not there", p)
	}
	return v.FileSize
}

func want[T comparable](t *testing.T, what string, got, wanted T) {
	t.Helper()
	if got != wanted {
		t.Errorf("%s: got %v, want %v", what, got, wanted)
	}
}
