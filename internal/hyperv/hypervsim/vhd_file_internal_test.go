package hypervsim

import (
	"bytes"
	"os"
	"path/filepath"
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

// FuzzReadHeaders: damaged headers are an error, never a panic or a disk
// without a size.
func FuzzReadHeaders(f *testing.F) {
	vhdx := make([]byte, 256<<10)
	copy(vhdx[regionTable:], "regi")
	vhdx[regionTable+8] = 1
	copy(vhdx[regionTable+regionEntries:], metadataRegion[:])
	f.Add(vhdx[regionTable : regionTable+64])
	f.Add([]byte("conectix"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		image := bytes.Clone(vhdx)
		copy(image[regionTable:], data)
		copy(image, "metadata")
		if v, err := readVHDXHeaders(bytes.NewReader(image)); err == nil && (v.BlockSize == 0 || v.VirtualSize == 0) {
			t.Errorf("a disk without sizes: %+v", v)
		}
		_, _ = readVHDHeaders(bytes.NewReader(data), int64(len(data)))
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
