package hyperv

import (
	"context"
	"fmt"
)

// Description is everything that can be seen of a disk.
type Description struct {
	VHD

	Attachment Attachment
	Uses       []Use
	// UsesHidden is the reason why there may be more uses; nil when every host
	// has shown its machines.
	UsesHidden error
}

// Describe reads everything about a disk: two exchanges for the file, one or
// two for its attachment, and those for the virtual machines once per host.
func (h *Host) Describe(ctx context.Context, path string) (Description, error) {
	disk, err := h.Inspect(ctx, path)
	if err != nil {
		return Description{}, err
	}
	d := Description{VHD: disk}
	if d.Attachment, err = h.Attachment(ctx, path); err != nil {
		return Description{}, err
	}
	d.Uses, d.UsesHidden, err = h.visibleUses(ctx, path, &disk)
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

// VisibleUses lists the virtual machines that use a disk or depend on it. The
// error hidden is the reason why there may be more of them; nil when every host
// has shown its machines.
func (h *Host) VisibleUses(ctx context.Context, path string) (uses []Use, hidden, err error) {
	return h.visibleUses(ctx, path, nil)
}

// visibleUses uses what an inspection of the older generation reports in place
// of the names of machines. The parameter disk is nil when the disk was not
// inspected.
func (h *Host) visibleUses(ctx context.Context, path string, disk *VHD) (uses []Use, hidden, err error) {
	if kind := useV1(disk); kind != "" {
		return []Use{{Kind: kind}}, nil, nil
	}
	p, err := h.pictureOf(ctx, "", path, disk, shown())
	switch {
	case err != nil && ctx.Err() == nil && !hostWide(err):
		return nil, err, nil // an error of this disk alone only hides its uses
	case err != nil:
		return nil, nil, err
	case p.silent && (disk == nil || !disk.inspectedV1):
		return nil, errUnnamedMachines, nil
	}
	return p.machines(), p.hidden(), nil
}

// useV1 is what an inspection of the older generation says of the use of a disk,
// empty for nothing.
func useV1(d *VHD) UseKind {
	switch {
	case d == nil:
		return ""
	case d.savedV1:
		return UseSaved
	case d.usedV1:
		return UseUnnamed
	}
	return ""
}

// hidden is why there may be more uses than are known, nil if all have told.
func (p *picture) hidden() error {
	if err := p.refuseUnseen(consent{}); err != nil {
		return err
	}
	return p.refuseGaps()
}

// errUnnamedMachines: only the newer generation can be asked for the disks of
// machines.
var errUnnamedMachines = fmt.Errorf("%w: a host with only %s is not asked for the disks of its virtual machines", ErrNotSupported, generationV1.namespace)

func noMachine(name string) error {
	return &classified{err: fmt.Errorf("no virtual machine is named %q", name), kind: ErrNoMachine}
}
