package hyperv

import (
	"context"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// attachedKept is how long a list of the disks attached to a host is good for:
// long enough for all the refreshes of a plan to share one.
const attachedKept = time.Minute

// attachedCache holds which disks are attached read-only to a host.
type attachedCache struct {
	loading chan struct{} // held by whoever enumerates
	read    time.Time
	disks   map[string]bool // by disk key
	err     error           // why the host did not tell, nil when it did
}

// AttachedReadOnly reports whether the disk is attached to the host as a run that
// was killed leaves it. It tells what a state cannot: a run that dies with its
// process is in no state, and once its job has ended, no growth of the file asks
// for another. The host is asked once for all of its disks, which are compared by
// name.
func (h *Host) AttachedReadOnly(ctx context.Context, path string) (bool, error) {
	a := &h.attached
	select {
	case a.loading <- struct{}{}:
		defer func() { <-a.loading }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if a.read.IsZero() || time.Since(a.read) > attachedKept {
		a.disks, a.err = h.readAttached(ctx)
		a.read = time.Now()
	}
	return a.disks[winpath.Key(path)], a.err
}

func (h *Host) readAttached(ctx context.Context) (map[string]bool, error) {
	disks := map[string]bool{}
	err := h.withGeneration(ctx, func(g *generation) error {
		all, err := h.enumerate(ctx, g.classURI(cim.ClassMountedStorageImage))
		for _, i := range all {
			if name, ok := i.String("Name"); ok && firstUint(i, 16, "Access") == accessReadOnly {
				disks[winpath.Key(name)] = true
			}
		}
		return err
	})
	return disks, err
}
