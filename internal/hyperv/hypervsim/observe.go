package hypervsim

import "fmt"

// observation is what the host has seen happen; a test asserts on it.
type observation struct {
	violations  []string
	compactions map[string]int // starts by path key
	peak        int
}

func (o *observation) violation(format string, args ...any) {
	o.violations = append(o.violations, fmt.Sprintf(format, args...))
}

// asked notes that somebody asks for a compaction.
func (o *observation) asked(w *world, path, owner string) {
	if j := w.jobOn(path); j != nil && j.isCompaction() && !j.compaction.foreign && j.owner == owner {
		o.violation("%s asked to compact %s while a compaction that %s had started ran", owner, path, owner)
	}
	if vm, saved := w.user(path, VMSaved); saved {
		o.violation("%s asked to compact %s, which the saved machine %s needs", owner, path, vm)
	}
}

// started notes that a compaction has started.
func (o *observation) started(w *world, path string) {
	o.compactions[pathKey(path)]++
	running := 0
	for _, j := range w.jobs {
		if j.isRunning() && j.isCompaction() && !j.compaction.foreign {
			running++
		}
	}
	o.peak = max(o.peak, running)
}

// Violations lists what a careful client never does: it asks for a second
// compaction of a disk while its own first one runs, detaches a disk while it
// is compacted, or compacts the disk of a saved machine.
func (h *Host) Violations() []string {
	h.world.lock()
	defer h.world.mu.Unlock()
	return append([]string(nil), h.world.observation.violations...)
}

// PeakCompactions is how many compactions ran at once at most. Foreign ones do
// not count.
func (h *Host) PeakCompactions() int {
	h.world.lock()
	defer h.world.mu.Unlock()
	return h.world.observation.peak
}

// Compactions is how many compactions of a disk have been started, foreign
// ones included.
func (h *Host) Compactions(path string) int {
	h.world.lock()
	defer h.world.mu.Unlock()
	return h.world.observation.compactions[pathKey(path)]
}
