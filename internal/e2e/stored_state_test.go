package e2e_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// update writes the state that the code of today stores, as in
//
//	go test ./internal/e2e -run StoredState -update
//
// Version 0 was written by commit 2fa91c5 and stays as it is. A version that was released is never
// written again.
var update = flag.Bool("update", false, "write the newest of testdata/stored_v*.tfstate anew")

// storedStates are the states that earlier code has stored, by the version of the schema; a change
// turns their attributes into those that the current code reads.
var storedStates = map[string]func(name string, a attributes){
	"testdata/stored_v0.tfstate": func(name string, a attributes) {
		a.rename("mount_read_only", "attach_read_only")
		if run, ok := a["last_run"].(map[string]any); ok {
			attributes(run).rename("mounted", "attached")
		}
		for _, added := range []string{"node", "virtual_disk_id", "left_attached_at", "unseen_job", "unseen_job_node"} {
			a[added] = nil
		}
		a["allow_replicated"] = false
		if name == "of_the_provider" || name == "imported_by_path" {
			a["host"] = nil // it was noted in private state that the provider named it
		}
	},
	"testdata/stored_v1.tfstate": func(_ string, a attributes) {
		a["allow_replicated"], a["unseen_job"], a["unseen_job_node"] = false, nil, nil
	},
}

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
resource "hyperv_vhd_compaction" "of_the_provider" {
  path = "E:\\VMs\\provider.vhdx"
}
resource "hyperv_vhd_compaction" "imported_by_path" {
  path = "E:\\VMs\\imported.vhdx"
}
`

const storedImport = `
import {
  to = hyperv_vhd_compaction.imported
  id = "127.0.0.1|D:\\VMs\\imported.vhdx"
}
import {
  to = hyperv_vhd_compaction.imported_by_path
  id = "E:\\VMs\\imported.vhdx"
}
`

// storedStatuses are the disks of the stored state.
var storedStatuses = map[string]string{
	"compacted": "compacted", "unchanged": "unchanged", "below_minimum": "below_minimum",
	"imported": "imported", "of_the_provider": "unchanged", "imported_by_path": "imported",
}

// storedDisks are the disks of the stored state; one is given as it was before its
// compaction or after it.
func storedDisks(compacted int64) []hypervsim.Option {
	return []hypervsim.Option{hypervsim.WithVHD(
		hypervsim.VHD{Path: `D:\VMs\compacted.vhdx`, FileSize: compacted, ReclaimableMounted: compacted - 4*gib, JobDuration: time.Second},
		hypervsim.VHD{Path: `D:\VMs\unchanged.vhd`, FileSize: 10 * gib, Immediate: true},
		hypervsim.VHD{Path: `\\?\Volume{0b5f1d6c-0000-4000-8000-000000000001}\small.vhdx`, FileSize: gib},
		hypervsim.VHD{Path: `D:\VMs\imported.vhdx`, FileSize: 7 * gib},
		hypervsim.VHD{Path: `E:\VMs\provider.vhdx`, FileSize: 3 * gib, Immediate: true},
		hypervsim.VHD{Path: `E:\VMs\imported.vhdx`, FileSize: 5 * gib},
	)}
}

// A state that earlier code has stored is read by the current code, and nothing
// is due.
func TestStoredState(t *testing.T) {
	t.Parallel()
	if *update {
		storeState(t)
	}
	for file, upgrade := range storedStates {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			testStoredState(t, file, upgrade)
		})
	}
}

func testStoredState(t *testing.T, file string, upgrade func(string, attributes)) {
	t.Helper()
	sim := hypervsim.RunT(t, storedDisks(4*gib)...)
	w := newWorkspace(t)
	w.write("main.tf", storedProvider(sim)+storedConfig)
	stored, err := os.ReadFile(file)
	must(t, err)
	w.write("terraform.tfstate", string(stored))

	_, changes := w.plan(0)
	if len(changes) != len(storedStatuses) {
		t.Errorf("resources in the plan = %d, want %d", len(changes), len(storedStatuses))
	}
	state := w.state()
	for name, status := range storedStatuses {
		address := resourceType + "." + name
		a := state[address]
		if got := a.text("status"); got != status {
			t.Errorf("status of %s = %q, want %q", name, got, status)
		}
		upgrade(name, a)
		if diff := cmp.Diff(map[string]any(a), changes[address].Change.Before); diff != "" {
			t.Errorf("%s is read in another way than it was written (-stored +read):\n%s", address, diff)
		}
	}
	if got := sim.Calls("GetVirtualHardDiskState"); got != len(storedStatuses) {
		t.Errorf("disks read = %d, want %d", got, len(storedStatuses))
	}

	// The same state distinguishes growth from no change.
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

// rename gives an attribute another name.
func (a attributes) rename(from, to string) {
	a[to] = a[from]
	delete(a, from)
}

// storedProvider names a host for the disks that name none.
func storedProvider(sim *hypervsim.Host) string {
	return providerBlock(sim.Port(), `  host     = "127.0.0.1"`)
}

// storeState writes the stored state with the code of today.
func storeState(t *testing.T) {
	t.Helper()
	sim := hypervsim.RunT(t, storedDisks(10*gib)...)
	w := newWorkspace(t)
	w.write("main.tf", storedProvider(sim)+storedConfig+storedImport)
	w.expect(0, "apply")
	text, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	must(t, err)
	file := newestStored()
	must(t, os.WriteFile(file, text, 0o644))
	t.Log("written: " + file)
}

func newestStored() string { return slices.Max(slices.Collect(maps.Keys(storedStates))) }
