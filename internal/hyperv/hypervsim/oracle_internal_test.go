package hypervsim

import (
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// as returns the bench of another client.
func (b *bench) as(client string) *bench {
	b.caller = wmi.Caller{User: testUser, Client: client}
	return b
}

// wantViolations takes the violations and compares them by a part of each.
func (b *bench) wantViolations(parts ...string) {
	b.t.Helper()
	got := b.TakeViolations()
	if len(got) != len(parts) {
		b.t.Errorf("violations = %q, want %q", got, parts)
		return
	}
	for i, part := range parts {
		if !strings.Contains(got[i], part) {
			b.t.Errorf("violation = %q, want %q in it", got[i], part)
		}
	}
}

// attachAs attaches a disk read-only for a client and waits for the job.
func (b *bench) attachAs(client, path string) {
	b.t.Helper()
	code, _ := b.as(client).attachCall(path, "true")
	want(b.t, "attach", code, "4096")
	b.pass(time.Second)
}

func (b *bench) detachAs(client string) {
	b.t.Helper()
	code, fail := b.as(client).detachCall(imageKeys(b.images(cim.NamespaceVirtualizationV2)[0]))
	if fail != nil || code != "0" {
		b.t.Fatalf("detach: %q, %+v", code, fail)
	}
}

// TestOracle_detach: a detach is judged by the client to which the attachment
// belongs, and by what runs on it.
func TestOracle_detach(t *testing.T) {
	t.Parallel()
	long := VHD{Path: testDisk, FileSize: 9 * mib, JobDuration: time.Hour}
	t.Run("one's own", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachAs("a", testDisk)
		b.detachAs("a")
		b.wantViolations()
	})
	t.Run("another's", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachAs("a", testDisk)
		b.detachAs("b")
		b.wantViolations("b detached " + testDisk + ", which a had attached")
	})
	t.Run("taken over", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachAs("a", testDisk)
		b.as("b").compact(testDisk, modeQuick)
		b.pass(2 * time.Hour)
		b.detachAs("b")
		b.wantViolations()
	})
	t.Run("taken over by another", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachAs("a", testDisk)
		b.as("b").compact(testDisk, modeQuick)
		b.pass(2 * time.Hour)
		b.detachAs("a")
		b.wantViolations("a detached " + testDisk + ", which b had attached")
	})
	t.Run("not taken over by a refused request", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachAs("a", testDisk)
		b.compact(testDisk, modeQuick)
		code, _ := b.as("b").compact(testDisk, modeQuick)
		want(t, "second compaction", code, "32774")
		b.pass(2 * time.Hour)
		b.detachAs("a")
		b.wantViolations()
	})
	t.Run("of a person", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachNow(testDisk)
		b.detachAs("a")
		b.wantViolations("a detached " + testDisk)
	})
	t.Run("by a person", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachAs("a", testDisk)
		b.compact(testDisk, modeQuick)
		b.Detach(testDisk)
		b.wantViolations()
	})
	t.Run("beneath one's own compaction", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachAs("a", testDisk)
		b.compact(testDisk, modeQuick)
		b.detachAs("a")
		b.wantViolations("a detached " + testDisk + " while a compacted it")
	})
	t.Run("beneath that of a person", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, long)
		b.attachAs("a", testDisk)
		if _, err := b.Console(`LAB\colleague`).Compact(testDisk, time.Hour); err != nil {
			t.Fatal(err)
		}
		b.detachAs("a")
		b.wantViolations("which console of", "while console of")
	})
}

