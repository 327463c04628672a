package hypervsim

import (
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

const (
	testDisk = `D:\VMs\sql01.vhdx`
	testUser = `LAB\backup`
	mib      = int64(1) << 20
)

// bench is a world whose clock a test moves by hand.
type bench struct {
	*Host
	t   *testing.T
	now time.Time
}

func newBench(t *testing.T, disks ...VHD) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)}
	b.Host = &Host{world: newWorld(func() time.Time { return b.now }, slog.New(slog.DiscardHandler))}
	t.Cleanup(b.world.close)
	for _, v := range disks {
		b.AddVHD(v)
	}
	return b
}

func (b *bench) pass(d time.Duration) { b.now = b.now.Add(d) }

// try calls a method and returns its output or its fault.
func (b *bench) try(c call) (*object, *failure) {
	b.t.Helper()
	c.user = testUser
	if c.namespace == "" {
		c.namespace = cim.NamespaceVirtualizationV2
	}
	if c.class == "" {
		c.class = cim.ClassImageManagementService
	}
	if c.keys == nil {
		c.keys = []keyValue{{"CreationClassName", cim.ClassImageManagementService}}
	}
	return b.world.invoke(c)
}

// invoke calls a method of the service that must not fault.
func (b *bench) invoke(method string, in ...property) *object {
	b.t.Helper()
	return b.mustInvoke(call{method: method, input: in})
}

func (b *bench) mustInvoke(c call) *object {
	b.t.Helper()
	o, fail := b.try(c)
	if fail != nil {
		b.t.Fatalf("%s: fault %+v", c.method, *fail)
	}
	return o
}

func path(p string) property { return text("Path", p) }

func mode(m int) property { return text("Mode", strconv.Itoa(m)) }

func (o *object) returnValue() string { return o.text("ReturnValue") }

// jobID is the job that an output refers to.
func (o *object) jobID() string {
	if p := o.property("Job"); p != nil && p.ref != nil {
		return p.ref.keys[0].value
	}
	return ""
}

// compact starts a compaction and returns the return value and the job.
func (b *bench) compact(p string, m int) (string, string) {
	b.t.Helper()
	out := b.invoke("CompactVirtualHardDisk", path(p), mode(m))
	return out.returnValue(), out.jobID()
}

// attachNow attaches a disk read-only.
func (b *bench) attachNow(p string) {
	b.t.Helper()
	if err := b.Attach(p, true); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) job(id string) (*object, *failure) {
	return b.world.get(cim.NamespaceVirtualizationV2, cim.ClassStorageJob, []keyValue{{"InstanceID", id}})
}

// jobText is a property of a job that must exist.
func (b *bench) jobText(id, name string) string {
	b.t.Helper()
	o, fail := b.job(id)
	if fail != nil {
		b.t.Fatalf("job %s: fault %+v", id, *fail)
	}
	return o.text(name)
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
