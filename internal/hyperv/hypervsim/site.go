package hypervsim

import (
	"iter"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// site is what several hosts have in common: the lock of their worlds, volumes that all of them
// reach, and what was seen to happen. A host outside a cluster has a site of its own.
type site struct {
	mu     sync.Mutex
	worlds []*world
	shared *store
	roots  []string // keys of the shared volumes
	observation
}

func newSite() *site {
	return &site{shared: newStore(), observation: newObservation()}
}

// store is a set of volumes with what is on them.
type store struct {
	directories map[string]string // by key: spelling
	offline     map[string]bool   // volumes by key
	disks       map[string]*disk  // by key
}

func newStore() *store {
	return &store{directories: map[string]string{}, offline: map[string]bool{}, disks: map[string]*disk{}}
}

// isShared reports whether a key lies on a volume that all hosts of the site reach.
func (s *site) isShared(key string) bool {
	for _, root := range s.roots {
		if rest, ok := strings.CutPrefix(key, root); ok && (rest == "" || rest[0] == '\\') {
			return true
		}
	}
	return false
}

// storeOf returns the store to which a key belongs.
func (w *world) storeOf(key string) *store {
	if w.isShared(key) {
		return w.shared
	}
	return w.local
}

// sharers returns the hosts that reach a path: one for a local path.
func (w *world) sharers(path string) []*world {
	if w.isShared(w.key(path)) {
		return w.worlds
	}
	return []*world{w}
}

// disk finds a disk that consists of numbers, online or not.
func (w *world) disk(path string) (*disk, bool) {
	key := w.key(path)
	d, ok := w.storeOf(key).disks[key]
	return d, ok
}

func (w *world) putDisk(d *disk, now time.Time) {
	d.Changed, d.seenSize = orElse(d.Changed, now), d.FileSize
	key := w.key(d.Path)
	w.storeOf(key).disks[key] = d
}

func (w *world) removeDisk(path string) {
	key := w.key(path)
	delete(w.storeOf(key).disks, key)
}

// disks are the disks that consist of numbers, in no order.
func (w *world) disks() iter.Seq[*disk] {
	return func(yield func(*disk) bool) {
		for _, s := range []*store{w.local, w.shared} {
			for d := range maps.Values(s.disks) {
				if !yield(d) {
					return
				}
			}
		}
	}
}

func (w *world) addDirectory(path string) {
	for path = winpath.Normalize(path); ; path = winpath.Dir(path) {
		key := w.key(path)
		known := w.storeOf(key).directories
		if _, ok := known[key]; ok {
			return
		}
		known[key] = path
		if isRoot(path) {
			return
		}
	}
}

func (w *world) isDirectory(path string) bool {
	if w.isMountPoint(path) {
		return true
	}
	if w.isOffline(path) {
		return false
	}
	key := w.key(path)
	if _, ok := w.storeOf(key).directories[key]; ok {
		return true
	}
	return w.isRealDirectory(path)
}

// directoryNames are the directories of the host, as they were spelled.
func (w *world) directoryNames() []string {
	var all []string
	for _, s := range []*store{w.local, w.shared} {
		for path := range maps.Values(s.directories) {
			all = append(all, path)
		}
	}
	return all
}
