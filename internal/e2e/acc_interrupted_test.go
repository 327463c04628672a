package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestAccTimeOut: a run that reaches its time limit detaches the disk, and the
// next run finishes the work. A run that ends within the limit has compacted
// the disk.
func TestAccTimeOut(t *testing.T) {
	t.Parallel()
	h := onHost(t, time.Minute)
	d := h.disk("time-out")
	w := h.workspace(accDisk(d.Path, `timeouts = { create = "5s", update = "5s" }`))
	code := 0
	if h.sim != nil {
		code = 1
	}
	out, got := w.run("apply")
	if got != code && h.sim != nil {
		t.Fatalf("apply ended with %d:\n%s", got, out)
	}
	if s := w.state()[accAddress].text("status"); h.sim != nil && s != "interrupted" {
		t.Errorf("status = %q, want interrupted:\n%s", s, out)
	}
	h.checkFree(d.Path)

	h.hurry(d.Path)
	w.write("main.tf", read(t, h.workspace(accDisk(d.Path)), "main.tf"))
	w.expect(0, "apply")
	a := w.state()[accAddress]
	checkRan(t, a)
	h.checkShrunk(d, a.number("file_size_bytes"))
	h.checkFree(d.Path)
}

// hurry makes the next compactions of the simulated host end soon.
func (h *accHost) hurry(path string) {
	h.t.Helper()
	if h.sim != nil {
		must(h.t, h.sim.Change(path, func(v *hypervsim.VHD) { v.JobDuration = 100 * time.Millisecond }))
	}
}

// TestAccKilled: Terraform and its providers are killed while the disk is attached;
// the next run heals what they left.
func TestAccKilled(t *testing.T) {
	t.Parallel()
	h := onHost(t, time.Second)
	d := h.disk("killed")
	w := h.workspace(accDisk(d.Path))
	if h.sim != nil { // the compaction does not end before the kill
		h.sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Func: func(hypervsim.Request) { h.clock.hold() }})
	}
	cmd, log := w.startGroup("apply")
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	h.awaitAttached(d.Path, ended)
	killGroup(t, cmd)
	<-ended
	if h.sim != nil {
		if !h.isAttached(t.Context(), d.Path) {
			t.Fatalf("nothing was left to heal:\n%s", read(t, w, log))
		}
		h.clock.release()
	}

	_ = os.Remove(filepath.Join(w.dir, ".terraform.tfstate.lock.info")) // left by a killed process
	w.expect(0, "apply", "-lock-timeout=30s")
	a := w.state()[accAddress]
	checkRan(t, a)
	h.checkShrunk(d, a.number("file_size_bytes"))
	h.checkFree(d.Path)
	w.plan(0)
}

// awaitAttached waits until a disk is attached, or the process has ended.
func (h *accHost) awaitAttached(path string, ended <-chan error) {
	h.t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for range 600 {
		select {
		case err := <-ended:
			h.t.Logf("Terraform has ended before the disk was seen attached: %v", err)
			return
		case <-ticker.C:
		}
		if h.isAttached(h.t.Context(), path) {
			return
		}
	}
	h.t.Fatalf("%s was never attached", path)
}

// TestAccTwoProcesses: two runs of Terraform compact one disk at the same time. The second one
// waits for the first or reports that the disk is in use; in the end the disk is compacted and not
// attached.
func TestAccTwoProcesses(t *testing.T) {
	t.Parallel()
	h := onHost(t, 2*time.Second)
	d := h.disk("shared")
	var both []*exec.Cmd
	var spaces []workspace
	var logs []string
	for range 2 {
		w := h.workspace(accDisk(d.Path, `if_in_use = "skip"`))
		cmd, log := w.startGroup("apply")
		both, spaces, logs = append(both, cmd), append(spaces, w), append(logs, log)
	}
	for i, cmd := range both {
		if err := cmd.Wait(); err != nil {
			t.Errorf("run %d: %v\n%s", i+1, err, read(t, spaces[i], logs[i]))
		}
	}
	h.checkFree(d.Path)
	compacted := 0
	for _, w := range spaces {
		if s := w.state()[accAddress].text("status"); s == "compacted" {
			compacted++
		}
	}
	if h.sim != nil && compacted == 0 {
		t.Error("neither run has compacted the disk")
	}
	h.checkShrunk(d, h.size(d.Path))
}
