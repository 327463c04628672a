package hyperv

import (
	"context"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// Location says which disk a path names on a host.
type Location struct {
	// Node is the node that answered, by its own name; empty if it does not give one.
	Node string
	// VirtualDiskID is empty if the host gives none. It does not prove identity: copies of a
	// template share it.
	VirtualDiskID string
}

// Locate asks which disk a path names, and on which node: two exchanges, and one more on a
// connection whose node is not known yet. The error is ErrNotFound only when the host proves that
// the file is absent.
func (h *Host) Locate(ctx context.Context, path string) (Location, error) {
	disk, node, err := h.inspectOnNode(ctx, winpath.Normalize(path))
	at := Location{Node: node}
	if disk.VirtualDiskID != nil {
		at.VirtualDiskID = *disk.VirtualDiskID
	}
	return at, err
}
