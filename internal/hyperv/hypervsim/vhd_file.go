package hypervsim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// errDamaged is wrapped by what is wrong with the headers of a file.
var errDamaged = errors.New("not a readable virtual hard disk")

// readVHD reads what a disk's own headers say.
func readVHD(name string) (VHD, error) {
	f, err := os.Open(name) //nolint:gosec // G304: the file is in a folder that the caller mapped
	if err != nil {
		return VHD{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return VHD{}, err
	}
	var v VHD
	if formatOf(name) == FormatVHD {
		v, err = readVHDHeaders(f, info.Size())
	} else {
		v, err = readVHDXHeaders(f)
	}
	if err != nil {
		return VHD{}, fmt.Errorf("%s: %w", name, err)
	}
	v.FileSize = info.Size()
	return v, nil
}

// Layout of the footer of a VHD and of the header of a dynamic one.
const (
	footerSize       = 512
	footerDataOffset = 16
	footerTimestamp  = 24 // with creator, sizes and geometry up to the type
	footerSizeOffset = 48
	footerType       = 60
	footerChecksum   = 64
	footerID         = 68
	footerEnd        = 85 // of what the footer tells
	headerBlockSize  = 32
)

func readVHDHeaders(f io.ReaderAt, size int64) (VHD, error) {
	footer, err := readFooter(f, size)
	if err != nil {
		return VHD{}, err
	}
	v := VHD{
		Format: FormatVHD, Type: DiskType(binary.BigEndian.Uint32(footer[footerType:])),
		VirtualSize:       int64(binary.BigEndian.Uint64(footer[footerSizeOffset:])), //nolint:gosec // G115: no disk has 2^63 bytes
		LogicalSectorSize: 512, PhysicalSectorSize: 512,
		VirtualDiskID: guidBigEndian(footer[footerID:]),
	}
	if v.Type == TypeFixed {
		return v, nil
	}
	header := make([]byte, 1024)
	if _, err := f.ReadAt(header, int64(binary.BigEndian.Uint64(footer[footerDataOffset:]))); err != nil { //nolint:gosec // G115: a wrong offset is an error of ReadAt
		return VHD{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if !bytes.HasPrefix(header, []byte("cxsparse")) {
		return VHD{}, fmt.Errorf("%w: no dynamic header", errDamaged)
	}
	v.BlockSize = binary.BigEndian.Uint32(header[headerBlockSize:])
	return v, nil
}

func readFooter(f io.ReaderAt, size int64) ([]byte, error) {
	footer := make([]byte, footerSize)
	if _, err := f.ReadAt(footer, size-footerSize); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if !bytes.HasPrefix(footer, []byte("conectix")) {
		return nil, fmt.Errorf("%w: no footer", errDamaged)
	}
	return footer, nil
}

// Layout of a VHDX (MS-VHDX 2.2.3 and 2.6).
const (
	regionTable     = 192 << 10
	tableSize       = 64 << 10
	tableEntry      = 32
	regionEntries   = 16
	metadataEntries = 32
)

// GUIDs of a VHDX as they are stored.
var (
	metadataRegion     = mustGUID("8B7CA206-4790-4B9A-B8FE-575F050F886E")
	fileParameters     = mustGUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B")
	virtualDiskSize    = mustGUID("2FA54224-CD1B-4876-B211-5DBED83BF4B8")
	virtualDiskID      = mustGUID("BECA12AB-B2E6-4523-93EF-C309E000C746")
	logicalSectorSize  = mustGUID("8141BF1D-A96F-4709-BA47-F233A8FAAB5F")
	physicalSectorSize = mustGUID("CDA348C7-445D-4471-9CC9-E9885251C556")
)

const (
	flagLeaveBlocksAllocated = 1
	flagHasParent            = 2
)

func readVHDXHeaders(f io.ReaderAt) (VHD, error) {
	items, err := metadataItems(f)
	if err != nil {
		return VHD{}, err
	}
	read := func(id guid, size int) []byte {
		b := make([]byte, size)
		if at, ok := items[id]; ok && err == nil {
			_, err = f.ReadAt(b, at)
		}
		return b
	}
	parameters := read(fileParameters, 8)
	v := VHD{
		Format: FormatVHDX, Type: TypeDynamic,
		BlockSize:          binary.LittleEndian.Uint32(parameters),
		VirtualSize:        int64(binary.LittleEndian.Uint64(read(virtualDiskSize, 8))), //nolint:gosec // G115: at most 64 TiB
		LogicalSectorSize:  binary.LittleEndian.Uint32(read(logicalSectorSize, 4)),
		PhysicalSectorSize: binary.LittleEndian.Uint32(read(physicalSectorSize, 4)),
		VirtualDiskID:      guid(read(virtualDiskID, 16)).String(),
	}
	if err != nil {
		return VHD{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	switch flags := binary.LittleEndian.Uint32(parameters[4:]); {
	case flags&flagHasParent != 0:
		v.Type = TypeDifferencing
	case flags&flagLeaveBlocksAllocated != 0:
		v.Type = TypeFixed
	}
	if v.BlockSize == 0 || v.VirtualSize == 0 {
		return VHD{}, fmt.Errorf("%w: no file parameters", errDamaged)
	}
	return v, nil
}

// metadataItems returns where the metadata items of a VHDX are in the file.
func metadataItems(f io.ReaderAt) (map[guid]int64, error) {
	regions, err := readTable(f, regionTable, "regi", 8, regionEntries)
	if err != nil {
		return nil, err
	}
	for _, r := range regions {
		if guid(r[:16]) != metadataRegion {
			continue
		}
		start := int64(binary.LittleEndian.Uint64(r[16:])) //nolint:gosec // G115: a wrong offset is an error of ReadAt
		entries, err := readTable(f, start, "metadata", 10, metadataEntries)
		if err != nil {
			return nil, err
		}
		items := map[guid]int64{}
		for _, e := range entries {
			items[guid(e[:16])] = start + int64(binary.LittleEndian.Uint32(e[16:]))
		}
		return items, nil
	}
	return nil, fmt.Errorf("%w: no metadata region", errDamaged)
}

// readTable reads the entries of a region or metadata table.
func readTable(f io.ReaderAt, at int64, signature string, count, first int) ([][]byte, error) {
	table := make([]byte, tableSize)
	if _, err := f.ReadAt(table, at); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if !bytes.HasPrefix(table, []byte(signature)) {
		return nil, fmt.Errorf("%w: no table %q", errDamaged, signature)
	}
	n := int(binary.LittleEndian.Uint16(table[count:]))
	if first+n*tableEntry > tableSize {
		return nil, fmt.Errorf("%w: table %q of %d entries", errDamaged, signature, n)
	}
	var entries [][]byte
	for i := range n {
		entries = append(entries, table[first+i*tableEntry:][:tableEntry])
	}
	return entries, nil
}

// keepIdentity gives a new file the identity of the disk that it replaces:
// differencing disks and backups know a disk by it.
func keepIdentity(replacement, original string) error {
	if formatOf(original) == FormatVHD {
		return keepFooter(replacement, original)
	}
	from, err := os.Open(original) //nolint:gosec // G304: the file is in a folder that the caller mapped
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(replacement, os.O_RDWR, 0) //nolint:gosec // G304: the file is next to the original
	if err != nil {
		return err
	}
	err = copyItems(to, from, virtualDiskID, physicalSectorSize)
	return errors.Join(err, to.Close())
}

// copyItems copies metadata items of a VHDX; no checksum covers them.
func copyItems(to *os.File, from io.ReaderAt, ids ...guid) error {
	source, err := metadataItems(from)
	if err != nil {
		return err
	}
	target, err := metadataItems(to)
	if err != nil {
		return err
	}
	for _, id := range ids {
		item := make([]byte, 16)
		if id == physicalSectorSize {
			item = item[:4]
		}
		if _, err := from.ReadAt(item, source[id]); err != nil {
			return err
		}
		if _, err := to.WriteAt(item, target[id]); err != nil {
			return err
		}
	}
	return nil
}

// keepFooter copies what the footer of a VHD tells about the disk, in both of
// its places, with a new checksum.
func keepFooter(replacement, original string) error {
	from, err := os.Open(original) //nolint:gosec // G304: the file is in a folder that the caller mapped
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(replacement, os.O_RDWR, 0) //nolint:gosec // G304: the file is next to the original
	if err != nil {
		return err
	}
	return errors.Join(copyFooter(to, from), to.Close())
}

func copyFooter(to, from *os.File) error {
	old, err := footerOf(from)
	if err != nil {
		return err
	}
	footer, err := footerOf(to)
	if err != nil {
		return err
	}
	if !bytes.Equal(old[footerSizeOffset:footerSizeOffset+8], footer[footerSizeOffset:footerSizeOffset+8]) {
		return fmt.Errorf("%w: its size depends on its geometry", errDamaged)
	}
	copy(footer[footerTimestamp:footerType], old[footerTimestamp:footerType])
	copy(footer[footerID:footerEnd], old[footerID:footerEnd])
	binary.BigEndian.PutUint32(footer[footerChecksum:], 0)
	var sum uint32
	for _, b := range footer {
		sum += uint32(b)
	}
	binary.BigEndian.PutUint32(footer[footerChecksum:], ^sum)
	info, err := to.Stat()
	if err != nil {
		return err
	}
	if _, err := to.WriteAt(footer, info.Size()-footerSize); err != nil {
		return err
	}
	_, err = to.WriteAt(footer, 0)
	return err
}

func footerOf(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readFooter(f, info.Size())
}
