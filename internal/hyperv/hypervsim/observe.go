package hypervsim

import "fmt"

// observation is what the host has seen happen; a test asserts on it.
type observation struct {
	violations  []string
	compactions map[string]int // started, by path key
	requests    map[string]int // asked for, by path key
	peak        int
}

func (o *observation) violationf(format string, args ...any) {
	o.violations = append(o.violations, fmt.Sprintf(format, args...))
}

// started notes that a compaction has started.
func (o *observation) started(w *world, path string) {
	o.compactions[pathKey(path)]++
	running, here := 0, 0
	for _, j := range w.jobs {
		if !j.isRunning() || !j.isCompaction() {
			continue
		}
		if !j.compaction.foreign {
			running++
		}
		if pathKey(j.path) == pathKey(path) {
			here++
		}
	}
	o.peak = max(o.peak, running)
	if here > 1 {
		o.violationf("%s was compacted twice at once", path)
	}
	if vm, saved := w.user(path, VMSaved); saved {
		o.violationf("%s was compacted, which the saved machine %s needs", path, vm)
	}
}

// Violations lists what a careful client never brings about: two compactions of
// a disk at once, a disk that is detached while it is compacted, or the
// compaction of a disk that a saved machine needs.
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

// CompactionRequests is how often a compaction of a disk has been asked for,
// with those that the host refused.
func (h *Host) CompactionRequests(path string) int {
	h.world.lock()
	defer h.world.mu.Unlock()
	return h.world.observation.requests[pathKey(path)]
}
