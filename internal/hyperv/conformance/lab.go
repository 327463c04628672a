package conformance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// prefix starts the name of every file that the kit makes.
const prefix = "hyperv-conformance-"

// lab holds what the kit has made on the host.
type lab struct {
	prepared bool
	disks    map[kind]*scratchDisk
	made     []*scratchDisk
	jobs     []cim.Reference
	first    *observed // the compaction that many claims look at
	cancel   *cancelled
	three    *addresses
	refused  map[kind]error // why there is no disk of a kind: it is asked for once
	astray   error          // why nothing more is started
}

// scratchDisk is a file that the kit has made, or may have made.
type scratchDisk struct {
	path    string
	id      string // VirtualDiskId, where the host gives one
	out     outcome
	settled bool // the host was seen to say how the creation ended
	unseen  bool // it said that the file was created, and does not show it
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

// prepare makes sure that files that the kit makes can be found and removed again.
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
	k.lab.prepared, k.lab.disks, k.lab.refused = true, map[kind]*scratchDisk{}, map[kind]error{}
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

// create makes a disk under a name that does not exist yet. The lab records it before the request
// is sent, so that it is looked for whatever the answer. A kind that could not be made is not asked
// for again, and after a disk that does not appear no further kind is.
func (k *kit) create(ctx context.Context, d kind) (*scratchDisk, error) {
	if err := k.prepare(ctx); err != nil {
		return nil, err
	}
	if err := k.lab.refused[d]; err != nil {
		return nil, err
	}
	if err := k.mayStart(ctx); err != nil {
		return nil, err
	}
	path := winpath.Join(winpath.Normalize(k.options.Scratch), prefix+lower(newGUID())+d.extension())
	if _, err := k.file(ctx, cim.ClassDataFile, path); !gone(err) {
		return nil, errors.Join(errors.New("the name of a new file is taken, or the host does not say"), err)
	}
	s := &scratchDisk{path: path}
	k.lab.made = append(k.lab.made, s)
	k.log.Info("creating", "file", path)
	err := k.make(ctx, s, d)
	if err != nil {
		k.lab.refused[d] = err
		return nil, err
	}
	return s, nil
}

// errUnseen: a file that cannot be seen could not be removed either.
var errUnseen = errors.New("the host said that a file was created, and does not show it: it may have another name")

// make has a disk made and looks for its file.
func (k *kit) make(ctx context.Context, s *scratchDisk, d kind) (err error) {
	if s.out, err = k.order(ctx, d, s.path); err != nil {
		return err
	}
	s.settled = s.out.settled()
	if !s.out.succeeded() {
		return fmt.Errorf("create: %w", &outcomeError{s.out})
	}
	if _, err := k.file(context.WithoutCancel(ctx), cim.ClassDataFile, s.path); gone(err) {
		s.unseen, k.lab.astray = true, errUnseen
		return errUnseen
	}
	s.id = k.diskID(ctx, s.path)
	return nil
}

// outcomeError is an outcome that a check cannot go on with.
type outcomeError struct{ o outcome }

// Error implements error.
func (e *outcomeError) Error() string { return e.o.String() }

// order asks for a new disk and waits for its job, interrupted or not.
func (k *kit) order(ctx context.Context, d kind, path string) (outcome, error) {
	if err := k.mayStart(ctx); err != nil {
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

// settings writes an Msvm_VirtualHardDiskSettingData in CIM-XML (DSP0201).
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
