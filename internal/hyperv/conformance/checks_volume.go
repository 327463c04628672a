package conformance

import (
	"context"
	"errors"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const (
	namespaceStorage = `root\Microsoft\Windows\Storage`
	classDisk        = "MSFT_Disk"
	classPartition   = "MSFT_Partition"
)

// numberOf finds an attached disk among the disks of Windows, by the path of
// its device. Windows lists a new disk a moment after it is attached.
func (k *kit) numberOf(ctx context.Context, m *mount) (number uint64, all int, err error) {
	for range 10 {
		disks, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(namespaceStorage, classDisk)})
		if err != nil {
			return 0, 0, err
		}
		all = len(disks)
		for _, i := range disks {
			if path, _ := i.String("Path"); m.device != "" && strings.EqualFold(path, m.device) {
				number, _, err := i.Uint("Number", 32)
				return number, all, err
			}
		}
		if err := pause(ctx, pollInterval); err != nil {
			return 0, all, err
		}
	}
	return 0, all, errNoDevice
}

var errNoDevice = errors.New("no disk of Windows has the path of the device")

// whileShown attaches a disk and finds its number.
func (k *kit) whileShown(ctx context.Context, path string, look func(number uint64) verdict) verdict {
	return k.whileAttached(ctx, path, true, func(m *mount) verdict {
		if m == nil {
			return notTested("the host says that the disk was attached, but does not list it")
		}
		number, all, err := k.numberOf(ctx, m)
		switch {
		case errors.Is(err, errNoDevice):
			return contradicted("PnpDevicePath %t, and none of %d disks has that path", m.device != "", all)
		case err != nil:
			return trouble(err)
		}
		return look(number)
	})
}

func (k *kit) devicePath(ctx context.Context) verdict {
	d, err := k.disk(ctx, dynamicVHDX)
	if err != nil {
		return trouble(err)
	}
	return k.whileShown(ctx, d.path, func(uint64) verdict { return held("a disk has that path") })
}

// accessPaths looks at the partitions of a disk with a volume.
func (k *kit) accessPaths(ctx context.Context) verdict {
	if k.options.Fixtures.Formatted == "" {
		return noFixture("a disk with a volume")
	}
	return k.whileShown(ctx, k.options.Fixtures.Formatted, func(number uint64) verdict {
		all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(namespaceStorage, classPartition)})
		if err != nil {
			return trouble(err)
		}
		volumes, others := 0, 0
		for _, i := range all {
			if n, ok, err := i.Uint("DiskNumber", 32); !ok || err != nil || n != number {
				continue
			}
			for _, path := range i.Strings("AccessPaths") {
				if winpath.IsVolumeGUID(path) {
					volumes++
				} else if path != "" {
					others++
				}
			}
		}
		return when(volumes > 0 && others == 0, "%d names of volumes, %d letters or folders, for a disk that was attached without a letter", volumes, others)
	})
}
