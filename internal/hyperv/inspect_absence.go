package hyperv

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// proveAbsence turns "the host does not find it" into ErrNotFound where the host
// shows that the volume and the directory are there and the file is not;
// otherwise the volume may be offline, and the error says ErrPathNotFound.
func (h *Host) proveAbsence(ctx context.Context, path string, err error) error {
	if !errors.Is(err, errHostFindsNothing) || errors.Is(err, ErrPathNotFound) {
		return err
	}
	if proof := h.seesNoFile(ctx, path); proof != nil {
		return &classified{err: fmt.Errorf("%w; that it is gone is not proven: %w", err, proof), kind: ErrPathNotFound}
	}
	return &classified{err: err, kind: ErrNotFound}
}

// seesNoFile returns nil when the host does not show the file, and shows its
// directory and its volume. The volume is asked for last, because one that went
// offline meanwhile proves nothing.
//
// Unverified on a real host (file-classes-get-by-name, file-class-absent-file): that
// Win32_Directory and CIM_DataFile answer a Get by Name over WS-Management as they do locally.
func (h *Host) seesNoFile(ctx context.Context, path string) error {
	if winpath.IsUNC(path) || winpath.IsVolumeGUID(path) {
		return errors.New("root\\cimv2 lists no files behind a share or a volume path")
	}
	file := cim.NewReference(cim.NamespaceCIMv2, cim.ClassDataFile, cim.Selector{Name: "Name", Value: path})
	switch _, err := h.get(ctx, file); {
	case err == nil:
		return errors.New("the file system lists the file")
	case !errors.Is(err, errObjectGone):
		return err
	}
	if err := h.directoryAnswers(ctx, winpath.Dir(path)); err != nil {
		return err
	}
	return h.volumeAnswers(ctx, winpath.Dir(path))
}

// directoryAnswers returns nil when the host shows that the directory is there.
func (h *Host) directoryAnswers(ctx context.Context, directory string) error {
	ref := cim.NewReference(cim.NamespaceCIMv2, cim.ClassDirectory, cim.Selector{Name: "Name", Value: directory})
	switch _, err := h.get(ctx, ref); {
	case errors.Is(err, errObjectGone):
		return fmt.Errorf("its folder %s is not there either", directory)
	case err != nil:
		return fmt.Errorf("its folder %s: %w", directory, err)
	}
	return nil
}

// volumeAnswers returns nil when the volume of a directory that answers does too. A directory in
// which a volume is mounted is an entry of the volume around it, and answers even without the
// mounted volume; every directory further down is on the mounted volume.
func (h *Host) volumeAnswers(ctx context.Context, directory string) error {
	switch {
	case winpath.IsClusterVolume(directory):
		return h.clusterVolumeAnswers(ctx, directory)
	case winpath.Equal(winpath.Dir(directory), directory): // a drive has no letter without its volume
		return nil
	}
	return h.mountedVolumeAnswers(ctx, directory)
}

// mountedVolumeAnswers looks for a volume that is mounted in the directory; a
// directory without one answers only if its volume does.
func (h *Host) mountedVolumeAnswers(ctx context.Context, directory string) error {
	return h.mountsAnswer(ctx, func(mounted string) bool { return winpath.Equal(mounted, directory) })
}

// mountsAnswer returns nil when all volumes answer that are mounted in the
// wanted directories.
//
// Unverified on a real host (mount-point-offline): that Win32_MountPoint lists a
// mount point whose volume is offline, and Win32_Volume that volume without a
// file system.
func (h *Host) mountsAnswer(ctx context.Context, wanted func(directory string) bool) error {
	points, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceCIMv2, cim.ClassMountPoint))
	if err != nil {
		return fmt.Errorf("list the mount points: %w", err)
	}
	for _, point := range points {
		at, _ := point.Value("Directory").Reference()
		directory, ok := at.Selector("Name")
		if !ok {
			return errors.New("the host lists a mount point without its directory")
		}
		if !wanted(directory) {
			continue
		}
		if err := h.mountAnswers(ctx, point); err != nil {
			return fmt.Errorf("the volume that is mounted in %s: %w", winpath.Normalize(directory), err)
		}
	}
	return nil
}

func (h *Host) mountAnswers(ctx context.Context, point *cim.Instance) error {
	volume, ok := point.Value("Volume").Reference()
	if !ok {
		return errors.New("the host does not name it")
	}
	i, err := h.get(ctx, volume)
	if err != nil {
		return err
	}
	if system, ok := i.String("FileSystem"); !ok || system == "" {
		return errors.New("it does not answer")
	}
	return nil
}

// FaultState of MSCluster_ClusterSharedVolume with which the volume can be read.
const (
	volumeNoFaults   = 0
	volumeRedirected = 1
)

func (h *Host) clusterVolumeAnswers(ctx context.Context, directory string) error {
	seen := false
	err := h.clusterVolumesAnswer(ctx, func(volume string) bool {
		is := winpath.Equal(volume, directory)
		seen = seen || is
		return is
	})
	if err == nil && !seen {
		return fmt.Errorf("the cluster lists no shared volume %s", directory)
	}
	return err
}

// clusterVolumesAnswer returns nil when the wanted cluster shared volumes can be read.
func (h *Host) clusterVolumesAnswer(ctx context.Context, wanted func(volume string) bool) error {
	volumes, err := h.enumerate(ctx, cim.ResourceURI(cim.NamespaceCluster, cim.ClassClusterSharedVolume))
	if err != nil {
		return fmt.Errorf("list the cluster shared volumes: %w", err)
	}
	for _, v := range volumes {
		name, _ := v.String("Name")
		if name == "" {
			return errors.New("the cluster lists a shared volume without its name")
		}
		if !wanted(name) {
			continue
		}
		if fault, ok, err := v.Uint("FaultState", 32); !ok || err != nil || fault != volumeNoFaults && fault != volumeRedirected {
			return fmt.Errorf("the cluster shared volume %s does not answer", name)
		}
	}
	return nil
}

// volumesBelowAnswer returns nil when every volume answers that is mounted in a
// directory or below it.
func (h *Host) volumesBelowAnswer(ctx context.Context, directory string) error {
	within := func(path string) bool { return winpath.Within(path, directory) }
	if err := h.mountsAnswer(ctx, within); err != nil || !winpath.AboveClusterVolumes(directory) {
		return err
	}
	if err := h.clusterVolumesAnswer(ctx, within); !isMissingClass(err) {
		return err
	}
	return nil // not a node of a cluster
}
