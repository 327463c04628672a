package hypervsim

import (
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
	by       agent // the client to which it belongs
	path     string
	readOnly bool
	names    []string // drive letters and folders of its volume
	lun      int
}

// Attachment is an attached disk as a test sees it from outside.
type Attachment struct {
	Path     string
	ReadOnly bool
	Names    []string // drive letters and folders by which its volume is reached
	// Client is the client to which it belongs: the name of a connection, or an
	// account.
	Client string
}

// Attachments returns the disks that are attached to the host, in the order in
// which they were attached.
func (h *Host) Attachments() []Attachment {
	h.world.lock()
	defer h.world.mu.Unlock()
	var all []Attachment
	for _, a := range h.world.attachments {
		all = append(all, a.shown())
	}
	return all
}

func (w *world) attached(path string) *attachment {
	for _, a := range w.attachments {
		if w.key(a.path) == w.key(path) {
			return a
		}
	}
	return nil
}

func (a *attachment) shown() Attachment {
	return Attachment{Path: a.path, ReadOnly: a.readOnly, Names: slices.Clone(a.names), Client: a.by.name}
}

// attachedAnywhere reports whether a disk is attached to one of the nodes.
func (w *world) attachedAnywhere(path string) bool {
	return slices.ContainsFunc(w.sharers(path), func(host *world) bool { return host.attached(path) != nil })
}

// attach attaches a disk under the lowest address that is free. The parameter
// asked is when the request came.
//
// Unverified on a real host (address-reuse): that the addresses of detached
// disks are used again.
func (w *world) attach(by agent, path string, readOnly bool, names []string, asked time.Time) {
	a := &attachment{by: by, path: path, readOnly: readOnly, names: names}
	for slices.ContainsFunc(w.attachments, func(o *attachment) bool { return o.lun == a.lun }) {
		a.lun++
	}
	w.attachments = append(w.attachments, a)
	w.sawAttach(a, asked)
}

// freeLetter is the root of the first drive that is free: no disk of the host
// is on it, and no attachment has its letter.
func (w *world) freeLetter() string {
	for l := 'E'; l <= 'Z'; l++ {
		root := string(l) + `:\`
		_, used := w.local.directories[pathKey(root)]
		if !used && !slices.ContainsFunc(w.attachments, func(a *attachment) bool { return slices.Contains(a.names, root) }) {
			return root
		}
	}
	return ""
}

// detach removes an attachment. A compaction that used it fails.
func (w *world) detach(a *attachment, now time.Time) {
	if j := w.jobOn(a.path); j != nil && j.isCompaction() && j.compaction.mounted {
		w.fail(j, &refusal{code: returnFailed, status: statusInvalidState}, now)
	}
	w.attachments = slices.DeleteFunc(w.attachments, func(other *attachment) bool { return other == a })
}

// mayAttach returns the reason why a disk cannot be attached now, nil if it
// can.
//
// Unverified on a real host (attach-attached): the codes for a disk that is
// attached already.
func (w *world) mayAttach(d *disk) *refusal {
	if d.Locked || w.attachedAnywhere(d.Path) || w.jobOn(d.Path) != nil || w.isOpen(d.Path) {
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
		return w.refuse(refused, w.via(path), JobLoopbackMount, path, agentOf(c.by), c.now)
	}
	names := func() []string {
		if root := w.freeLetter(); letter && root != "" {
			return []string{root}
		}
		return nil
	}
	if d.AttachImmediate {
		w.attach(agentOf(c.by), d.Path, readOnly, names(), c.asked())
		return returnOK, nil
	}
	j := &job{kind: JobLoopbackMount, path: d.Path, by: agentOf(c.by), cancellable: true, ends: c.now.Add(d.AttachDuration)}
	j.finish = func(part float64) {
		if part == 1 {
			w.attach(agentOf(c.by), d.Path, readOnly, names(), c.asked())
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
				wmi.Text("ElementName", winpath.Base(w.listedName(a))),
				wmi.Null("InstanceID", wmi.TypeString),
				wmi.Uint8("Lun", a.lun),
				wmi.Text("Name", w.listedName(a)),
				wmi.Uint8("PathId", 0),
				wmi.Text("PnpDevicePath", a.device()),
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

// listedName is the Name of an attached disk.
//
// Unverified on a real host (attachment-name): which spelling a host lists.
func (w *world) listedName(a *attachment) string {
	if w.listed == nil {
		return a.path
	}
	return w.listed(a.path)
}

// attachmentAt returns the attachment that an instance stands for.
func (w *world) attachmentAt(target *wmi.Object) *attachment {
	for _, a := range w.attachments {
		if strconv.Itoa(a.lun) == target.Text("Lun") {
			return a
		}
	}
	return nil
}

// detachImage is DetachVirtualHardDisk, and Unmount of root\virtualization.
func (w *world) detachImage(c invocation) ([]wmi.Property, *wmi.Failure) {
	return returns(w.tryDetach(agentOf(c.by), w.attachmentAt(c.target), c.now)), nil
}

// unmountByPath is the deprecated Unmount of root\virtualization's service.
func (w *world) unmountByPath(c invocation) ([]wmi.Property, *wmi.Failure) {
	a := w.attached(c.in["Path"])
	if a == nil {
		return returns(returnInvalidState), nil
	}
	return returns(w.tryDetach(agentOf(c.by), a, c.now)), nil
}

// tryDetach returns 0, or 1 for a failure.
func (w *world) tryDetach(by agent, a *attachment, now time.Time) uint32 {
	if d, ok := w.disk(a.path); ok && d.DetachFailures > 0 {
		d.DetachFailures--
		return 1
	}
	w.sawDetach(by, a)
	w.detach(a, now)
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
