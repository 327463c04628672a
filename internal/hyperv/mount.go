package hyperv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// Access of Msvm_MountedStorageImage.
const accessReadOnly = 1

// mount is a disk attached to the host itself: an Msvm_MountedStorageImage. A
// disk that a running virtual machine uses is none.
type mount struct {
	ref      cim.Reference
	readOnly bool
}

// mountKeys are the keys of Msvm_MountedStorageImage in both generations.
var mountKeys = [...]string{"PortNumber", "PathId", "TargetId", "Lun"}

// findMount returns how the disk is attached to the host, nil when it is not.
// The list of mounts is compared by name; a disk that it does not name is asked
// for by path where the host can, because a host knows more spellings of a path.
func (h *Host) findMount(ctx context.Context, path string) (*mount, error) {
	var found *mount
	err := h.withGeneration(ctx, func(g *generation) (err error) {
		found, err = h.listedMount(ctx, g, path)
		if err == nil && found == nil && g == generationV2 {
			found, err = h.mountByPath(ctx, path)
		}
		return err
	})
	return found, err
}

func (h *Host) listedMount(ctx context.Context, g *generation, path string) (*mount, error) {
	uri := g.classURI(cim.ClassMountedStorageImage)
	all, err := h.enumerate(ctx, uri)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if name, ok := i.String("Name"); ok && winpath.Equal(name, path) {
			return readMount(uri, i)
		}
	}
	return nil, nil //nolint:nilnil // no mount is an answer, not an error
}

func readMount(uri string, i *cim.Instance) (*mount, error) {
	m := mount{ref: cim.Reference{ResourceURI: uri}, readOnly: firstUint(i, 16, "Access") == accessReadOnly}
	for _, key := range mountKeys {
		value, ok := i.String(key)
		if !ok {
			return nil, fmt.Errorf("%s has no %s", i.Class, key)
		}
		m.ref.Selectors = append(m.ref.Selectors, cim.Selector{Name: key, Value: value})
	}
	return &m, nil
}

// criterionPath asks FindMountedStorageImageInstance to search by path.
const criterionPath = "2"

// mountByPath asks the host itself which mount belongs to path. The method
// exists since Windows Server 2016; an older host has no more to say than its
// list of mounts.
func (h *Host) mountByPath(ctx context.Context, path string) (*mount, error) {
	out, _, err := h.invoke(ctx, method{
		target: generationV2.service(), name: "FindMountedStorageImageInstance", reads: true,
		params: params([2]string{"SelectionCriterion", path}, [2]string{"CriterionType", criterionPath}),
	})
	switch {
	case answeredWith(err, returnObjectNotFound), isMissingMethod(err):
		return nil, nil //nolint:nilnil // no mount is an answer, not an error
	case err != nil:
		return nil, err
	}
	ref, ok := out.Value("Image").Reference()
	if !ok {
		return nil, nil //nolint:nilnil // a null reference is no mount
	}
	i, err := h.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &mount{ref: ref, readOnly: firstUint(i, 16, "Access") == accessReadOnly}, nil
}

// startAttach asks the host to attach the disk read-only and without a drive
// letter, and follows the job if there is one.
func (h *Host) startAttach(ctx context.Context, path string) (job *cim.Reference, err error) {
	_, job, err = h.invoke(ctx, method{
		target: generationV2.service(), name: "AttachVirtualHardDisk",
		params: params([2]string{"Path", path}, [2]string{"AssignDriveLetter", "false"}, [2]string{"ReadOnly", "true"}),
	})
	return job, err
}

// Pauses between two tries to detach.
const (
	detachPauseFirst   = time.Second
	detachPauseLongest = 15 * time.Second
)

// errDetachFailed: DetachVirtualHardDisk has one return value but success, 1,
// which says nothing about the reason; the volume may be busy for a moment.
var errDetachFailed = errors.New("DetachVirtualHardDisk of Msvm_MountedStorageImage: return value 1: failed")

// Detach detaches the disk from the host if it is attached there read-only; one
// that is not attached is no error.
func (h *Host) Detach(ctx context.Context, path string) error {
	_, err := h.detach(ctx, winpath.Normalize(path), nil)
	return err
}

// detach detaches the disk and is sure of it, or returns an error. Known is the
// mount if the caller has it. Found says that the disk was seen attached. After a
// failure the mount is looked up anew before anything is sent again, so that a
// lost answer does no harm. Whatever the error, it goes on until ctx ends: a disk
// left attached is worse than a request too many.
func (h *Host) detach(ctx context.Context, path string, known *mount) (found bool, err error) {
	for wait := detachPauseFirst; ; wait = min(2*wait, detachPauseLongest) {
		if known == nil {
			known, err = h.findOurMount(ctx, path)
		}
		if err == nil && known == nil {
			return found, nil
		}
		if err == nil {
			found = true
			err = h.detachMount(ctx, known)
		}
		if err == nil {
			return true, nil
		}
		if errors.Is(err, ErrInUse) || errors.Is(err, ErrUnauthenticated) {
			return found, err
		}
		if ended := pause(ctx, wait); ended != nil {
			return found, errors.Join(ended, err)
		}
		known, err = nil, nil
	}
}

// findOurMount finds an attachment that this provider can have made: read-only.
func (h *Host) findOurMount(ctx context.Context, path string) (*mount, error) {
	m, err := h.findMount(ctx, path)
	if err == nil && m != nil && !m.readOnly {
		return nil, fmt.Errorf("%w: attached with write access, which this provider never does", ErrInUse)
	}
	return m, err
}

func (h *Host) detachMount(ctx context.Context, m *mount) error {
	_, _, err := h.invoke(ctx, method{target: m.ref, name: "DetachVirtualHardDisk"})
	if isAnswer(err) && err != nil {
		return errDetachFailed
	}
	return err
}
