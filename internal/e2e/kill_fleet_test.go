//go:build linux

package e2e_test

import (
	"syscall"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// An apply over a fleet is killed: finished work is not lost, unfinished work
// is put right, and the rest gets its turn.
func TestKilled_fleet(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "interrupted": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const disks = 8
			sims, w, variables := smallFleet(t, 2, disks)
			w.variables(variables)
			a := w.startApply()
			if !await(t, func() bool { return compactionsDone(sims) >= 5 }) {
				t.Fatal("five compactions were never done")
			}
			a.signal(signal)
			if code := a.wait(); code == 0 {
				t.Fatalf("the apply outlived the signal:\n%s", a.output())
			}
			done := compactionsDone(sims)
			if done == 2*disks {
				t.Fatal("every disk was done: the signal came too late to prove anything")
			}
			if signal == syscall.SIGINT {
				checkLimit(t, sims, compactLimit)
				if got := w.statuses()["compacted"]; got != done {
					t.Errorf("compacted in the state = %d, want the %d that were done", got, done)
				}
			}

			w.expect(0, "apply")
			for _, sim := range sims {
				careful(t, sim)
				for _, v := range sim.VHDs() {
					if v.FileSize != 4*gib {
						t.Errorf("%s on %s has %d bytes, want %d", v.Path, sim.HostName(), v.FileSize, 4*gib)
					}
				}
			}
			w.expect(0, "plan", "-detailed-exitcode")
		})
	}
}

// compactionsDone counts the compactions that have completed.
func compactionsDone(sims []*hypervsim.Host) int {
	n := 0
	for _, sim := range sims {
		for _, j := range sim.Jobs() {
			if j.Type == hypervsim.JobCompaction && j.State == hypervsim.JobCompleted {
				n++
			}
		}
	}
	return n
}
