//go:build linux

package e2e_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/freeport"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const (
	fleetHosts   = 10
	disksPerHost = 20
	compactLimit = 2 // the provider's default for one host

	downLater = 8 // the host that goes down after the first apply
	downEver  = 9 // the host that was never up
)

// The special disks of each host, by number. All others can be compacted.
const (
	usedDisks       = 7 // 0 to 6 are used by running machines
	fixedDisk       = 7
	compressedDisk  = 8
	checkpointDisk  = 9
	twinDisk        = 10 // the same file as
	otherTwinDisk   = 11 // this one, spelled in another way
	smallDisk       = 13
	packedDisk      = 14               // nothing to reclaim
	inStatePerHost  = disksPerHost - 1 // all but the fixed one
	fleetMinimum    = 2 * gib
	compactedOnHost = disksPerHost - usedDisks - 3 - 3 // but 7 to 9, one twin, the small and the packed one
)

const fleetConfig = `
variable "disks" {
  type = map(object({ host = string, path = string }))
}
variable "if_unreachable" {
  default = "skip"
}
variable "minimum" {
  default = 0
}
resource "hyperv_vhd_compaction" "disk" {
  for_each            = var.disks
  host                = each.value.host
  path                = each.value.path
  if_in_use           = "skip"
  if_unreachable      = var.if_unreachable
  min_file_size_bytes = var.minimum
}
`

// address is the resource for a disk of a host.
func address(host, disk int) string { return fmt.Sprintf("%s.disk[%q]", resourceType, key(host, disk)) }

func key(host, disk int) string { return fmt.Sprintf("h%d/d%02d", host, disk) }

// hostAddress returns the address on which a host of a fleet listens. They all
// share one port, as the hosts of one provider block do.
func hostAddress(n int) string { return fmt.Sprintf("127.0.0.%d", n+2) }

func diskPath(disk int) string { return fmt.Sprintf(`D:\VMs\disk%02d.vhdx`, disk) }

// fleetVariables returns the variables for so many hosts with so many disks.
func fleetVariables(hosts, disks int) map[string]any {
	all := map[string]any{}
	for h := range hosts {
		for d := range disks {
			path := diskPath(d)
			if d == otherTwinDisk {
				path = `d:/vms/DISK10.VHDX`
			}
			all[key(h, d)] = map[string]string{"host": hostAddress(h), "path": path}
		}
	}
	return all
}

// startFleet starts hosts on one port.
func startFleet(t *testing.T, hosts int, options ...hypervsim.Option) []*hypervsim.Host {
	t.Helper()
	var addresses []string
	for n := range hosts {
		addresses = append(addresses, hostAddress(n))
	}
	port := freeport.On(t, addresses...)
	var all []*hypervsim.Host
	t.Cleanup(func() {
		for _, h := range all {
			_ = h.Close()
		}
	})
	for n := range hosts {
		h, err := hypervsim.New(append(options, hypervsim.WithAddress(fmt.Sprintf("%s:%d", hostAddress(n), port)),
			hypervsim.WithComputerName(fmt.Sprintf("HV%02d", n)))...)
		must(t, err)
		must(t, h.Start(t.Context()))
		all = append(all, h)
	}
	return all
}

// mixedHost returns the disks and machines of every host of the large fleet.
func mixedHost() []hypervsim.Option {
	var options []hypervsim.Option
	for d := range disksPerHost {
		v := hypervsim.VHD{
			Path: diskPath(d), FileSize: 10 * gib, ReclaimableMounted: 6 * gib,
			JobDuration: time.Duration(100+20*d) * time.Millisecond, AttachDuration: 50 * time.Millisecond,
		}
		switch d {
		case fixedDisk:
			v.Type = hypervsim.TypeFixed
		case compressedDisk:
			v.Compressed = true
		case otherTwinDisk:
			continue
		case smallDisk:
			v.FileSize = gib
		case packedDisk:
			v.ReclaimableMounted = 0
		case 16, 17:
			v.Immediate, v.AttachImmediate = true, true
		}
		options = append(options, hypervsim.WithVHD(v))
		if d < usedDisks {
			options = append(options, hypervsim.WithVM(hypervsim.VM{Name: fmt.Sprintf("vm%02d", d), State: hypervsim.VMRunning, Disks: []string{v.Path}}))
		}
	}
	return append(options, hypervsim.WithVM(hypervsim.VM{
		Name: "snapped", Disks: []string{`D:\VMs\snapped_1.avhdx`},
		Checkpoints: []hypervsim.Checkpoint{{Name: "before", Disks: []string{diskPath(checkpointDisk)}}},
	}))
}

// diagnosed is one error or warning in the output of Terraform.
type diagnosed struct{ summary, address, detail string }

