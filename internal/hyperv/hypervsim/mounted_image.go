package hypervsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// attachment is a disk that is attached to the host itself.
type attachment struct {
	path     string
	readOnly bool
	letter   bool // a drive letter was assigned
	lun      int
}

// Attachment is an attached disk as a test sees it.
type Attachment struct {
	Path        string
	ReadOnly    bool
	DriveLetter bool
}

// Attachments returns the disks that are attached to the host, in the order in
// which they were attached.
func (h *Host) Attachments() []Attachment {
	h.world.lock()
	defer h.world.mu.Unlock()
	var all []Attachment
	for _, a := range h.world.attachments {
		all = append(all, Attachment{Path: a.path, ReadOnly: a.readOnly, DriveLetter: a.letter})
	}
	return all
}

// Attach attaches a disk to the host at once, as somebody else there would.
func (h *Host) Attach(path string, readOnly bool) error {
	h.world.lock()
	defer h.world.mu.Unlock()
	d, refused := h.world.openable(path)
	if refused == nil {
		refused = h.world.mayAttach(d)
	}
	if refused != nil {
		return fmt.Errorf("attach %s: return value %d", path, refused.code)
	}
	h.world.attach(d.Path, readOnly, false)
	return nil
}

// Detach detaches a disk from the host, as somebody else there would. It
// reports whether the disk was attached.
func (h *Host) Detach(path string) bool {
	now := h.world.lock()
	defer h.world.mu.Unlock()
	a := h.world.attached(path)
	if a == nil {
		return false
	}
	h.world.detach(a, now)
	return true
}

func (w *world) attached(path string) *attachment {
	for _, a := range w.attachments {
		if pathKey(a.path) == pathKey(path) {
			return a
		}
	}
	return nil
}

func (w *world) attach(path string, readOnly, letter bool) {
	lun := 0
	for slices.ContainsFunc(w.attachments, func(a *attachment) bool { return a.lun == lun }) {
		lun++
	}
	w.attachments = append(w.attachments, &attachment{path: path, readOnly: readOnly, letter: letter, lun: lun})
}

// detach takes an attachment away. A compaction that used it fails.
func (w *world) detach(a *attachment, now time.Time) {
	if j := w.jobOn(a.path); j != nil && j.isCompaction() && j.compaction.mounted {
		w.observation.violationf("%s was detached while it was compacted", a.path)
		w.fail(j, &refusal{code: returnFailed, status: statusInvalidState}, now)
	}
	w.attachments = slices.DeleteFunc(w.attachments, func(other *attachment) bool { return other == a })
}

// mayAttach says why a disk cannot be attached now.
//
// Unverified on a real host (attach-attached): the codes for a disk that is attached already.
func (w *world) mayAttach(d *disk) *refusal {
	if d.Locked || w.attached(d.Path) != nil || w.jobOn(d.Path) != nil || w.isOpen(d.Path) {
		return &refusal{code: returnInUse, status: statusSharingViolation}
	}
	if d.Compressed {
		return &refusal{code: returnFailed, status: statusLimitation, viaJob: true}
	}
	return nil
}

func (w *world) attachVirtualHardDisk(c invocation) ([]wmi.Property, *wmi.Failure) {
	code, j := w.startAttach(c, c.in.boolean("ReadOnly"), c.in.boolean("AssignDriveLetter"))
	return returnsJob(c.namespace, code, j), nil
}

// mount is the method of root\virtualization, which attaches for writing.
func (w *world) mount(c invocation) ([]wmi.Property, *wmi.Failure) {
	code, j := w.startAttach(c, false, true)
	return returnsJob(c.namespace, code, j), nil
}

