//go:build linux

package e2e_test

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// smallFleet starts hosts with a few disks that can all be compacted.
func smallFleet(t *testing.T, hosts, disks int, env ...string) ([]*hypervsim.Host, workspace, map[string]any) {
	t.Helper()
	var options []hypervsim.Option
	for d := range disks {
		options = append(options, hypervsim.WithVHD(hypervsim.VHD{
			Path: diskPath(d), FileSize: 10 * gib, ReclaimableMounted: 6 * gib,
			JobDuration: 200 * time.Millisecond, AttachDuration: 20 * time.Millisecond,
		}))
	}
	sims := startFleet(t, hosts, options...)
	w := newWorkspace(t, env...)
	w.write("main.tf", providerBlock(sims[0].Port())+fleetConfig)
	return sims, w, map[string]any{"disks": fleetVariables(hosts, disks)}
}

// By default a host that is down ends the plan, with an error for each of its
// disks, and nothing runs anywhere.
func TestFleet_unreachableFails(t *testing.T) {
	t.Parallel()
	const disks = 6
	sims, w, variables := smallFleet(t, 2, disks)
	variables["if_unreachable"] = "fail"
	w.variables(variables)
	w.expect(0, "apply")
	w.expect(0, "plan", "-detailed-exitcode")

	must(t, sims[0].Grow(diskPath(0), 5*gib))
	must(t, sims[1].Close())
	before := count(sims)
	for _, command := range []string{"plan", "apply"} {
		errors := failed(t, w.expect(1, command))
		same(t, "errors of "+command, errors, addresses([]int{1}, upTo(disks)...))
		if n := inFull(errors, 1); n != 1 {
			t.Errorf("%s: the host that is down is told of in full %d times, want once", command, n)
		}
	}
	if after := count(sims); after.compactions != before.compactions || after.reads == before.reads {
		t.Errorf("compactions %d, reads %d, after %d, %d: want no more compactions, more reads",
			after.compactions, after.reads, before.compactions, before.reads)
	}
}

// A host that accepts connections and does not answer costs one time-out in
// all, however many disks it has.
func TestFleet_oneTimeOut(t *testing.T) {
	t.Parallel()
	const disks = 30
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	var dials atomic.Int64
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			dials.Add(1)
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	w := newWorkspace(t)
	port := l.Addr().(*net.TCPAddr).Port
	config := strings.Replace(providerBlock(port, `  timeout  = "2s"`), "https    = false", "https    = true", 1)
	w.write("main.tf", config+`
resource "hyperv_vhd_compaction" "disk" {
  count = 30
  host  = "127.0.0.1"
  path  = "D:\\VMs\\disk${count.index}.vhdx"
}
`)
	start := time.Now()
	out := w.expect(1, "apply")
	if got := len(diagnostics(out, "Error")); got != disks {
		t.Errorf("errors = %d, want one for each of %d disks:\n%s", got, disks, out)
	}
	if got := dials.Load(); got != 1 {
		t.Errorf("the host was dialled %d times in %s, want once", got, time.Since(start))
	}
}

// The result for a fleet is the same however many resources Terraform works on
// at once.
func TestFleet_parallelism(t *testing.T) {
	t.Parallel()
	for parallelism, peak := range map[int]int{1: 1, 3: compactLimit, 50: compactLimit} {
		t.Run(fmt.Sprint(parallelism), func(t *testing.T) {
			t.Parallel()
			sims, w, variables := smallFleet(t, 2, 5)
			w.variables(variables)
			flag := fmt.Sprintf("-parallelism=%d", parallelism)
			w.expect(0, "apply", flag)
			checkStatuses(t, w, map[string]int{"compacted": 10})
			w.expect(0, "plan", "-detailed-exitcode", flag)
			checkLimit(t, sims, peak)
		})
	}
}

// The exit codes of plan: 2 for disks that are due or were changed by hand, 0
// otherwise; a refresh shows growth that is not worth a run.
func TestFleet_exitCodes(t *testing.T) {
	t.Parallel()
	sims, w, variables := smallFleet(t, 1, 3)
	w.variables(variables)
	w.write("outputs.tf", "output \"statuses\" {\n  value = { for k, d in hyperv_vhd_compaction.disk : k => d.status }\n}\n")
	w.plan(2)
	w.expect(0, "apply")
	w.plan(0)

	must(t, sims[0].Grow(diskPath(0), 512*mib))
	out, changes := w.plan(0)
	checkPlan(t, changes, nil, nil)
	contains(t, out, "No changes.")
	// Terraform ends with 2 after any drift when it is told to look for nothing
	// else.
	contains(t, w.expect(2, "plan", "-refresh-only", "-detailed-exitcode"),
		"file_size_bytes = 4294967296 -> 4831838208", "growth_bytes = 0 -> 536870912")
	w.expect(0, "apply", "-refresh-only")
	if got := w.state()[address(0, 0)].number("growth_bytes"); got != 512*mib {
		t.Errorf("growth_bytes = %d, want %d", got, 512*mib)
	}
	w.plan(0)
	// No exit code here: Terraform 1.11 ends with 2 even so, though it finds no
	// difference and says so.
	contains(t, w.expect(0, "plan", "-refresh-only"), "No changes.")

	must(t, sims[0].Grow(diskPath(1), 2*gib))
	_, changes = w.plan(2)
	checkPlan(t, changes, nil, map[string]string{address(0, 1): "grew 2.0 GiB (50 %) since the last compaction"})
	variables["minimum"] = 5 * gib
	w.variables(variables)
	_, changes = w.plan(2)
	checkUpdatesWithoutRun(t, changes, address(0, 0), address(0, 2))
	if got := changes[address(0, 1)].Change.After["plan_reason"]; got != "grew 2.0 GiB (50 %) since the last compaction" {
		t.Errorf("plan_reason of a disk that has grown beyond the minimum = %v", got)
	}
	w.expect(0, "apply")
	w.plan(0)
}

// checkUpdatesWithoutRun fails the test unless only inputs of these resources
// change and nothing is unknown.
func checkUpdatesWithoutRun(t *testing.T, changes map[string]change, addresses ...string) {
	t.Helper()
	for _, a := range addresses {
		c := changes[a]
		if c.action() != "update" {
			t.Errorf("%s of %s, want update", c.action(), a)
		}
		for name, unknown := range c.Change.AfterUnknown {
			if unknown == true {
				t.Errorf("%s of %s is unknown", name, a)
			}
		}
	}
}

// When the provider names another host with other disks at the same paths, its
// disks are replaced; the former host is not asked.
func TestFleet_providerHostChanged(t *testing.T) {
	t.Parallel()
	sims, w, _ := smallFleet(t, 2, 3)
	config := func(host int) string {
		return providerBlock(sims[0].Port(), fmt.Sprintf("  host     = %q", hostAddress(host))) + `
resource "hyperv_vhd_compaction" "disk" {
  count = 3
  path  = "D:\\VMs\\disk0${count.index}.vhdx"
}
`
	}
	w.write("main.tf", config(0))
	w.expect(0, "apply")
	before := count(sims[:1])
	w.write("main.tf", config(1))
	out := w.expect(2, "plan", "-detailed-exitcode")
	contains(t, out, "Plan: 3 to add, 0 to change, 3 to destroy.")
	w.expect(0, "apply")
	w.expect(0, "plan", "-detailed-exitcode")
	if after := count(sims[:1]); after != before {
		t.Errorf("the former host was asked: %+v, want %+v as before", after, before)
	}
	if got := count(sims[1:]).compactions; got != 3 {
		t.Errorf("compactions on the new host = %d, want 3", got)
	}
}
