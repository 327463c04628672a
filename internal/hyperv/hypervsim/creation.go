package hypervsim

import (
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// creationDuration is how long a creation takes.
const creationDuration = 100 * time.Millisecond

// Sizes of the file of a disk that has just been created, beside its blocks.
const (
	newVHDXBytes = 4 << 20
	newVHDBytes  = 2048
)

// WithCreatedVHD makes disks that clients create behave like template. Its path,
// format, type and sizes do not count.
func WithCreatedVHD(template VHD) Option {
	return arranged(func(h *Host) error {
		h.world.created = template
		return nil
	})
}

// embeddedInstance is an instance in CIM-XML as a string parameter holds it.
type embeddedInstance struct {
	XMLName    xml.Name `xml:"INSTANCE"`
	Class      string   `xml:"CLASSNAME,attr"`
	Properties []struct {
		Name   string   `xml:"NAME,attr"`
		Type   string   `xml:"TYPE,attr"`
		Values []string `xml:"VALUE"`
	} `xml:"PROPERTY"`
}

// decodeSettings reads an Msvm_VirtualHardDiskSettingData; a property without
// VALUE is null.
func decodeSettings(text string) (map[string]string, bool) {
	var i embeddedInstance
	if err := xml.Unmarshal([]byte(text), &i); err != nil || !strings.EqualFold(i.Class, cim.ClassVirtualHardDiskSettingData) {
		return nil, false
	}
	values := map[string]string{}
	for _, p := range i.Properties {
		if p.Name == "" || p.Type == "" || len(p.Values) > 1 {
			return nil, false
		}
		if len(p.Values) == 1 {
			values[strings.ToLower(p.Name)] = strings.TrimSpace(p.Values[0])
		}
	}
	return values, true
}

// createVirtualHardDisk is the method of root\virtualization\v2.
func (w *world) createVirtualHardDisk(c invocation) ([]wmi.Property, *wmi.Failure) {
	settings, ok := decodeSettings(c.in["VirtualDiskSettingData"])
	if !ok {
		return returnsJob(c.namespace, returnInvalidParam, nil), nil
	}
	number := func(name string, bits int) uint64 {
		n, err := strconv.ParseUint(settings[name], 10, bits)
		if err != nil {
			return 0
		}
		return n
	}
	v := w.created
	v.Path, v.Format, v.Type = settings["path"], DiskFormat(number("format", 16)), DiskType(number("type", 16)) //nolint:gosec // G115: 16 bits were parsed
	v.VirtualSize = int64(number("maxinternalsize", 63))                                                        //nolint:gosec // G115: 63 bits were parsed
	return w.create(c, v)
}

// createDynamicVHD and createFixedVHD are the methods of root\virtualization.
func (w *world) createDynamicVHD(c invocation) ([]wmi.Property, *wmi.Failure) {
	return w.createV1(c, TypeDynamic)
}

func (w *world) createFixedVHD(c invocation) ([]wmi.Property, *wmi.Failure) {
	return w.createV1(c, TypeFixed)
}

func (w *world) createV1(c invocation, typ DiskType) ([]wmi.Property, *wmi.Failure) {
	v := w.created
	size, _ := c.in.number("MaxInternalSize", 63)
	v.Path, v.Format, v.Type, v.VirtualSize = c.in["Path"], FormatVHD, typ, int64(size) //nolint:gosec // G115: 63 bits were parsed
	return w.create(c, v)
}

// create starts the creation of a disk that consists of numbers, or refuses it.
//
// Unverified on a real host (create-existing): the codes for a file that exists.
func (w *world) create(c invocation, v VHD) ([]wmi.Property, *wmi.Failure) {
	v.Path = winpath.Normalize(v.Path)
	if refused := w.mayCreate(v); refused != nil {
		code, j := w.refuse(refused, ViaDefault, JobCreation, v.Path, agentOf(c.by), c.now)
		return returnsJob(c.namespace, code, j), nil
	}
	v.FileSize = newVHDXBytes
	if v.Format == FormatVHD {
		v.FileSize = newVHDBytes
	}
	if v.Type == TypeFixed {
		v.FileSize += v.VirtualSize
	}
	v.VirtualDiskID = w.newID()
	j := &job{kind: JobCreation, path: v.Path, by: agentOf(c.by), cancellable: true, ends: c.now.Add(creationDuration)}
	j.finish = func(part float64) {
		if part == 1 {
			w.putDisk(&disk{VHD: v.withDefaults()}, c.now)
		}
	}
	return returnsJob(c.namespace, returnJobStarted, w.start(j, c.now)), nil
}

// mayCreate returns the reason why a disk cannot be created, nil if it can.
func (w *world) mayCreate(v VHD) *refusal {
	_, missing := w.find(v.Path)
	switch {
	case missing == nil:
		return &refusal{code: returnFailed, status: statusFileExists, viaJob: true}
	case missing.status != statusFileNotFound:
		return missing
	case w.isRealDirectory(winpath.Dir(v.Path)):
		return &refusal{code: returnAccessDenied, status: statusAccessDenied} // real folders are read-only
	case v.VirtualSize <= 0 || v.Format != formatOf(v.Path):
		return &refusal{code: returnInvalidParam}
	case v.Type != TypeDynamic && v.Type != TypeFixed:
		return &refusal{code: returnNotSupported}
	}
	return nil
}

// deleteDataFile is CIM_DataFile.Delete, which has return values of its own.
//
// Unverified on a real host (delete-in-use): the value for a file that is open.
func (w *world) deleteDataFile(c invocation) ([]wmi.Property, *wmi.Failure) {
	path := c.target.Text("Name")
	d, ok := w.disk(path)
	switch {
	case !ok: // a real file: this host does not delete it
		return returns(returnFileAccessDenied), nil
	case d.Locked || w.attachedAnywhere(path) || w.jobOn(path) != nil || w.isOpen(path):
		return returns(returnFileSharingViolation), nil
	}
	w.removeDisk(path)
	return returns(returnOK), nil
}
