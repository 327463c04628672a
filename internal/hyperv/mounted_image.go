package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// Access of Msvm_MountedStorageImage.
const (
	accessReadOnly  = 1
	accessReadWrite = 2
)

// mountedImage is a disk attached to the host itself: an Msvm_MountedStorageImage. A disk that a
// running virtual machine uses is not one. Its address is used again after a detach and after a
// restart of the host, so that only address, name and access together identify an attachment.
type mountedImage struct {
	ref      cim.Reference
	name     string // of the file, as the host spells it
	device   string // its device path (PnpDevicePath), empty before 2012 R2
	readOnly bool
}

// mountKeys are the keys of Msvm_MountedStorageImage in both generations.
var mountKeys = [...]string{"PortNumber", "PathId", "TargetId", "Lun"}

// AttachedAt is where a disk is attached: the node, the address and the name, all as the host gave
// them. The address is empty if it was not seen.
type AttachedAt struct {
	Node, Name                        string
	PortNumber, PathID, TargetID, Lun string
	// HeldAt is a time at which it was held, by the clock of the node; zero if that is not known.
	HeldAt time.Time
}

func (at *AttachedAt) hasAddress() bool { return at != nil && at.Lun != "" }

func (m *mountedImage) at(node string) *AttachedAt {
	at := AttachedAt{Node: node, Name: m.name}
	for key, field := range map[string]*string{"PortNumber": &at.PortNumber, "PathId": &at.PathID, "TargetId": &at.TargetID, "Lun": &at.Lun} {
		*field, _ = m.ref.Selector(key)
	}
	return &at
}

// is reports whether the attachment is the one that at describes: same node,
// address and name, and read-only as this package attaches.
func (m *mountedImage) is(at *AttachedAt, node string) bool {
	now := m.at(node)
	return at.hasAddress() && m.readOnly && strings.EqualFold(now.Node, at.Node) && winpath.Equal(now.Name, at.Name) &&
		now.PortNumber == at.PortNumber && now.PathID == at.PathID && now.TargetID == at.TargetID && now.Lun == at.Lun
}

// same reports whether now is the same attachment. A device path may appear later than the
// attachment.
func (m *mountedImage) same(now *mountedImage) bool {
	return now != nil && now.readOnly == m.readOnly && now.is(m.at(""), "") &&
		(m.device == "" || now.device == "" || strings.EqualFold(m.device, now.device))
}

// findImage returns the attachment of the disk to the host, nil when it is not attached. The disk
// is looked for by name in the list of attached disks; if the list does not name it, the host is
// asked by path where it can be, because a host knows more spellings of a path.
func (h *Host) findImage(ctx context.Context, path string) (*mountedImage, error) {
	var found *mountedImage
	err := h.withGeneration(ctx, func(g *generation) (err error) {
		found, err = h.listedImage(ctx, g, path)
		if found != nil || g != generationV2 || err != nil && !errors.Is(err, errUnnamedImage) {
			return err
		}
		asked, known, askErr := h.askForImage(ctx, path)
		if known || askErr != nil {
			found, err = asked, askErr
		}
		return err
	})
	return found, err
}

// errUnnamedImage: the host lists an attachment of which it does not say whose it is. It may be that
// of any disk.
var errUnnamedImage = errors.New("the host lists an attached disk without its name")

// errAccessUntold: an attachment of which the host does not say whether it is read-only is not known
// to be ours, nor to be gone.
var errAccessUntold = errors.New("the host does not say how the disk is attached")

// trimmed reads a text without the white space that hosts were seen to send around one.
func trimmed(i *cim.Instance, name string) string {
	text, _ := i.String(name)
	return strings.TrimSpace(text)
}

func (h *Host) listedImage(ctx context.Context, g *generation, path string) (*mountedImage, error) {
	uri := g.classURI(cim.ClassMountedStorageImage)
	all, err := h.enumerate(ctx, uri)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		switch name := trimmed(i, "Name"); {
		case name == "":
			err = errUnnamedImage
		case winpath.Equal(name, path):
			return readImage(uri, i)
		}
	}
	return nil, err
}

func readImage(uri string, i *cim.Instance) (*mountedImage, error) {
	ref := cim.Reference{ResourceURI: uri}
	for _, key := range mountKeys {
		value := trimmed(i, key)
		if value == "" {
			return nil, fmt.Errorf("%s has no %s", i.Class, key)
		}
		ref.Selectors = append(ref.Selectors, cim.Selector{Name: key, Value: value})
	}
	access := firstUint(i, 16, "Access")
	if access != accessReadOnly && access != accessReadWrite {
		return nil, errAccessUntold
	}
	m := &mountedImage{ref: ref, readOnly: access == accessReadOnly}
	if m.name = trimmed(i, "Name"); m.name == "" {
		return nil, errUnnamedImage
	}
	m.device, _ = i.String("PnpDevicePath")
	return m, nil
}

