//go:build linux

package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// The example of a fleet works as it stands: the files that a reader would copy are run here.
func TestExampleFleet(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/fleet/*.tf")
	must(t, err)
	if len(files) == 0 {
		t.Fatal("the example has no files")
	}
	const disks = 3
	sims, w, _ := smallFleet(t, 2, disks,
		"HYPERV_HTTPS=false", "HYPERV_USERNAME="+hypervsim.DefaultUser, "HYPERV_PASSWORD="+hypervsim.DefaultPassword)
	w.env = append(w.env, "HYPERV_PORT="+strconv.Itoa(sims[0].Port()))
	must(t, os.Remove(filepath.Join(w.dir, "main.tf")))
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		w.write(filepath.Base(file), string(text))
	}
	hosts := map[string][]string{}
	for h := range sims {
		for d := range disks {
			hosts[hostAddress(h)] = append(hosts[hostAddress(h)], diskPath(d))
		}
	}
	w.variables(map[string]any{"hosts": hosts})

	w.expect(0, "apply")
	checkTotals(t, w, map[string]float64{
		"disks": 6, "before_bytes": float64(60 * gib), "after_bytes": float64(24 * gib), "reclaimed_bytes": float64(36 * gib), "total_reclaimed_bytes": float64(36 * gib),
	})
	must(t, sims[0].Grow(diskPath(0), gib))
	w.expect(0, "plan", "-detailed-exitcode")

	// A disk in use is named by a warning and does not keep others from their turn; nor does a disk
	// that fails.
	for _, sim := range sims {
		must(t, sim.Grow(diskPath(0), 6*gib))
	}
	must(t, sims[0].Change(diskPath(0), func(v *hypervsim.VHD) {
		v.CompactionFailure = &hypervsim.JobFailure{ErrorCode: 32768, CompletionStatus: 0x80070070}
	}))
	same(t, "errors", failed(t, w.expect(1, "apply")), map[string]bool{
		fmt.Sprintf("%s.disk[%q]", resourceType, hostAddress(0)+"|"+diskPath(0)): true,
	})
	checkStatuses(t, w, map[string]int{"failed": 1, "compacted": 5})
	must(t, sims[0].Change(diskPath(0), func(v *hypervsim.VHD) { v.CompactionFailure = nil }))
	sims[1].AddVM(hypervsim.VM{Name: "web", State: hypervsim.VMRunning, Disks: []string{diskPath(1)}})
	must(t, sims[1].Grow(diskPath(1), 6*gib))
	contains(t, w.expect(0, "apply"), "Warning: Virtual hard disk in use, not compacted", "in use by virtual machine web")
	must(t, sims[1].SetVMState("web", hypervsim.VMOff))
	w.expect(0, "apply")
	w.expect(0, "plan", "-detailed-exitcode")
	checkTotals(t, w, map[string]float64{"disks": 6, "total_reclaimed_bytes": float64(55 * gib)})
	for _, sim := range sims {
		careful(t, sim)
	}
}

// checkTotals compares members of the output totals.
func checkTotals(t *testing.T, w workspace, want map[string]float64) {
	t.Helper()
	out, err := w.command("output", "-json", "totals").Output()
	must(t, err)
	var got map[string]float64
	must(t, json.Unmarshal(out, &got))
	for name, n := range want {
		if got[name] != n {
			t.Errorf("totals.%s = %.0f, want %.0f", name, got[name], n)
		}
	}
}
