package conformance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// prefix starts the name of every file that the kit makes.
const prefix = "hyperv-conformance-"

// lab is what the kit has made on the host.
type lab struct {
	prepared bool
	disks    map[kind]*scratchDisk
	made     []*scratchDisk
	jobs     []cim.Reference
	first    *observed // the compaction that many claims look at
	cancel   *cancelled
}

// scratchDisk is a file that the kit has made, or may have made.
type scratchDisk struct {
	path    string
	id      string // VirtualDiskId, where the host tells
	out     outcome
	settled bool // the host was seen to say how the creation ended
}

// kind is a kind of scratch disk.
type kind struct {
	format, typ uint16
}

const (
	formatVHD   = 2
	formatVHDX  = 3
	typeFixed   = 2
	typeDynamic = 3
)

var (
	dynamicVHDX = kind{formatVHDX, typeDynamic}
	dynamicVHD  = kind{formatVHD, typeDynamic}
	fixedVHDX   = kind{formatVHDX, typeFixed}
	fixedVHD    = kind{formatVHD, typeFixed}
)

func (d kind) extension() string {
	if d.format == formatVHD {
		return ".vhd"
	}
	return ".vhdx"
}

// size is small, but more than any host demands.
func (d kind) size() uint64 {
	if d.typ == typeFixed {
		return 8 << 20
	}
	return 256 << 20
}

// work is the kind of disk that most checks work on.
func (k *kit) work() kind {
	if k.isV2() {
		return dynamicVHDX
	}
	return dynamicVHD
}

// prepare makes sure that what is made can be found and removed again.
func (k *kit) prepare(ctx context.Context) error {
	if k.lab.prepared {
		return nil
	}
	if _, err := k.file(ctx, cim.ClassDirectory, winpath.Normalize(k.options.Scratch)); err != nil {
		return fmt.Errorf("the scratch directory: %w", err)
	}
	if _, err := k.file(ctx, cim.ClassDataFile, k.absent(".vhdx")); !gone(err) {
		return fmt.Errorf("the host does not tell absent files from others: %w", errors.Join(err))
	}
	k.lab.prepared, k.lab.disks = true, map[kind]*scratchDisk{}
	return nil
}

// disk returns the scratch disk of a kind, made on first use.
func (k *kit) disk(ctx context.Context, d kind) (*scratchDisk, error) {
	if have := k.lab.disks[d]; have != nil {
		return have, nil
	}
	made, err := k.create(ctx, d)
	if err != nil {
		return nil, err
	}
	k.lab.disks[d] = made
	return made, nil
}

// create makes a disk under a name that does not exist yet. It is known to the
// lab before it is asked for, so that it is looked for whatever the answer.
func (k *kit) create(ctx context.Context, d kind) (*scratchDisk, error) {
	if err := k.prepare(ctx); err != nil {
		return nil, err
	}
	path := winpath.Join(winpath.Normalize(k.options.Scratch), prefix+lower(newGUID())+d.extension())
	if _, err := k.file(ctx, cim.ClassDataFile, path); !gone(err) {
		return nil, errors.Join(errors.New("the name of a new file is taken, or the host does not say"), err)
	}
	s := &scratchDisk{path: path}
	k.lab.made = append(k.lab.made, s)
	k.log.Info("creating", "file", path)
	var err error
	if s.out, err = k.order(ctx, d, path); err != nil {
		return nil, err
	}
	s.settled = true
	if !s.out.succeeded() {
		return nil, fmt.Errorf("create: %w", &outcomeError{s.out})
	}
	s.id = k.diskID(ctx, path)
	return s, nil
}

// outcomeError is an outcome that a check cannot go on with.
type outcomeError struct{ o outcome }

// Error implements error.
func (e *outcomeError) Error() string { return e.o.String() }

