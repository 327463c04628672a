//go:build linux

package e2e_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// Terraform is killed alone, as by a machine that is out of memory, or hangs up with its terminal:
// its provider cancels the job and detaches the disk, although its log is no longer read.
func TestTerraformKilled_providerCleansUp(t *testing.T) {
	t.Parallel()
	var all []scenario
	for _, m := range named("attach sent", "compact sent", "50 percent") {
		all = append(all, scenario{moment: m, mounted: true, strike: "terraform killed"}, scenario{moment: m, mounted: true, strike: "all hung up"})
	}
	for _, s := range all {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			sim, w := s.begin(t)
			w.env = append(w.env, "TF_LOG=TRACE", "TF_LOG_PATH="+w.dir+"/trace.log")
			s.stricken(t, sim, w)
			cleansUp(t, sim.Host)
			careful(t, sim.Host)
		})
	}
}

// cleansUp waits until a provider without its Terraform has put the host in order and sends no more
// requests: a run at the same time would lose its attachment.
func cleansUp(t *testing.T, sim *hypervsim.Host) {
	t.Helper()
	const quiet = 1500 * time.Millisecond
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	asked, since := 0, time.Now()
	for deadline := since.Add(30 * time.Second); ; <-again.C {
		busy := len(sim.Attachments()) != 0 || running(sim)
		if n := len(sim.Requests()); n != asked || busy {
			asked, since = n, time.Now()
		}
		switch {
		case time.Since(since) > quiet:
			return
		case time.Now().After(deadline):
			t.Fatalf("attached: %+v, a job runs: %t", sim.Attachments(), running(sim))
		}
	}
}

// running reports whether a job of the host has not ended.
func running(sim *hypervsim.Host) bool {
	return slices.ContainsFunc(sim.Jobs(), func(j hypervsim.Job) bool { return j.EndTime.IsZero() })
}