func (w *world) startAttach(c invocation, readOnly, letter bool) (uint32, *job) {
	path := c.in["Path"]
	d, refused := w.openable(path)
	if refused == nil {
		refused = w.mayAttach(d)
	}
	if refused != nil {
		return w.refuse(refused, w.via(path), JobLoopbackMount, path, c.by.User, c.now)
	}
	if d.AttachImmediate {
		w.attach(d.Path, readOnly, letter)
		return returnOK, nil
	}
	j := &job{kind: JobLoopbackMount, path: d.Path, owner: c.by.User, cancellable: true, ends: c.now.Add(d.AttachDuration)}
	j.finish = func(part float64) {
		if part == 1 {
			w.attach(d.Path, readOnly, letter)
		}
	}
	if f := d.AttachFailure; f != nil {
		j.settled, j.failure, j.ends = JobException, f.refusal(), c.now.Add(f.within(d.AttachDuration))
	}
	return returnJobStarted, w.start(j, c.now)
}

// mountedImages returns the instances of Msvm_MountedStorageImage.
func (w *world) mountedImages(v view) []*wmi.Object {
	var all []*wmi.Object
	for _, a := range w.attachments {
		access := uint16(2)
		if a.readOnly {
			access = 1
		}
		o := &wmi.Object{
			Namespace: v.namespace, Class: cim.ClassMountedStorageImage,
			Keys: []string{"Lun", "PathId", "PortNumber", "TargetId"},
			Properties: []wmi.Property{
				wmi.Uint16("Access", access),
				wmi.Text("Caption", "Mounted Storage Image"),
				wmi.Text("Description", "Mounted Storage Image"),
				wmi.Text("ElementName", winpath.Base(a.path)),
				wmi.Null("InstanceID", wmi.TypeString),
				wmi.Uint8("Lun", a.lun),
				wmi.Text("Name", a.path),
				wmi.Uint8("PathId", 0),
				wmi.Text("PnpDevicePath", `\\?\scsi#disk&ven_msft&prod_virtual_disk#`+strconv.Itoa(a.lun)),
				wmi.Uint8("PortNumber", 1),
				wmi.Uint8("TargetId", 0),
				wmi.Uint16("Type", 0),
			},
		}
		if v.isV1() {
			o.Properties = slices.DeleteFunc(o.Properties, func(p wmi.Property) bool { return p.Name == "PnpDevicePath" })
		}
		all = append(all, o)
	}
	return all
}

// detachImage is DetachVirtualHardDisk, and Unmount of root\virtualization.
func (w *world) detachImage(c invocation) ([]wmi.Property, *wmi.Failure) {
	return returns(w.tryDetach(c.target.Text("Name"), c.now)), nil
}

// unmountByPath is the deprecated Unmount of root\virtualization's service.
func (w *world) unmountByPath(c invocation) ([]wmi.Property, *wmi.Failure) {
	if w.attached(c.in["Path"]) == nil {
		return returns(returnInvalidState), nil
	}
	return returns(w.tryDetach(c.in["Path"], c.now)), nil
}

// tryDetach returns 0, or 1 for a failure.
func (w *world) tryDetach(path string, now time.Time) uint32 {
	if d, ok := w.disks[pathKey(path)]; ok && d.DetachFailures > 0 {
		d.DetachFailures--
		return 1
	}
	w.detach(w.attached(path), now)
	return 0
}

// criterionPath is the CriterionType of a path.
const criterionPath = 2

// findMountedImage is FindMountedStorageImageInstance.
func (w *world) findMountedImage(c invocation) ([]wmi.Property, *wmi.Failure) {
	criterion, ok := c.in.number("CriterionType", 16)
	if !ok || criterion != criterionPath {
		return append(returns(returnInvalidParam), wmi.Reference("Image", nil)), nil
	}
	a := w.attached(strings.TrimSpace(c.in["SelectionCriterion"]))
	if a == nil {
		return append(returns(returnObjectNotFound), wmi.Reference("Image", nil)), nil
	}
	return append(returns(returnOK), wmi.Reference("Image", &wmi.ObjectPath{
		Namespace: c.namespace, Class: cim.ClassMountedStorageImage,
		Keys: []wmi.KeyValue{wmi.Key("Lun", strconv.Itoa(a.lun)), wmi.Key("PathId", "0"), wmi.Key("PortNumber", "1"), wmi.Key("TargetId", "0")},
	})), nil
}