var (
	headline = regexp.MustCompile(`(?m)^(Error|Warning): (.*)$`)
	where    = regexp.MustCompile(`(?m)^  with (.*),$`)
)

// diagnostics finds the errors or the warnings in an output.
func diagnostics(out, severity string) []diagnosed {
	var all []diagnosed
	found := headline.FindAllStringSubmatchIndex(out, -1)
	for i, at := range found {
		if out[at[2]:at[3]] != severity {
			continue
		}
		end := len(out)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		d := diagnosed{summary: out[at[4]:at[5]], detail: out[at[1]:end]}
		if m := where.FindStringSubmatch(d.detail); m != nil {
			d.address = m[1]
		}
		all = append(all, d)
	}
	return all
}

// failed lists the resources that errors are about, and fails the test if a
// resource has two.
func failed(t *testing.T, out string) map[string]diagnosed {
	t.Helper()
	all := map[string]diagnosed{}
	for _, d := range diagnostics(out, "Error") {
		if _, twice := all[d.address]; twice || d.address == "" {
			t.Errorf("a second error, or one without a resource: %+v", d)
		}
		all[d.address] = d
	}
	return all
}

// same compares two sets of addresses.
func same[A, B any](t *testing.T, what string, got map[string]A, want map[string]B) {
	t.Helper()
	for _, a := range sorted(got) {
		if _, ok := want[a]; !ok {
			t.Errorf("%s: %s, want none", what, a)
		}
	}
	for _, a := range sorted(want) {
		if _, ok := got[a]; !ok {
			t.Errorf("%s: none for %s", what, a)
		}
	}
}

// inFull counts the errors of a host that are reported in full.
func inFull(errors map[string]diagnosed, host int) int {
	n := 0
	for _, d := range errors {
		if strings.Contains(d.detail, "Host: "+hostAddress(host)+"\n") {
			n++
		}
	}
	return n
}

// addresses picks disks of hosts.
func addresses(hosts []int, disks ...int) map[string]bool {
	all := map[string]bool{}
	for _, h := range hosts {
		for _, d := range disks {
			all[address(h, d)] = true
		}
	}
	return all
}

func merged(sets ...map[string]bool) map[string]bool {
	all := map[string]bool{}
	for _, s := range sets {
		for a := range s {
			all[a] = true
		}
	}
	return all
}

// upTo lists the numbers below n.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// runOutputs are the attributes that a planned run may leave unknown; all
// others are known in every plan.
var runOutputs = map[string]bool{
	"file_size_bytes": true, "baseline_file_size_bytes": true, "growth_bytes": true,
	"total_reclaimed_bytes": true, "status": true, "status_detail": true, "left_attached": true, "last_run": true,
	"left_attached_at": true, "node": true, "virtual_disk_id": true, "unseen_job": true, "unseen_job_node": true,
}

// checkPlan fails the test unless the plan creates and updates these resources
// and no other, always in place and for a reason that is known.
func checkPlan(t *testing.T, changes map[string]change, creates map[string]bool, updates map[string]string) {
	t.Helper()
	got := map[string]map[string]change{}
	for a, c := range changes {
		if got[c.action()] == nil {
			got[c.action()] = map[string]change{}
		}
		got[c.action()][a] = c
	}
	same(t, "creates", got["create"], creates)
	same(t, "updates", got["update"], updates)
	for action := range got {
		if action != "create" && action != "update" && action != "no-op" {
			t.Errorf("%s planned for %v", action, sorted(got[action]))
		}
	}
	for a, reason := range updates {
		c := changes[a].Change
		if c.After["plan_reason"] != reason {
			t.Errorf("plan_reason of %s = %v, want %q", a, c.After["plan_reason"], reason)
		}
		for name, unknown := range c.AfterUnknown {
			if unknown == true && !runOutputs[name] {
				t.Errorf("%s of %s is unknown", name, a)
			}
		}
	}
}

