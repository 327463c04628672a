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
	if m.device == "" {
		return "", fmt.Errorf("%w: the host names no device", errNamesUnknown)
	}
	disks, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceStorage, cim.ClassDisk))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNamesUnknown, err)
	}
	for _, d := range disks {
		if path, _ := d.String("Path"); strings.EqualFold(path, m.device) {
			number, ok := d.String("Number")
			if !ok {
				break
			}
			return h.accessPath(ctx, number)
		}
	}
	return "", fmt.Errorf("%w: %s lists no disk %s", errNamesUnknown, cim.ClassDisk, m.device)
}

// accessPath finds a letter or folder of a disk by its number.
func (h *Host) accessPath(ctx context.Context, number string) (string, error) {
	partitions, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceStorage, cim.ClassPartition))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNamesUnknown, err)
	}
	for _, p := range partitions {
		if of, _ := p.String("DiskNumber"); of != number {
			continue
		}
		if name := partitionName(p); name != "" {
			return name, nil
		}
	}
	return "", nil
}

// partitionName is a letter or folder of a partition, empty without one. DriveLetter is
// a char16, which may come as a character or as its number, 0 without a letter.
func partitionName(p *cim.Instance) string {
	for _, path := range p.Strings("AccessPaths") {
		if path != "" && !strings.HasPrefix(path, `\\?\`) {
			return path
		}
	}
	switch letter, _ := p.String("DriveLetter"); letter {
	case "", "0", "\x00":
		return ""
	default:
		if code, err := strconv.ParseUint(letter, 10, 16); err == nil {
			letter = string(rune(code))
		}
		return letter + ":"
	}
}
