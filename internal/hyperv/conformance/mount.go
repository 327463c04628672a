package conformance

import (
	"context"
	"strconv"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

func (k *kit) attach(ctx context.Context, path string, readOnly bool) (outcome, error) {
	if err := k.mayStart(ctx); err != nil {
		return outcome{}, err
	}
	o, err := k.start(ctx, service(k.namespace), "AttachVirtualHardDisk", "Path", path, "AssignDriveLetter", "false", "ReadOnly", strconv.FormatBool(readOnly))
	if err != nil {
		return o, err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer stop()
	err = k.await(ctx, &o)
	return o, err
}

// accessReadOnly is the Access of an image that was attached read-only.
const accessReadOnly = 1

// mount describes where a disk is attached; nil when it is not.
type mount struct {
	ref    cim.Reference
	name   string
	device string // PnpDevicePath
	access uint64
}

// mountOf finds a disk among those that are listed as attached.
func (k *kit) mountOf(ctx context.Context, path string) (*mount, error) {
	uri := cim.ResourceURI(k.namespace, cim.ClassMountedStorageImage)
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: uri})
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		name, _ := i.String("Name")
		if !winpath.Equal(name, path) {
			continue
		}
		m := &mount{ref: cim.Reference{ResourceURI: uri}, name: name}
		for _, key := range []string{"PortNumber", "PathId", "TargetId", "Lun"} {
			value, _ := i.String(key)
			m.ref.Selectors = append(m.ref.Selectors, cim.Selector{Name: key, Value: value})
		}
		m.device, _ = i.String("PnpDevicePath")
		m.access, _, _ = i.Uint("Access", 16)
		return m, nil
	}
	return nil, nil //nolint:nilnil // not attached is an answer
}

// criterionPath is the CriterionType of a path.
const criterionPath = "2"

// found is the answer of FindMountedStorageImageInstance.
type found struct {
	value uint64
	image bool // it names an image
}

// findMount asks for a disk that is attached. The method is there from Server
// 2016 on.
func (k *kit) findMount(ctx context.Context, path, criterion string) (found, error) {
	value, out, err := k.invoke(ctx, service(k.namespace), "FindMountedStorageImageInstance", "SelectionCriterion", path, "CriterionType", criterion)
	if err != nil {
		return found{}, err
	}
	ref, _ := out.Value("Image").Reference()
	_, class, _ := cim.SplitResourceURI(ref.ResourceURI)
	return found{value, class == cim.ClassMountedStorageImage}, nil
}

// detach detaches a scratch disk, if it is listed as attached.
func (k *kit) detach(ctx context.Context, path string) (value uint64, attached bool, err error) {
	m, err := k.mountOf(ctx, path)
	if err != nil || m == nil {
		return 0, false, err
	}
	method := "DetachVirtualHardDisk"
	if !k.isV2() {
		method = "Unmount"
	}
	value, _, err = k.invoke(ctx, m.ref, method)
	return value, true, err
}

// whileAttached calls do while a disk is attached, and then detaches the disk. The function do gets
// the entry in the list of attached disks, nil if there is none.
func (k *kit) whileAttached(ctx context.Context, path string, readOnly bool, do func(*mount) verdict) verdict {
	o, err := k.attach(ctx, path, readOnly)
	if err != nil {
		return trouble(err)
	}
	defer func() {
		undo, stop := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer stop()
		if _, _, err := k.detach(undo, path); err != nil {
			k.log.Warn("not detached yet", "file", path, "error", err)
		}
	}()
	if !o.succeeded() {
		return notTested("attaching: %s", o)
	}
	m, err := k.mountOf(ctx, path)
	if err != nil {
		return trouble(err)
	}
	return do(m)
}

// whileListed is whileAttached for observations that only mean something when
// the disk really is attached, and in the way that was asked for.
func (k *kit) whileListed(ctx context.Context, path string, readOnly bool, do func() verdict) verdict {
	return k.whileAttached(ctx, path, readOnly, func(m *mount) verdict {
		switch {
		case m == nil:
			return notTested("the host says that the disk was attached, but does not list it")
		case (m.access == accessReadOnly) != readOnly:
			return notTested("the disk was not attached with the access that was asked for")
		}
		return do()
	})
}