// order asks for a new disk and waits for its job, interrupted or not.
func (k *kit) order(ctx context.Context, d kind, path string) (outcome, error) {
	if err := context.Cause(ctx); err != nil {
		return outcome{}, err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer stop()
	size := strconv.FormatUint(d.size(), 10)
	switch {
	case k.isV2():
		return k.call(ctx, service(k.namespace), "CreateVirtualHardDisk", "VirtualDiskSettingData", settings(d, path, size))
	case d.typ == typeFixed:
		return k.call(ctx, service(k.namespace), "CreateFixedVirtualHardDisk", "Path", path, "MaxInternalSize", size)
	}
	return k.call(ctx, service(k.namespace), "CreateDynamicVirtualHardDisk", "Path", path, "MaxInternalSize", size)
}

// settings is an Msvm_VirtualHardDiskSettingData in CIM-XML (DSP0201).
func settings(d kind, path, size string) string {
	var b strings.Builder
	b.WriteString(`<INSTANCE CLASSNAME="` + cim.ClassVirtualHardDiskSettingData + `">`)
	for _, p := range [][3]string{
		{"Type", "uint16", strconv.Itoa(int(d.typ))},
		{"Format", "uint16", strconv.Itoa(int(d.format))},
		{"Path", "string", path},
		{"MaxInternalSize", "uint64", size},
	} {
		b.WriteString(`<PROPERTY NAME="` + p[0] + `" TYPE="` + p[1] + `"><VALUE>` + escape(p[2]) + `</VALUE></PROPERTY>`)
	}
	b.WriteString(`</INSTANCE>`)
	return b.String()
}

// diskID asks for the identifier that a disk has had since its creation.
func (k *kit) diskID(ctx context.Context, path string) string {
	if !k.isV2() {
		return ""
	}
	i, err := k.inspect(ctx, [2]string{"GetVirtualHardDiskSettingData", "SettingData"}, path)
	if err != nil {
		return ""
	}
	id, _ := i.String("VirtualDiskId")
	return id
}

// compact starts a compaction; on the older generation there are no modes.
func (k *kit) startCompact(ctx context.Context, path, mode string) (outcome, error) {
	if !k.isV2() || mode == "" {
		return k.start(ctx, service(k.namespace), "CompactVirtualHardDisk", "Path", path)
	}
	return k.start(ctx, service(k.namespace), "CompactVirtualHardDisk", "Path", path, "Mode", mode)
}

func (k *kit) compact(ctx context.Context, path, mode string) (outcome, error) {
	o, err := k.startCompact(ctx, path, mode)
	if err != nil {
		return o, err
	}
	return o, k.await(ctx, &o)
}

func (k *kit) attach(ctx context.Context, path string, readOnly bool) (outcome, error) {
	o, err := k.start(ctx, service(k.namespace), "AttachVirtualHardDisk", "Path", path, "AssignDriveLetter", "false", "ReadOnly", strconv.FormatBool(readOnly))
	if err != nil {
		return o, err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer stop()
	return o, k.await(ctx, &o)
}

// mount is where a disk is attached; nil when it is not.
type mount struct {
	ref    cim.Reference
	access uint64
}

func (k *kit) mountOf(ctx context.Context, path string) (*mount, error) {
	uri := cim.ResourceURI(k.namespace, cim.ClassMountedStorageImage)
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: uri})
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if name, _ := i.String("Name"); !winpath.Equal(name, path) {
			continue
		}
		m := &mount{ref: cim.Reference{ResourceURI: uri}}
		for _, key := range []string{"PortNumber", "PathId", "TargetId", "Lun"} {
			value, _ := i.String(key)
			m.ref.Selectors = append(m.ref.Selectors, cim.Selector{Name: key, Value: value})
		}
		m.access, _, _ = i.Uint("Access", 16)
		return m, nil
	}
	return nil, nil //nolint:nilnil // not attached is an answer
}

// detach detaches a scratch disk, if it is attached.
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

// whileAttached does something while a disk is attached, and detaches it.
func (k *kit) whileAttached(ctx context.Context, path string, readOnly bool, do func() verdict) verdict {
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
	return do()
}

// cleanUp removes what the kit has made, interrupted or not.
func (k *kit) cleanUp(ctx context.Context) error {
	if len(k.lab.made) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer stop()
	k.endJobs(ctx)
	var left []error
	for _, s := range k.lab.made {
		if err := k.remove(ctx, s); err != nil {
			k.log.Error("left on the host", "file", s.path, "error", err)
			left = append(left, fmt.Errorf("left on the host: %s: %w", s.path, err))
		}
	}
	return errors.Join(left...)
}

// endJobs cancels the jobs of the kit that still run and waits for their end.
func (k *kit) endJobs(ctx context.Context) {
	for _, ref := range k.lab.jobs {
		o := outcome{value: returnJobStarted, job: &ref}
		i, err := k.client.Get(ctx, ref)
		if err != nil {
			continue // gone, or the removal of the file will tell
		}
		if readJob(&o, i); terminal(o.state) {
			continue
		}
		if _, _, err := k.invoke(ctx, ref, "RequestStateChange", "RequestedState", "4"); err != nil {
			k.log.Warn("a job was not cancelled", "error", err)
		}
		waiting, stop := context.WithTimeout(ctx, cleanUpTimeout/2)
		err = k.await(waiting, &o)
		stop()
		if err != nil {
			k.log.Warn("a job has not ended", "error", err)
		}
	}
}

const removeTries = 5

// remove detaches and deletes a file of the kit. Whether it is there, and whether
// it is the disk that was made, the host says.
func (k *kit) remove(ctx context.Context, s *scratchDisk) error {
	var err error
	for try := range removeTries {
		if try > 0 {
			if ended := pause(ctx, time.Second); ended != nil {
				return errors.Join(ended, err)
			}
		}
		if _, err = k.file(ctx, cim.ClassDataFile, s.path); gone(err) && (s.settled || try == removeTries-1) {
			return nil
		}
		if err != nil {
			continue // a disk whose creation went out of sight may still appear
		}
		if _, _, err = k.detach(ctx, s.path); err != nil {
			continue
		}
		if id := k.diskID(ctx, s.path); s.id != "" && id != "" && id != s.id {
			return errors.New("another disk is in its place by now, which is not touched")
		}
		value, deleteErr := k.deleteFileOf(ctx, s.path)
		if err = deleteErr; err == nil && value != returnOK {
			err = &valueError{"Delete", value}
		}
	}
	if _, last := k.file(ctx, cim.ClassDataFile, s.path); gone(last) {
		return nil
	}
	return errors.Join(errors.New("it could not be removed"), err)
}

// deleteFileOf deletes a file by CIM_DataFile.
func (k *kit) deleteFileOf(ctx context.Context, path string) (uint64, error) {
	value, _, err := k.invoke(ctx, cim.NewReference(cim.NamespaceCIMv2, cim.ClassDataFile, cim.Selector{Name: "Name", Value: path}), "Delete")
	return value, err
}
