package hypervsim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// errDamaged is wrapped by the errors about the headers of a file.
var errDamaged = errors.New("not a readable virtual hard disk")

// readVHD reads the properties of a disk from its own headers.
func readVHD(name string, format DiskFormat) (VHD, error) {
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
	if format == FormatVHD {
		v, err = readVHDHeaders(f, info.Size())
	} else {
		v, err = readVHDXHeaders(f)
	}
	if err != nil {
		return VHD{}, fmt.Errorf("%s: %w", name, err)
	}
	v.FileSize, v.Changed = info.Size(), info.ModTime()
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
	footerEnd        = 85 // end of the fields of the footer
	headerTable      = 16 // offset of the block allocation table
	headerBlockSize  = 32
)

func readVHDHeaders(f io.ReaderAt, size int64) (VHD, error) {
	footer, err := readFooter(f, size)
	if err != nil {
		return VHD{}, err
	}
	v := VHD{
		Format: FormatVHD, Type: DiskType(binary.BigEndian.Uint16(footer[footerType+2:])), // of 32 bits
		VirtualSize:       int64(binary.BigEndian.Uint64(footer[footerSizeOffset:])), //nolint:gosec // G115: checkSizes refuses what becomes negative
		LogicalSectorSize: 512, PhysicalSectorSize: 512,
		VirtualDiskID: guidBigEndian(footer[footerID:]),
	}
	if v.Type != TypeFixed {
		header, err := readDynamicHeader(f, footer)
		if err != nil {
			return VHD{}, err
		}
		v.BlockSize = binary.BigEndian.Uint32(header[headerBlockSize:])
	}
	return v, checkSizes(v)
}

// checkSizes refuses a disk without a size. Only a fixed VHD has no blocks.
func checkSizes(v VHD) error {
	blocks := v.BlockSize > 0 || v.Format == FormatVHD && v.Type == TypeFixed
	if v.VirtualSize <= 0 || !blocks {
		return fmt.Errorf("%w: %d bytes in blocks of %d", errDamaged, v.VirtualSize, v.BlockSize)
	}
	return nil
}

func readDynamicHeader(f io.ReaderAt, footer []byte) ([]byte, error) {
	header := make([]byte, 1024)
	if _, err := f.ReadAt(header, int64(binary.BigEndian.Uint64(footer[footerDataOffset:]))); err != nil { //nolint:gosec // G115: a wrong offset is an error of ReadAt
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if !bytes.HasPrefix(header, []byte("cxsparse")) {
		return nil, fmt.Errorf("%w: no dynamic header", errDamaged)
	}
	return header, nil
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
	tableRegion        = mustGUID("2DC27766-F623-4200-9D64-115E9BFD4A08")
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
		VirtualSize:        int64(binary.LittleEndian.Uint64(read(virtualDiskSize, 8))), //nolint:gosec // G115: checkSizes refuses what becomes negative
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
	return v, checkSizes(v)
}

// metadataItems returns where the metadata items of a VHDX are in the file.
func metadataItems(f io.ReaderAt) (map[guid]int64, error) {
	start, err := findRegion(f, metadataRegion)
	if err != nil {
		return nil, err
	}
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

// findRegion returns where a region of a VHDX is in the file.
func findRegion(f io.ReaderAt, id guid) (int64, error) {
	regions, err := readTable(f, regionTable, "regi", 8, regionEntries)
	if err != nil {
		return 0, err
	}
	for _, r := range regions {
		if guid(r[:16]) == id {
			return int64(binary.LittleEndian.Uint64(r[16:])), nil //nolint:gosec // G115: a wrong offset is an error of ReadAt
		}
	}
	return 0, fmt.Errorf("%w: no region %s", errDamaged, id)
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