// TestOracle_cancel: a client may cancel only its own jobs.
func TestOracle_cancel(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, JobDuration: time.Hour})
	cancel := func(client, id string) {
		t.Helper()
		o := b.as(client).mustInvoke(wmi.Call{
			Class: cim.ClassStorageJob, Method: "RequestStateChange",
			Keys: []wmi.KeyValue{wmi.Key("InstanceID", id)}, Input: []wmi.Property{wmi.Text("RequestedState", "4")},
		})
		want(t, "return value", returnValue(o), "0")
	}
	_, id := b.as("a").compact(testDisk, modePretrimmed)
	cancel("b", id)
	b.wantViolations("b cancelled a job of a on " + testDisk)
	_, id = b.as("a").compact(testDisk, modePretrimmed)
	cancel("a", id)
	b.wantViolations()
}

// TestOracle_parent: a disk on which known children depend is left alone, but
// for a pass over a VHDX that drops nothing but zeros. A child that no settings
// name cannot be known.
func TestOracle_parent(t *testing.T) {
	t.Parallel()
	const child, base = `D:\VMs\child.avhdx`, `D:\VMs\base.vhd`
	vm := VM{Name: "web", Disks: []string{child}}
	tests := []struct {
		name   string
		path   string
		vm     *VM
		mode   int
		attach bool
		want   []string
	}{
		{"full", testDisk, &vm, modeFull, false, []string{child}},
		{"zeros", testDisk, &vm, modePrezeroed, false, nil},
		{"zeros, attached", testDisk, &vm, modePrezeroed, true, []string{child}},
		{"zeros of a VHD", base, &VM{Name: "old", Disks: []string{`D:\VMs\leaf.avhd`}}, modePrezeroed, false, []string{`D:\VMs\leaf.avhd`}},
		{"unknown child", testDisk, nil, modeFull, false, nil},
		{"checkpoint", testDisk, &VM{Name: "web", Disks: []string{`D:\VMs\none.vhdx`}, Checkpoints: []Checkpoint{{Disks: []string{child}}}}, modeFull, false, []string{child}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, VHD{Path: testDisk}, VHD{Path: child, Type: TypeDifferencing, ParentPath: testDisk},
				VHD{Path: base}, VHD{Path: `D:\VMs\leaf.avhd`, Type: TypeDifferencing, ParentPath: base})
			if test.vm != nil {
				b.AddVM(*test.vm)
			}
			if test.attach {
				b.attachAs("a", test.path)
			}
			code, _ := b.as("a").compact(test.path, test.mode)
			want(t, "return value", code, "4096")
			b.wantViolations(test.want...)
		})
	}
}

// TestOracle_claim: what a client says is compared with the facts, now and
// later, for the requests that it has sent so far.
func TestOracle_claim(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, JobDuration: time.Minute})
	b.Check(Claim{Client: "a", Path: testDisk})
	b.wantViolations()

	b.attachAs("a", testDisk)
	b.Check(Claim{Client: "b", Path: testDisk})
	b.Check(Claim{Client: "a", Path: testDisk, LeftAttached: true})
	b.wantViolations()
	b.Check(Claim{Client: "a", Path: testDisk})
	b.wantViolations("a says that it left nothing attached")

	b.as("a").compact(testDisk, modeFull)
	b.Check(Claim{Client: "a", Path: testDisk, LeftAttached: true, Completed: 1})
	b.wantViolations("1 compactions")
	b.pass(time.Hour)
	b.Check(Claim{Client: "a", Path: testDisk, LeftAttached: true, Completed: 1})
	b.wantViolations()
	b.detachAs("a")
	b.Check(Claim{Client: "a", Path: testDisk, Completed: 2})
	b.wantViolations("2 compactions")
	b.Check(Claim{Client: "a", Path: testDisk})

	asked := b.now
	b.pass(time.Minute)
	b.Check(Claim{Client: "a", Path: testDisk})
	b.caller = wmi.Caller{User: testUser, Client: "a", Asked: asked}
	b.attachCall(testDisk, "true") // begins late
	b.pass(time.Second)
	b.wantViolations("after it said")
	b.detachAs("a")
	b.Check(Claim{Client: "a", Path: testDisk})
	b.pass(time.Second)
	b.attachAs("a", testDisk) // the next run
	b.wantViolations()
}
