package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// errNamesUnknown: the host does not show the names by which a volume can be
// reached.
var errNamesUnknown = errors.New("whether it has a drive letter or a folder mount point cannot be seen")

// namedVolume returns a drive letter or a folder by which a volume of the
// attached disk can be reached, empty when there is none. The name that every
// volume has, \\?\Volume{…}\, does not count: it comes with the attachment. It
// is an error if the host does not show the names.
//
// Unverified on a real host (attached-device-path, partition-access-paths): that
// PnpDevicePath of Msvm_MountedStorageImage is Path of MSFT_Disk, and that
// AccessPaths of MSFT_Partition lists letters and folders.
func (h *Host) namedVolume(ctx context.Context, m *mountedImage) (string, error) {
	if strings.TrimSpace(m.device) == "" {
		return "", fmt.Errorf("%w: the host names no device", errNamesUnknown)
	}
	disks, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceStorage, cim.ClassDisk))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNamesUnknown, err)
	}
	for _, d := range disks {
		if !isDevice(d, "Path", m.device) {
			continue
		}
		number, ok, err := d.Uint("Number", 32)
		switch {
		case err != nil:
			return "", fmt.Errorf("%w: %w", errNamesUnknown, err)
		case !ok:
			return "", fmt.Errorf("%w: %s gives disk %s no number", errNamesUnknown, cim.ClassDisk, m.device)
		}
		return h.accessPath(ctx, number, m.device)
	}
	return "", fmt.Errorf("%w: %s lists no disk %s", errNamesUnknown, cim.ClassDisk, m.device)
}

// isDevice reports whether a property is the path of a device. Hosts were seen to send white space
// around a text.
func isDevice(i *cim.Instance, property, device string) bool {
	path, _ := i.String(property)
	return strings.EqualFold(strings.TrimSpace(path), strings.TrimSpace(device))
}

// accessPath finds a letter or folder of a disk by its number.
func (h *Host) accessPath(ctx context.Context, number uint64, device string) (string, error) {
	partitions, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceStorage, cim.ClassPartition))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNamesUnknown, err)
	}
	for _, p := range partitions {
		name := partitionName(p)
		if name == "" {
			continue
		}
		of, err := isPartitionOf(p, number, device)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errNamesUnknown, err)
		}
		if of {
			return name, nil
		}
	}
	return "", nil
}

// isPartitionOf reports whether a partition is on a disk, or that this cannot be seen. A node of a
// failover cluster also lists the partitions of the other nodes, with letters and with no number,
// because their disks are not there (dsccommunity/StorageDsc issue 224); their DiskId says so.
func isPartitionOf(p *cim.Instance, number uint64, device string) (bool, error) {
	of, ok, err := p.Uint("DiskNumber", 32)
	if ok || err != nil {
		return of == number, err
	}
	if id, _ := p.String("DiskId"); strings.TrimSpace(id) == "" {
		return false, fmt.Errorf("%s does not say which disk a partition is on", cim.ClassPartition)
	}
	return isDevice(p, "DiskId", device), nil
}

// partitionName is a letter or folder of a partition, empty without one. DriveLetter is
// a char16, which may come as a character or as its number, 0 without a letter.
func partitionName(p *cim.Instance) string {
	for _, path := range p.Strings("AccessPaths") {
		if path != "" && !strings.HasPrefix(path, `\\?\`) {
			return path
		}
	}
	letter, _ := p.String("DriveLetter")
	switch letter = strings.TrimSpace(letter); letter {
	case "", "0", "\x00":
		return ""
	default:
		if code, err := strconv.ParseUint(letter, 10, 16); err == nil {
			letter = string(rune(code))
		}
		return letter + ":"
	}
}
