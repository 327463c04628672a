package e2e_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// update writes the stored state anew, as in
//
//	go test ./internal/e2e -run StoredState -update
//
// Only a release that reads the stored state in another way may do so.
var update = flag.Bool("update", false, "write testdata/stored.tfstate anew")

const storedState = "testdata/stored.tfstate"

const storedConfig = `
resource "hyperv_vhd_compaction" "compacted" {
  host     = "127.0.0.1"
  path     = "D:\\VMs\\compacted.vhdx"
  mode     = "Full"
  triggers = { month = "11" }
  timeouts = { create = "2h", read = "1m" }
}
resource "hyperv_vhd_compaction" "unchanged" {
  host            = "127.0.0.1"
  path            = "d:/vms/UNCHANGED.vhd"
  attach_read_only = false
  max_passes      = 3
}
resource "hyperv_vhd_compaction" "below_minimum" {
  host                = "127.0.0.1"
  path                = "\\\\?\\Volume{0b5f1d6c-0000-4000-8000-000000000001}\\small.vhdx"
  min_file_size_bytes = 2147483648
  if_in_use           = "skip"
  if_unreachable      = "skip"
}
resource "hyperv_vhd_compaction" "imported" {
  host                     = "127.0.0.1"
  path                     = "D:\\VMs\\imported.vhdx"
  recompact_growth_bytes   = 2147483648
  recompact_growth_percent = 0
}
`

const storedImport = `
import {
  to = hyperv_vhd_compaction.imported
  id = "127.0.0.1|D:\\VMs\\imported.vhdx"
}
`

// storedDisks are the disks of the stored state; one is given as it was before its
// compaction or after it.
func storedDisks(compacted int64) []hypervsim.Option {
	return []hypervsim.Option{hypervsim.WithVHD(
		hypervsim.VHD{Path: `D:\VMs\compacted.vhdx`, FileSize: compacted, ReclaimableMounted: compacted - 4*gib, JobDuration: time.Second},
		hypervsim.VHD{Path: `D:\VMs\unchanged.vhd`, FileSize: 10 * gib, Immediate: true},
		hypervsim.VHD{Path: `\\?\Volume{0b5f1d6c-0000-4000-8000-000000000001}\small.vhdx`, FileSize: gib},
		hypervsim.VHD{Path: `D:\VMs\imported.vhdx`, FileSize: 7 * gib},
	)}
}

// A state that this format was released with is read by the code of today, and
// nothing is due.
func TestStoredState(t *testing.T) {
	t.Parallel()
	if *update {
		storeState(t)
	}
	sim := hypervsim.RunT(t, storedDisks(4*gib)...)
	w := newWorkspace(t)
	w.write("main.tf", providerBlock(sim.Port())+storedConfig)
	stored, err := os.ReadFile(storedState)
	must(t, err)
	w.write("terraform.tfstate", string(stored))

	statuses := map[string]int{}
	for _, status := range []string{"compacted", "unchanged", "below_minimum", "imported"} {
		statuses[status] = 1
		if got := w.state()[resourceType+"."+status].text("status"); got != status {
			t.Errorf("status = %q, want %q", got, status)
		}
	}
	checkStatuses(t, w, statuses)
	_, changes := w.plan(0)
	if len(changes) != len(statuses) {
		t.Errorf("resources in the plan = %d, want %d", len(changes), len(statuses))
	}
	for address, stored := range w.state() {
		if diff := cmp.Diff(map[string]any(stored), changes[address].Change.Before); diff != "" {
			t.Errorf("%s is read in another way than it was written (-stored +read):\n%s", address, diff)
		}
	}
	if got := sim.Calls("GetVirtualHardDiskState"); got != len(statuses) {
		t.Errorf("disks read = %d, want %d", got, len(statuses))
	}

	// The same state tells growth from rest.
	must(t, sim.Grow(`D:\VMs\compacted.vhdx`, 3*gib))
	must(t, sim.Grow(`D:\VMs\imported.vhdx`, 2*gib))
	_, changes = w.plan(2)
	for name, reason := range map[string]string{
		"compacted": "grew 3.0 GiB (75 %) since the last compaction", "imported": "grew 2.0 GiB (28 %) since the import",
	} {
		if got := changes[resourceType+"."+name].Change.After["plan_reason"]; got != reason {
			t.Errorf("plan_reason of %s = %v, want %q", name, got, reason)
		}
	}
}

// storeState writes the stored state with the code of today.
func storeState(t *testing.T) {
	t.Helper()
	sim := hypervsim.RunT(t, storedDisks(10*gib)...)
	w := newWorkspace(t)
	w.write("main.tf", providerBlock(sim.Port())+storedConfig+storedImport)
	w.expect(0, "apply")
	text, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(storedState), 0o755))
	must(t, os.WriteFile(storedState, text, 0o644))
	t.Log("written: " + storedState)
}
