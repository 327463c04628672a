package hypervsim

import (
	"fmt"
	"time"
)

// StartForeignCompaction lets somebody else on the host start to compact a
// disk for d. It returns the ID of the job.
func (h *Host) StartForeignCompaction(path string, d time.Duration) (string, error) {
	now := h.world.lock()
	defer h.world.mu.Unlock()
	w := h.world
	disk, refused := w.openable(path)
	if refused == nil {
		refused = w.mayCompact(disk, modeQuick)
	}
	if refused != nil {
		return "", fmt.Errorf("compact %s: return value %d", path, refused.code)
	}
	if disk.file != "" {
		return "", fmt.Errorf("compact %s: a real file has no duration", path)
	}
	j := &job{
		kind: JobCompaction, path: disk.Path, owner: w.host + `\Administrator`, cancellable: true,
		ends: now.Add(d), compaction: &compaction{mode: modeQuick, mounted: w.attached(path) != nil, foreign: true},
	}
	j.finish = func(part float64) { disk.reclaim(modeQuick, j.compaction.mounted, part) }
	w.start(j, now)
	w.observation.compactions[pathKey(path)]++
	return j.id, nil
}
