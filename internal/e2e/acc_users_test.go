package e2e_test

import (
	"strings"
	"testing"
	"time"
)

// TestAccInUse: a disk that a machine has open, or on every byte of which a saved machine relies,
// is left alone, with an error or with a warning.
func TestAccInUse(t *testing.T) {
	t.Parallel()
	h := onHost(t, 50*time.Millisecond)
	tried := 0
	for _, state := range []string{"running", "paused", "saved"} {
		m, ok := h.fixtures.Machine(state)
		if !ok {
			t.Logf("the host has no machine that is %s", state)
			continue
		}
		tried++
		before := h.size(m.Disk)
		w := h.workspace(accDisk(m.Disk))
		contains(t, w.expect(1, "apply"), m.Name)
		w.write("main.tf", strings.Replace(read(t, w, "main.tf"), "  path =", "  if_in_use = \"skip\"\n  path =", 1))
		w.expect(0, "apply")
		if s := w.state()[accAddress].text("status"); s != "skipped_in_use" {
			t.Errorf("%s: status = %q", state, s)
		}
		if after := h.size(m.Disk); after != before {
			t.Errorf("%s: the file had %d bytes and has %d", state, before, after)
		}
		h.checkFree(m.Disk)
	}
	if tried == 0 {
		t.Skip("the host has no machine that uses a disk")
	}
}

// TestAccOff: the disk of a machine that is off is not in use.
func TestAccOff(t *testing.T) {
	t.Parallel()
	h := onHost(t, 50*time.Millisecond)
	m := h.machine("off")
	w := h.workspace(accDisk(m.Disk))
	w.expect(0, "apply")
	checkRan(t, w.state()[accAddress])
	h.checkFree(m.Disk)
}
