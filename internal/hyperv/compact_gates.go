package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// gates asks everything that must be known before anything is started on the
// host, in this order: the file opens, its format and type, what the host can
// do, the minimum size, who uses it. A gate either passes, or ends the run with
// an error or a status.
func (c *compactor) gates(ctx context.Context) error {
	disk, err := c.host.Inspect(ctx, c.order.Path)
	if err != nil {
		return err
	}
	size := disk.FileSizeBytes
	c.disk, c.gen = disk, c.host.known.Load()
	c.result.Format, c.result.Type, c.result.FileSizeBytes = disk.Format, disk.Type, &size
	if err := checkKind(disk); err != nil {
		return err
	}
	if err := c.chooseMode(); err != nil {
		return err
	}
	if size < c.order.MinFileSizeBytes {
		c.result.Status = StatusBelowMinimum
		c.result.Detail = fmt.Sprintf("the file has %d bytes, fewer than min_file_size_bytes = %d", size, c.order.MinFileSizeBytes)
		return nil
	}
	return c.checkUse(ctx)
}

// checkKind refuses disks that compacting cannot shrink.
func checkKind(disk VHD) error {
	switch {
	case disk.Format == FormatVHDSet:
		return fmt.Errorf("%w: a VHD Set is optimised by another method of the host", ErrNotSupported)
	case disk.Type == TypeFixed:
		return fmt.Errorf("%w: the disk is fixed, so its file always has its full size", ErrNotSupported)
	case disk.Type == "":
		return fmt.Errorf("%w: the host names no type of disk that this provider knows", ErrNotSupported)
	}
	return nil
}

// chooseMode settles the mode and whether the disk is attached for it.
func (c *compactor) chooseMode() error {
	c.mode, c.mounts = "", false
	wantsMount := c.order.AttachReadOnly != nil && *c.order.AttachReadOnly
	if !c.gen.modes {
		switch {
		case c.order.Mode != nil:
			return fmt.Errorf("%w: the host has only %s, whose method takes no mode; leave mode out", ErrNotSupported, c.gen.namespace)
		case wantsMount:
			return fmt.Errorf("%w: the host has only %s, which mounts with write access only; leave mount_read_only out", ErrNotSupported, c.gen.namespace)
		}
		return nil
	}
	c.mode = defaultMode(c.disk.Format)
	if c.order.Mode != nil {
		c.mode = *c.order.Mode
	}
	c.mounts = c.order.AllowAttach && c.mode.Attaches()
	if c.order.AttachReadOnly != nil {
		c.mounts = wantsMount
	}
	switch {
	case c.mounts && !c.order.AllowAttach:
		return fmt.Errorf("%w: mount_read_only is true, but the provider's allow_mount is false", ErrNotSupported)
	case c.mode == ModeRetrim && !c.mounts:
		return fmt.Errorf("%w: mode Retrim needs the disk attached read-only", ErrNotSupported)
	}
	return nil
}

// defaultMode is what Optimize-VHD takes when it is given none.
func defaultMode(f Format) Mode {
	if f == FormatVHDX {
		return ModeQuick
	}
	return ModeFull
}

// checkUse refuses a disk that a virtual machine or a checkpoint needs.
func (c *compactor) checkUse(ctx context.Context) error {
	switch {
	case c.disk.savedV1:
		return fmt.Errorf("%w by a virtual machine in saved state", ErrInUse)
	case c.disk.usedV1:
		return fmt.Errorf("%w by a virtual machine, or mounted on the host", ErrInUse)
	}
	uses, err := c.host.Uses(ctx, c.order.Path)
	if denied, ok := errors.AsType[*usageDeniedError](err); ok {
		c.warn(WarnUsageUnknown, "The host does not show which virtual machines use which disks: "+denied.Error())
		return nil
	}
	if err != nil {
		return err
	}
	return refuseUses(uses, c.order.AllowParent)
}

func refuseUses(uses []Use, allowParent bool) error {
	var checkpoints []string
	for _, use := range uses {
		switch use.Kind {
		case UseRunning, UseUnnamed:
			return fmt.Errorf("%w by virtual machine %s", ErrInUse, use.Machine)
		case UseSaved:
			return fmt.Errorf("%w by virtual machine %s in saved state", ErrInUse, use.Machine)
		case UseCheckpoint:
			checkpoints = append(checkpoints, use.Machine)
		case UseOff:
		}
	}
	if len(checkpoints) > 0 && !allowParent {
		return fmt.Errorf("%w: checkpoints of virtual machine %s depend on the disk; delete them, or set allow_parent", ErrNotSupported, strings.Join(checkpoints, ", "))
	}
	return nil
}