// Two hundred disks on ten hosts: every disk that can be compacted is, and
// every failure is reported once and affects no other disk.
func TestFleet(t *testing.T) {
	t.Parallel()
	sims := startFleet(t, downEver, mixedHost()...)
	w := newWorkspace(t)
	w.write("main.tf", providerBlock(sims[0].Port())+fleetConfig)
	variables := map[string]any{"disks": fleetVariables(fleetHosts, disksPerHost), "minimum": fleetMinimum}
	w.variables(variables)
	var (
		up      = upTo(downEver)
		failing = addresses(up, fixedDisk)
		never   = addresses([]int{downEver}, upTo(disksPerHost)...)
	)

	out := w.expect(1, "apply")
	errors := failed(t, out)
	same(t, "errors", errors, merged(failing, never))
	if n := inFull(errors, downEver); n != 1 {
		t.Errorf("the host that is down is told of in full %d times, want once:\n%s", n, out)
	}
	folds(t, out, "Virtual hard disk in use, not compacted")
	checkStatuses(t, w, map[string]int{
		"skipped_in_use": 9 * (usedDisks + 1), "compacted": 9 * compactedOnHost, "unchanged": 9 * 2, "below_minimum": 9, "not_compactable": 9,
	})
	checkLimit(t, sims, compactLimit)
	for _, sim := range sims {
		if got := sim.Compactions(diskPath(twinDisk)); got != 2 {
			t.Errorf("compactions of the disk with two names = %d, want 2, one after the other", got)
		}
	}

	must(t, sims[downLater].Close())
	up = upTo(downLater)
	for _, sim := range sims[:downLater] {
		must(t, sim.Grow(diskPath(15), 3*gib)) // 75 %
		must(t, sim.Grow(diskPath(18), 512*mib))
	}
	before := count(sims[:downLater])
	out, changes := w.plan(2)
	checkRefreshes(t, sims[:downLater], before, inStatePerHost)
	if errors := diagnostics(out, "Error"); len(errors) != 0 {
		t.Errorf("errors of a plan: %+v", errors)
	}
	folds(t, out, "Hyper-V host unreachable, state kept")
	due := map[string]string{}
	for _, h := range up {
		for d := range usedDisks {
			due[address(h, d)] = "the disk was in use at the last run"
		}
		due[address(h, checkpointDisk)] = "the disk was in use at the last run"
		due[address(h, 15)] = "grew 3.0 GiB (75 %) since the last compaction"
	}
	checkPlan(t, changes, merged(failing, never), due)

	for d := range usedDisks { // the machines of one host have been shut down
		must(t, sims[0].SetVMState(fmt.Sprintf("vm%02d", d), hypervsim.VMOff))
	}
	out = w.expect(1, "apply", "-parallelism=40")
	errors = failed(t, out)
	same(t, "errors", errors, merged(failing, never))
	for _, h := range []int{downLater, downEver} {
		if n := inFull(errors, h); n != 1 {
			t.Errorf("host %d, which is down, is told of in full %d times, want once", h, n)
		}
	}
	checkStatuses(t, w, map[string]int{
		"skipped_in_use": 8*usedDisks + 9, "compacted": 9*compactedOnHost + usedDisks, "unchanged": 9 * 2, "below_minimum": 9, "not_compactable": 9,
	})
	checkLimit(t, sims, compactLimit)
}

// checkLimit fails the test unless every host is clean and none ever had more
// compactions at once than the limit, which some have reached.
func checkLimit(t *testing.T, sims []*hypervsim.Host, limit int) {
	t.Helper()
	highest := 0
	for _, sim := range sims {
		careful(t, sim)
		highest = max(highest, sim.PeakCompactions())
	}
	if highest != limit {
		t.Errorf("compactions at once on one host = %d, want %d", highest, limit)
	}
}

// folds fails the test unless Terraform shows one warning for many disks.
func folds(t *testing.T, out, summary string) {
	t.Helper()
	n := 0
	for _, d := range diagnostics(out, "Warning") {
		if d.summary == summary {
			n++
			contains(t, d.detail, "more similar warnings elsewhere)")
		}
	}
	if n != 1 {
		t.Errorf("the warning %q is shown %d times, want once:\n%s", summary, n, out)
	}
}

// traffic counts the requests to hosts so far.
type traffic struct{ reads, messages, exchanges, connections, compactions int }

func count(sims []*hypervsim.Host) traffic {
	var all traffic
	for _, sim := range sims {
		all.reads += sim.Calls("GetVirtualHardDiskState")
		all.messages += len(sim.Requests())
		all.exchanges += sim.Exchanges()
		all.connections += sim.Connections()
		all.compactions += sim.Calls("CompactVirtualHardDisk")
	}
	return all
}

// checkRefreshes fails the test unless a plan has cost one message for each disk
// and one for each host, and for each new connection one exchange more: its logon.
func checkRefreshes(t *testing.T, sims []*hypervsim.Host, before traffic, disks int) {
	t.Helper()
	after := count(sims)
	if got, want := after.reads-before.reads, disks*len(sims); got != want {
		t.Errorf("reads of a plan = %d, want %d: one for each disk", got, want)
	}
	if got, want := after.messages-before.messages, (disks+1)*len(sims); got != want {
		t.Errorf("messages of a plan = %d, want %d: one for each disk and one for each host", got, want)
	}
	logons := after.connections - before.connections
	if got, want := after.exchanges-before.exchanges, (disks+1)*len(sims)+logons; got != want {
		t.Errorf("exchanges of a plan = %d, want %d", got, want)
	}
	if got := after.compactions - before.compactions; got != 0 {
		t.Errorf("compactions of a plan = %d, want none", got)
	}
}
