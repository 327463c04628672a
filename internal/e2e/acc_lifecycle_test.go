package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// accAddress is the resource of acceptance tests.
const accAddress = resourceType + ".disk"

// accDisk is a resource for a path, with more attributes.
func accDisk(path string, attributes ...string) string {
	return fmt.Sprintf("resource %q \"disk\" {\n  path = %s\n%s\n}\n", resourceType, quoted(path), strings.Join(attributes, "\n"))
}

// quoted writes a string as HCL does.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// checkRan fails the test unless the last run has compacted the disk, or found nothing to do, and
// has left nothing behind.
func checkRan(t *testing.T, a attributes) {
	t.Helper()
	if s := a.text("status"); s != "compacted" && s != "unchanged" {
		t.Errorf("status = %q (%s), want a run that ended well", s, a.text("status_detail"))
	}
	if a["left_attached"] != false {
		t.Errorf("left_attached = %v", a["left_attached"])
	}
}

// TestAccLifecycle: a disk is compacted, not due, compacted again for a reason, compacted without
// being attached, imported and forgotten.
func TestAccLifecycle(t *testing.T) {
	t.Parallel()
	h := onHost(t, time.Second)
	d := h.disk("lifecycle")
	w := h.workspace("")
	apply := func(attributes ...string) attributes {
		t.Helper()
		w.write("disk.tf", accDisk(d.Path, attributes...))
		w.expect(0, "apply")
		h.checkFree(d.Path)
		return w.state()[accAddress]
	}

	first := apply()
	checkRan(t, first)
	h.checkShrunk(d, first.number("file_size_bytes"))
	if run, _ := first["last_run"].(map[string]any); run["attached"] != true {
		t.Errorf("last_run.attached = %v, want a disk that was attached", run["attached"])
	}
	w.plan(0)

	again := apply(`triggers = { again = "1" }`)
	checkRan(t, again)
	if reason := again.text("plan_reason"); !strings.Contains(reason, "triggers changed") {
		t.Errorf("plan_reason = %q", reason)
	}

	detached := apply(`triggers = { again = "1" }`, `mode = "Prezeroed"`)
	checkRan(t, detached)
	if run, _ := detached["last_run"].(map[string]any); run["attached"] != false || run["mode"] != "Prezeroed" {
		t.Errorf("last_run = %v, want Prezeroed without an attachment", run)
	}

	other := h.workspace(accDisk(d.Path))
	other.expect(0, "import", accAddress, d.Path)
	other.plan(0)

	before := h.size(d.Path)
	w.expect(0, "destroy")
	if after := h.size(d.Path); after != before {
		t.Errorf("the file has %d bytes after destroy, and had %d before", after, before)
	}
}

// TestAccModes: every mode is accepted, with the disk attached where the mode
// looks into it and not attached otherwise.
func TestAccModes(t *testing.T) {
	t.Parallel()
	h := onHost(t, 50*time.Millisecond)
	d := h.disk("modes")
	w := h.workspace("")
	for _, run := range []struct {
		mode     string
		attached bool
	}{
		{"Prezeroed", false},
		{"Pretrimmed", false},
		{"Full", false},
		{"Quick", false},
		{"Prezeroed", true},
		{"Pretrimmed", true},
		{"Retrim", true},
		{"Quick", true},
		{"Full", true},
	} {
		w.write("disk.tf", accDisk(d.Path, fmt.Sprintf("mode = %q", run.mode), fmt.Sprintf("attach_read_only = %t", run.attached)))
		w.expect(0, "apply")
		a := w.state()[accAddress]
		checkRan(t, a)
		last, _ := a["last_run"].(map[string]any)
		if last["mode"] != run.mode || last["attached"] != run.attached {
			t.Errorf("%s, attached %t: last_run = %v", run.mode, run.attached, last)
		}
		h.checkFree(d.Path)
	}
}

// TestAccKinds: disks of every kind are compacted, apart from those that cannot be.
func TestAccKinds(t *testing.T) {
	t.Parallel()
	h := onHost(t, 50*time.Millisecond)
	for _, kind := range []string{"trimmed", "old format", "large sectors", "refs"} {
		d, ok := h.fixtures.Disk(kind)
		if !ok {
			t.Logf("the host has no disk for %q", kind)
			continue
		}
		w := h.workspace(accDisk(d.Path))
		w.expect(0, "apply")
		a := w.state()[accAddress]
		checkRan(t, a)
		h.checkShrunk(d, a.number("file_size_bytes"))
		h.checkFree(d.Path)
	}
	if d, ok := h.fixtures.Disk("fixed"); ok {
		out := h.workspace(accDisk(d.Path)).expect(1, "apply")
		contains(t, out, "fixed")
		h.checkFree(d.Path)
	}
}

// TestAccData: data sources show the disks on the host, and the machines that use them.
func TestAccData(t *testing.T) {
	t.Parallel()
	h := onHost(t, time.Second)
	// No test that runs beside this one changes a disk on which a checkpoint depends.
	m := h.machine("point")
	w := h.workspace(`
data "hyperv_vhd" "one" {
  path = ` + quoted(m.Disk) + `
}
data "hyperv_vhds" "beside" {
  directory = ` + quoted(m.Disk[:strings.LastIndexByte(m.Disk, '\\')]) + `
}
data "hyperv_vhds" "machine" {
  vm_name = ` + quoted(m.Name) + `
}
output "size" { value = data.hyperv_vhd.one.file_size_bytes }
output "beside" { value = [for p in data.hyperv_vhds.beside.paths : lower(p)] }
output "machine" { value = [for p in data.hyperv_vhds.machine.paths : lower(p)] }
`)
	w.expect(0, "apply")
	var outputs struct {
		Values struct {
			Outputs map[string]struct{ Value any }
		}
	}
	w.show(&outputs)
	got := outputs.Values.Outputs
	if size, _ := got["size"].Value.(float64); int64(size) != h.size(m.Disk) {
		t.Errorf("file_size_bytes = %v, want %d", got["size"].Value, h.size(m.Disk))
	}
	lists := func(output, path string) bool {
		paths, _ := got[output].Value.([]any)
		return slices.Contains(paths, any(strings.ToLower(path)))
	}
	if !lists("beside", m.Disk) {
		t.Errorf("the directory lists %v, without %s", got["beside"].Value, m.Disk)
	}
	if !lists("machine", m.Disk) {
		t.Errorf("the machine has %v, without the disk from before its checkpoint, %s", got["machine"].Value, m.Disk)
	}
}

// TestAccAction: a disk is compacted without a state.
func TestAccAction(t *testing.T) {
	t.Parallel()
	h := onHost(t, time.Second)
	d := h.disk("action")
	w := h.workspace("")
	if !w.knowsActions() {
		t.Skip("this Terraform knows no actions")
	}
	w.write("action.tf", `action "hyperv_vhd_compact" "disk" {
  config {
    path = `+quoted(d.Path)+`
  }
}
`)
	w.expect(0, "apply", "-invoke=action.hyperv_vhd_compact.disk")
	h.checkShrunk(d, h.size(d.Path))
	h.checkFree(d.Path)
}
