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
func (r *run) gates(ctx context.Context) error {
	disk, err := r.host.Inspect(ctx, r.order.Path)
	if err != nil {
		return err
	}
	size := disk.FileSizeBytes
	r.disk, r.gen = disk, r.host.known.Load()
	r.result.Format, r.result.Type, r.result.FileSizeBytes = disk.Format, disk.Type, &size
	if err := checkKind(disk); err != nil {
		return err
	}
	if err := r.chooseMode(); err != nil {
		return err
	}
	if size < r.order.MinFileSizeBytes {
		r.result.Status = StatusBelowMinimum
		r.result.Detail = fmt.Sprintf("the file has %d bytes, fewer than min_file_size_bytes = %d", size, r.order.MinFileSizeBytes)
		return nil
	}
	return r.checkUse(ctx)
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
func (r *run) chooseMode() error {
	r.mode, r.mounts = "", false
	wantsMount := r.order.MountReadOnly != nil && *r.order.MountReadOnly
	if !r.gen.modes {
		switch {
		case r.order.Mode != nil:
			return fmt.Errorf("%w: the host has only %s, whose method takes no mode; leave mode out", ErrNotSupported, r.gen.namespace)
		case wantsMount:
			return fmt.Errorf("%w: the host has only %s, which mounts with write access only; leave mount_read_only out", ErrNotSupported, r.gen.namespace)
		}
		return nil
	}
	r.mode = defaultMode(r.disk.Format)
	if r.order.Mode != nil {
		r.mode = *r.order.Mode
	}
	r.mounts = r.order.AllowMount && r.mode.Mounts()
	if r.order.MountReadOnly != nil {
		r.mounts = wantsMount
	}
	switch {
	case r.mounts && !r.order.AllowMount:
		return fmt.Errorf("%w: mount_read_only is true, but the provider's allow_mount is false", ErrNotSupported)
	case r.mode == ModeRetrim && !r.mounts:
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
func (r *run) checkUse(ctx context.Context) error {
	switch {
	case r.disk.savedV1:
		return fmt.Errorf("%w by a virtual machine in saved state", ErrInUse)
	case r.disk.usedV1:
		return fmt.Errorf("%w by a virtual machine, or mounted on the host", ErrInUse)
	}
	uses, err := r.host.Uses(ctx, r.order.Path)
	if denied, ok := errors.AsType[*usageDeniedError](err); ok {
		r.warn(WarnUsageUnknown, "The host does not show which virtual machines use which disks: "+denied.Error())
		return nil
	}
	if err != nil {
		return err
	}
	return refuseUses(uses, r.order.AllowParent)
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
