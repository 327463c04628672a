package hyperv

import (
	"context"
	"fmt"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// FileSize reads the size of a disk's file in bytes: one exchange. The error is
// ErrNotFound only when the host proves that the file is absent.
func (h *Host) FileSize(ctx context.Context, path string) (int64, error) {
	path = winpath.Normalize(path)
	var size int64
	err := h.withGeneration(ctx, func(g *generation) error {
		state, err := h.readState(ctx, g, path)
		if err == nil {
			size, err = requiredSize(state, "FileSize")
		}
		return err
	})
	return size, h.proveAbsence(ctx, path, err)
}

// FileSizeOn is FileSize on a node of the host, as [CompactResult.Node] names it. If another node
// answers, the error is not ErrNotFound: a file that is absent there may still be on this node. An
// empty node stands for whichever node answers.
func (h *Host) FileSizeOn(ctx context.Context, path, node string) (int64, error) {
	return h.FileSize(onNode(ctx, node), path)
}

// Inspect reads everything that the inspection calls return: two exchanges, or
// one with the older generation.
func (h *Host) Inspect(ctx context.Context, path string) (VHD, error) {
	path = winpath.Normalize(path)
	var disk VHD
	err := h.withGeneration(ctx, func(g *generation) (err error) {
		if g == generationV1 {
			disk, err = h.inspectV1(ctx, path)
		} else {
			disk, err = h.inspectV2(ctx, path)
		}
		return err
	})
	return disk, h.proveAbsence(ctx, path, err)
}

// readState reads the instance that carries FileSize in either generation.
func (h *Host) readState(ctx context.Context, g *generation, path string) (*cim.Instance, error) {
	if g == generationV1 {
		return h.readEmbedded(ctx, g, "GetVirtualHardDiskInfo", "Info", path)
	}
	return h.readEmbedded(ctx, g, "GetVirtualHardDiskState", "State", path)
}

// readTries bounds how often an inspection that starts a job is repeated.
const readTries = 3

// readEmbedded calls an inspection method and decodes the embedded instance that
// it returns. The method may answer with a job, after which it is asked again.
//
// Unverified on a real host (inspection-after-job): whether the second call then returns the
// instance.
func (h *Host) readEmbedded(ctx context.Context, g *generation, name, parameter, path string) (*cim.Instance, error) {
	for range readTries {
		out, job, err := h.invoke(ctx, method{
			target: g.service(), name: name, reads: true, params: params([2]string{"Path", path}),
		})
		if err != nil {
			return nil, err
		}
		if embedded, ok := out.String(parameter); ok && embedded != "" {
			i, err := cim.DecodeEmbedded(embedded)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, parameter, err)
			}
			h.known.CompareAndSwap(nil, g) // the next connection can be confirmed already
			return i, nil
		}
		if job == nil {
			break
		}
		if _, err := h.waitJob(ctx, *job, nil); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s returned no %s", name, parameter)
}

func (h *Host) inspectV2(ctx context.Context, path string) (VHD, error) {
	settings, err := h.readEmbedded(ctx, generationV2, "GetVirtualHardDiskSettingData", "SettingData", path)
	if err != nil {
		return VHD{}, err
	}
	disk, err := readSettings(path, settings)
	if err != nil {
		return VHD{}, err
	}
	state, err := h.readState(ctx, generationV2, path)
	if err != nil {
		return VHD{}, err
	}
	if disk.FileSizeBytes, err = requiredSize(state, "FileSize"); err != nil {
		return VHD{}, err
	}
	disk.MinimumVirtualSizeBytes = optionalSize(state, "MinInternalSize")
	disk.FragmentationPercent = optionalSize(state, "FragmentationPercentage")
	disk.changed = changeTime(state)
	return disk, nil
}

// changeTime reads Timestamp of Msvm_VirtualHardDiskState.
func changeTime(state *cim.Instance) int64 {
	if t, ok, err := state.Time("Timestamp"); ok && err == nil {
		return t.UnixNano()
	}
	return 0
}

// readSettings decodes Msvm_VirtualHardDiskSettingData.
func readSettings(path string, i *cim.Instance) (VHD, error) {
	disk := VHD{
		Path:                    path,
		Format:                  formatNames[firstUint(i, 16, "Format")],
		Type:                    typeNames[firstUint(i, 16, "Type")],
		BlockSizeBytes:          optionalSize(i, "BlockSize"),
		LogicalSectorSizeBytes:  optionalSize(i, "LogicalSectorSize"),
		PhysicalSectorSizeBytes: optionalSize(i, "PhysicalSectorSize"),
	}
	if disk.Format == "" {
		disk.Format = formatOf(path)
	}
	disk.ParentPath, _ = i.String("ParentPath")
	if id, _ := i.String("VirtualDiskId"); id != "" {
		disk.VirtualDiskID = &id
	}
	var err error
	disk.VirtualSizeBytes, err = requiredSize(i, "MaxInternalSize")
	return disk, err
}

// inspectV1 decodes Msvm_VirtualHardDiskInfo, from a host that knows only .vhd.
func (h *Host) inspectV1(ctx context.Context, path string) (VHD, error) {
	info, err := h.readState(ctx, generationV1, path)
	if err != nil {
		return VHD{}, err
	}
	disk := VHD{Path: path, Format: formatOf(path), Type: typeNames[firstUint(info, 16, "Type")], inspectedV1: true}
	disk.ParentPath, _ = info.String("ParentPath")
	disk.usedV1, _, _ = info.Bool("InUse")
	disk.savedV1, _, _ = info.Bool("InSavedState")
	if disk.VirtualSizeBytes, err = requiredSize(info, "MaxInternalSize"); err != nil {
		return VHD{}, err
	}
	disk.FileSizeBytes, err = requiredSize(info, "FileSize")
	return disk, err
}

// Type and Format of Msvm_VirtualHardDiskSettingData.
var (
	typeNames   = map[uint64]DiskType{2: TypeFixed, 3: TypeDynamic, 4: TypeDifferencing}
	formatNames = map[uint64]Format{2: FormatVHD, 3: FormatVHDX, 4: FormatVHDSet}
)

func formatOf(path string) Format {
	return Format(strings.ToLower(strings.TrimPrefix(winpath.Ext(winpath.Resolve(path)), ".")))
}

// requiredSize reads a number of bytes that a host always sends.
func requiredSize(i *cim.Instance, name string) (int64, error) {
	n, ok, err := i.Uint(name, 63)
	if err == nil && !ok {
		err = fmt.Errorf("%s has no %s", i.Class, name)
	}
	return int64(n), err //nolint:gosec // 63 bits were parsed
}

// optionalSize reads a number that a host may leave out.
func optionalSize(i *cim.Instance, name string) *int64 {
	n, ok, err := i.Uint(name, 63)
	if err != nil || !ok {
		return nil
	}
	v := int64(n) //nolint:gosec // 63 bits were parsed
	return &v
}
