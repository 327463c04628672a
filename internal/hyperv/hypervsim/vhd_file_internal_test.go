package hypervsim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReadVHD(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	v, err := readVHD(newFile(t, dir, "a.vhdx"), FormatVHDX)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "format", v.Format, FormatVHDX)
	want(t, "type", v.Type, TypeDynamic)
	want(t, "virtual size", v.VirtualSize, 64*mib)
	want(t, "block size", v.BlockSize, 1<<20)
	want(t, "sector", v.LogicalSectorSize, 512)
	want(t, "ID", len(v.VirtualDiskID), 36)
	v, err = readVHD(newFile(t, dir, "a.vhd"), FormatVHD)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "format", v.Format, FormatVHD)
	want(t, "type", v.Type, TypeDynamic)
	want(t, "virtual size", v.VirtualSize, 64*mib)
	want(t, "block size", v.BlockSize, 2<<20)
}

// vhdOf is a VHD of its headers only.
func vhdOf(typ DiskType, size, block int64) []byte {
	image := make([]byte, 1024+footerSize)
	copy(image, "cxsparse")
	binary.BigEndian.PutUint32(image[headerBlockSize:], uint32(block))
	footer := image[1024:]
	copy(footer, "conectix")
	binary.BigEndian.PutUint64(footer[footerSizeOffset:], uint64(size))
	binary.BigEndian.PutUint32(footer[footerType:], uint32(typ))
	return image
}

// vhdxParts are a region table and, for the start of the file, the metadata that it points to.
func vhdxParts(size, block int64) (regions, metadata []byte) {
	regions = append([]byte("regi\x00\x00\x00\x00\x01"), make([]byte, regionEntries-9+tableEntry)...)
	copy(regions[regionEntries:], metadataRegion[:])
	items := []struct {
		id    guid
		value []byte
	}{
		{fileParameters, binary.LittleEndian.AppendUint64(nil, uint64(block))},
		{virtualDiskSize, binary.LittleEndian.AppendUint64(nil, uint64(size))},
		{logicalSectorSize, []byte{0, 2, 0, 0}},
		{physicalSectorSize, []byte{0, 16, 0, 0}},
		{virtualDiskID, make([]byte, 16)},
	}
	table := make([]byte, metadataEntries+len(items)*tableEntry)
	copy(table, "metadata\x00\x00\x05")
	var values []byte
	for i, item := range items {
		entry := table[metadataEntries+i*tableEntry:]
		copy(entry, item.id[:])
		binary.LittleEndian.PutUint32(entry[16:], uint32(len(table)+len(values)))
		values = append(values, item.value...)
	}
	return regions, slices.Concat(table, values)
}

// vhdxOf puts the parts of a VHDX where they belong.
func vhdxOf(regions, metadata []byte) []byte {
	image := make([]byte, regionTable+tableSize)
	copy(image[:regionTable], metadata)
	copy(image[regionTable:], regions)
	return image
}

// TestReadHeaders_sizes refuses disks without a size, or without blocks where they need some.
func TestReadHeaders_sizes(t *testing.T) {
	t.Parallel()
	vhdx := func(size, block int64) []byte { return vhdxOf(vhdxParts(size, block)) }
	tests := []struct {
		name   string
		format DiskFormat
		image  []byte
		ok     bool
	}{
		{"dynamic VHD", FormatVHD, vhdOf(TypeDynamic, 64*mib, 2*mib), true},
		{"dynamic VHD without size", FormatVHD, vhdOf(TypeDynamic, 0, 2*mib), false},
		{"dynamic VHD without blocks", FormatVHD, vhdOf(TypeDynamic, 64*mib, 0), false},
		{"fixed VHD", FormatVHD, vhdOf(TypeFixed, 64*mib, 0), true},
		{"fixed VHD without size", FormatVHD, vhdOf(TypeFixed, 0, 0), false},
		{"VHD of a negative size", FormatVHD, vhdOf(TypeFixed, -1, 0), false},
		{"VHDX", FormatVHDX, vhdx(64*mib, mib), true},
		{"VHDX without size", FormatVHDX, vhdx(0, mib), false},
		{"VHDX of a negative size", FormatVHDX, vhdx(-1, mib), false},
		{"VHDX without blocks", FormatVHDX, vhdx(64*mib, 0), false},
	}
	for _, test := range tests {
		v, err := readVHDXHeaders(bytes.NewReader(test.image))
		if test.format == FormatVHD {
			v, err = readVHDHeaders(bytes.NewReader(test.image), int64(len(test.image)))
		}
		if (err == nil) != test.ok || err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("%s: size %d, blocks of %d, %v, want ok = %v", test.name, v.VirtualSize, v.BlockSize, err, test.ok)
		}
	}
}

// FuzzReadHeaders: damaged headers are an error, never a panic or a disk
// without a size.
func FuzzReadHeaders(f *testing.F) {
	regions, metadata := vhdxParts(64*mib, mib)
	f.Add(regions, metadata, vhdOf(TypeDynamic, 64*mib, 2*mib))
	f.Add(regions, []byte("metadata"), vhdOf(TypeFixed, 64*mib, 0)[1024:])
	regions, metadata = vhdxParts(-1, mib)
	f.Add(regions, metadata, vhdOf(TypeFixed, 0, 0)[1024:])
	f.Add([]byte("regi"), []byte{}, []byte("conectix"))
	f.Add([]byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, regions, metadata, vhd []byte) {
		if v, err := readVHDXHeaders(bytes.NewReader(vhdxOf(regions, metadata))); err == nil && (v.VirtualSize <= 0 || v.BlockSize == 0) {
			t.Errorf("a VHDX of %d bytes in blocks of %d", v.VirtualSize, v.BlockSize)
		}
		v, err := readVHDHeaders(bytes.NewReader(vhd), int64(len(vhd)))
		if err == nil && (v.VirtualSize <= 0 || v.BlockSize == 0 && v.Type != TypeFixed) {
			t.Errorf("a VHD of %d bytes in blocks of %d", v.VirtualSize, v.BlockSize)
		}
	})
}

// TestGUID: the parts of a GUID that Windows stores little-endian.
func TestGUID(t *testing.T) {
	t.Parallel()
	g := mustGUID("8B7CA206-4790-4B9A-B8FE-575F050F886E")
	want(t, "text", g.String(), "8B7CA206-4790-4B9A-B8FE-575F050F886E")
	want(t, "first byte", g[0], 0x06)
	if _, err := readVHD(filepath.Join(t.TempDir(), "gone.vhdx"), FormatVHDX); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
}
