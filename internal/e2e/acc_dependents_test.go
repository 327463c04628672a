package e2e_test

import (
	"strings"
	"testing"
	"time"
)

// TestAccDependents: a disk on which a checkpoint or a linked clone depends is left alone; the disk
// of the clone itself is compacted.
func TestAccDependents(t *testing.T) {
	t.Parallel()
	h := onHost(t, 50*time.Millisecond)
	point, clone := h.machine("point"), h.machine("clone")
	for _, path := range []string{point.Disk, clone.Parent} {
		before := h.size(path)
		w := h.workspace(accDisk(path))
		w.expect(1, "apply")
		w.write("main.tf", strings.Replace(read(t, w, "main.tf"), "  path =", "  if_in_use = \"skip\"\n  path =", 1))
		w.expect(0, "apply")
		if s := w.state()[accAddress].text("status"); !strings.HasPrefix(s, "skipped_") {
			t.Errorf("%s: status = %q", path, s)
		}
		if after := h.size(path); after != before {
			t.Errorf("%s had %d bytes and has %d", path, before, after)
		}
		h.checkFree(path)
	}
	w := h.workspace(accDisk(clone.Disk))
	w.expect(0, "apply")
	checkRan(t, w.state()[accAddress])
	h.checkFree(clone.Disk)
}
