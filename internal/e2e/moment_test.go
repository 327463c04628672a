//go:build linux

package e2e_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// moment is a point in a run, as the host sees it. The function watch calls
// strike of the run once, when it has come; what marks it is not over before.
type moment struct {
	name    string
	mounted bool // only a run that attaches the disk has it
	watch   func(t *testing.T, sim clockedHost, run hunted)
	// compacting: the compaction has been asked for by then.
	compacting bool
	// over: the job has ended by then, so an interrupt has nothing to cancel.
	over bool
}

// hunted is what can be done to a run: halt stops Terraform alone, which then does not end.
type hunted struct{ strike, halt func() }

// moments are the stages of a run in their order.
func moments() []moment {
	all := []moment{
		{name: "settings asked for", watch: arriving(hypervsim.Rule{Method: "GetVirtualHardDiskSettingData"})},
		{name: "state asked for", watch: onRequest(func(sim *hypervsim.Host, q hypervsim.Request) bool {
			return q.Method == "GetVirtualHardDiskState" && sim.Calls("GetVirtualHardDiskSettingData") > 0
		})},
		{name: "machines asked for", watch: arriving(hypervsim.Rule{Class: cim.ClassComputerSystem})},
		{name: "attach sent", mounted: true, watch: arriving(hypervsim.Rule{Method: "AttachVirtualHardDisk"})},
		{name: "attach job", mounted: true, watch: arriving(hypervsim.Rule{Class: cim.ClassStorageJob, Operation: hypervsim.OperationGet})},
		{name: "attached", mounted: true, watch: arriving(hypervsim.Rule{Class: cim.ClassMountedStorageImage})},
		{name: "compact sent", compacting: true, watch: arriving(hypervsim.Rule{Method: "CompactVirtualHardDisk"})},
	}
	for percent := 10; percent <= 90; percent += 10 {
		all = append(all, moment{name: fmt.Sprintf("%d percent", percent), compacting: true, watch: onProgress(percent)})
	}
	return append(all,
		moment{name: "job done", over: true, watch: onRequest(func(sim *hypervsim.Host, _ hypervsim.Request) bool {
			return compaction(sim).ended()
		})},
		moment{name: "detach sent", mounted: true, over: true, watch: arriving(hypervsim.Rule{Method: "DetachVirtualHardDisk"})},
		moment{name: "last read sent", over: true, watch: onRequest(lastRead)},
		moment{name: "last read answered", over: true, watch: afterLastRead},
	)
}

// named picks moments.
func named(names ...string) []moment {
	var picked []moment
	for _, m := range moments() {
		for _, name := range names {
			if m.name == name {
				picked = append(picked, m)
			}
		}
	}
	return picked
}

// arriving strikes when a request arrives that the rule matches.
func arriving(rule hypervsim.Rule) func(*testing.T, clockedHost, hunted) {
	return func(_ *testing.T, sim clockedHost, run hunted) {
		mine := rule // scenarios share the moments
		mine.Func = func(hypervsim.Request) { run.strike() }
		sim.AddRule(mine)
	}
}

// onRequest strikes when the first request arrives for which is holds.
func onRequest(is func(*hypervsim.Host, hypervsim.Request) bool) func(*testing.T, clockedHost, hunted) {
	return func(_ *testing.T, sim clockedHost, run hunted) {
		var once sync.Once
		sim.AddRule(hypervsim.Rule{Times: -1, Func: func(q hypervsim.Request) {
			if is(sim.Host, q) {
				once.Do(run.strike)
			}
		}})
	}
}

// lastRead reports whether a request is the last of a run.
func lastRead(sim *hypervsim.Host, q hypervsim.Request) bool {
	return q.Method == "GetVirtualHardDiskState" && compaction(sim).ended() && len(sim.Attachments()) == 0
}

// onProgress strikes when the compaction has reached a percentage, where it stays for as long as the
// clock of the host is held.
func onProgress(percent int) func(*testing.T, clockedHost, hunted) {
	return func(t *testing.T, sim clockedHost, run hunted) {
		t.Helper()
		// The clock is held from the request on, so that the job is seen before it has gone too far.
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Func: func(hypervsim.Request) { sim.clock.hold() }})
		go func() {
			if !await(t, func() bool { return compaction(sim.Host).ID != "" }) {
				return
			}
			part := killed().JobDuration*time.Duration(percent)/100 + time.Millisecond
			sim.clock.runUntil(compaction(sim.Host).StartTime.Add(part))
			if await(t, func() bool { return compaction(sim.Host).PercentComplete == percent }) {
				run.strike()
			}
		}()
	}
}

// afterLastRead strikes when the last answer of a run has been sent. Terraform is halted before, or
// it would be a race with its end.
func afterLastRead(t *testing.T, sim clockedHost, run hunted) {
	t.Helper()
	onRequest(lastRead)(t, sim, hunted{strike: func() {
		run.halt()
		go func() {
			if await(t, func() bool {
				all := sim.Requests()
				return all[len(all)-1].Status != 0
			}) {
				run.strike()
			}
		}()
	}})
}

// compaction returns the first compaction that the host has seen.
func compaction(sim *hypervsim.Host) job {
	for _, j := range sim.Jobs() {
		if j.Type == hypervsim.JobCompaction {
			return job{j}
		}
	}
	return job{}
}

// job is a job of a simulated host.
type job struct{ hypervsim.Job }

// ended reports whether there was such a job and it is over.
func (j job) ended() bool { return !j.EndTime.IsZero() }

// await waits until a condition holds; false if the test ends first.
func await(t *testing.T, so func() bool) bool {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		select {
		case <-ticker.C:
		case <-t.Context().Done():
			return false
		}
	}
	return true
}
