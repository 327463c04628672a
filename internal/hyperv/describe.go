package hyperv

import (
	"context"
	"errors"
	"fmt"
)

// Description is everything that can be seen of a disk.
type Description struct {
	VHD

	Attachment Attachment
	Uses       []Use
	// UsesHidden is why the host does not show who uses the disk; nil when it does.
	UsesHidden error
}

// Describe reads everything about a disk: two exchanges for the file, one or two
// for its attachment, and three once per host for the virtual machines.
func (h *Host) Describe(ctx context.Context, path string) (Description, error) {
	disk, err := h.Inspect(ctx, path)
	if err != nil {
		return Description{}, err
	}
	d := Description{VHD: disk}
	if d.Attachment, err = h.Attachment(ctx, path); err != nil {
		return Description{}, err
	}
	d.Uses, d.UsesHidden, err = h.visibleUses(ctx, disk)
	return d, err
}

// Attachment says how a disk is attached to the host itself.
func (h *Host) Attachment(ctx context.Context, path string) (Attachment, error) {
	m, err := h.findImage(ctx, path)
	switch {
	case err != nil:
		return "", fmt.Errorf("look for the attachment of %s: %w", path, err)
	case m == nil:
		return AttachedNone, nil
	case m.readOnly:
		return AttachedReadOnly, nil
	}
	return AttachedReadWrite, nil
}

// VisibleUses is Uses that tells apart a disk that nobody uses and a host that
// does not show who does: hidden is the reason then.
func (h *Host) VisibleUses(ctx context.Context, path string) (uses []Use, hidden, err error) {
	return h.visibleUses(ctx, VHD{Path: path})
}

// visibleUses takes what an inspection of the older generation says in place of
// the names of machines.
func (h *Host) visibleUses(ctx context.Context, disk VHD) (uses []Use, hidden, err error) {
	switch {
	case disk.savedV1:
		return []Use{{Kind: UseSaved}}, nil, nil
	case disk.usedV1:
		return []Use{{Kind: UseUnnamed}}, nil, nil
	}
	u, err := h.loadUsage(ctx)
	var denied *usageDeniedError
	switch {
	case errors.As(err, &denied):
		return nil, denied, nil
	case err != nil:
		return nil, nil, err
	case u.silent && !disk.inspectedV1:
		return nil, errUnnamedMachines, nil
	}
	uses, err = h.Uses(ctx, disk.Path)
	return uses, nil, err
}

// errUnnamedMachines: what only the newer generation can be asked.
var errUnnamedMachines = fmt.Errorf("%w: a host with only %s is not asked for the disks of its virtual machines", ErrNotSupported, generationV1.namespace)

func noMachine(name string) error {
	return &classified{err: fmt.Errorf("no virtual machine is named %q", name), kind: ErrNoMachine}
}