// currentImage is findImage in one exchange where the host can be asked by path.
func (h *Host) currentImage(ctx context.Context, path string) (*mountedImage, error) {
	image, known, err := h.askForImage(ctx, path)
	if err == nil && !known {
		image, err = h.listedImage(ctx, generationV2, path)
	}
	return image, err
}

// criterionPath asks FindMountedStorageImageInstance to search by path.
const criterionPath = "2"

// askForImage asks the host which attachment belongs to path. The method exists
// since Windows Server 2016; known is false on an older host.
func (h *Host) askForImage(ctx context.Context, path string) (image *mountedImage, known bool, err error) {
	out, _, err := h.invoke(ctx, method{
		target: generationV2.service(), name: "FindMountedStorageImageInstance", reads: true,
		params: params([2]string{"SelectionCriterion", path}, [2]string{"CriterionType", criterionPath}),
	})
	switch {
	case isMissingMethod(err):
		return nil, false, nil
	case answeredWith(err, returnObjectNotFound):
		return nil, true, nil
	case err != nil:
		return nil, true, err
	}
	ref, ok := out.Value("Image").Reference()
	if !ok {
		if text, _ := out.String("Image"); text != "" {
			return nil, true, fmt.Errorf("FindMountedStorageImageInstance answered the Image %q, which is no reference", text)
		}
		return nil, true, nil // a null reference is no attachment
	}
	image, err = h.imageAt(ctx, ref)
	return image, true, err
}

// imageAt reads the attachment at an address, nil when nothing is attached there.
func (h *Host) imageAt(ctx context.Context, ref cim.Reference) (*mountedImage, error) {
	i, err := h.get(ctx, ref)
	switch {
	case errors.Is(err, errObjectGone):
		return nil, nil //nolint:nilnil // a free address is an answer, not an error
	case err != nil:
		return nil, err
	}
	return readImage(ref.ResourceURI, i)
}

// errUnrecognized: a list and a look contradict each other.
var errUnrecognized = fmt.Errorf("%w: the host lists the disk as attached, and shows no such attachment when asked for it", ErrOutcomeUnknown)

// lookAgain returns an attachment as it is now, nil if it has ended. That it is not recognized at
// its address is no proof as long as the host lists it there.
func (h *Host) lookAgain(ctx context.Context, path string, image *mountedImage) (*mountedImage, error) {
	now, err := h.imageAt(ctx, image.ref)
	switch {
	case err != nil:
		return nil, err
	case image.same(now):
		return now, nil
	}
	listed, err := h.findImage(ctx, path)
	if err == nil && image.same(listed) {
		err = errUnrecognized
	}
	return nil, err
}

// attachMethod asks the host to attach the disk read-only and without a drive
// letter.
func attachMethod(path string) method {
	return method{
		target: generationV2.service(), name: "AttachVirtualHardDisk",
		params: params([2]string{"Path", path}, [2]string{"AssignDriveLetter", "false"}, [2]string{"ReadOnly", "true"}),
	}
}

func (m *mountedImage) detachMethod() method {
	return method{target: m.ref, name: "DetachVirtualHardDisk"}
}

// attachedKept is how long a list of the disks attached to a host is kept: long
// enough for all the refreshes of a plan to share one.
const attachedKept = time.Minute

// attachedCache holds the disks that are attached read-only to a host.
type attachedCache struct {
	loading chan struct{} // held while the host is being asked
	read    time.Time
	disks   map[string]bool // by disk key
	err     error           // why the host did not list them, nil when it did
}

// AttachedReadOnly reports whether the disk is attached to the host read-only, as a run that was
// killed leaves it. Others may have attached it in the same way, so it is no sign of which client
// holds the attachment. It shows what a stored state cannot: a run that dies with its process is in
// no state, and once its job has ended, no growth of the file asks for another run. The host is
// asked once for all of its disks, which are compared by name.
func (h *Host) AttachedReadOnly(ctx context.Context, path string) (bool, error) {
	a := &h.attached
	select {
	case a.loading <- struct{}{}:
		defer func() { <-a.loading }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if a.read.IsZero() || time.Since(a.read) > attachedKept {
		disks, err := h.readAttached(ctx)
		if ctx.Err() != nil {
			return false, context.Cause(ctx) // not an answer that others may use
		}
		a.disks, a.err, a.read = disks, err, time.Now()
	}
	if a.disks[winpath.Key(path)] {
		return true, nil
	}
	return false, a.err
}

func (h *Host) readAttached(ctx context.Context) (map[string]bool, error) {
	disks := map[string]bool{}
	err := h.withGeneration(ctx, func(g *generation) error {
		all, err := h.enumerate(ctx, g.classURI(cim.ClassMountedStorageImage))
		for _, i := range all {
			switch name, access := trimmed(i, "Name"), firstUint(i, 16, "Access"); {
			case name == "":
				err = errUnnamedImage
			case access == accessReadOnly:
				disks[winpath.Key(name)] = true
			case access != accessReadWrite:
				err = errAccessUntold
			}
		}
		return err
	})
	return disks, err
}
