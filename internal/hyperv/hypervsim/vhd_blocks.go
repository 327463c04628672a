package hypervsim

import (
	"encoding/binary"
	"fmt"
	"os"
)

// unallocated returns the offsets, on the disk, of the blocks that have no
// place in the file.
func unallocated(name string, v VHD) ([]int64, error) {
	f, err := os.Open(name) //nolint:gosec // G304: the file is in a folder that the caller mapped
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	entry, err := blockTable(f, v)
	if err != nil {
		return nil, err
	}
	var offsets []int64
	block := int64(v.BlockSize)
	for i := int64(0); (i+1)*block <= v.VirtualSize; i++ {
		used, err := entry(i)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDamaged, err)
		}
		if !used {
			offsets = append(offsets, i*block)
		}
	}
	return offsets, nil
}

// blockTable returns a function that reports whether a block is in the file.
func blockTable(f *os.File, v VHD) (func(block int64) (bool, error), error) {
	if v.Format == FormatVHD {
		return vhdTable(f)
	}
	start, err := findRegion(f, tableRegion)
	if err != nil {
		return nil, err
	}
	// A bitmap entry follows the entries of each chunk (MS-VHDX 2.5).
	chunk := (int64(1) << 23) * int64(v.LogicalSectorSize) / int64(v.BlockSize)
	return func(block int64) (bool, error) {
		entry := make([]byte, 8)
		if _, err := f.ReadAt(entry, start+8*(block+block/chunk)); err != nil {
			return false, err
		}
		return entry[0]&7 >= 6, nil // fully or partially present
	}, nil
}

func vhdTable(f *os.File) (func(block int64) (bool, error), error) {
	footer, err := footerOf(f)
	if err != nil {
		return nil, err
	}
	header, err := readDynamicHeader(f, footer)
	if err != nil {
		return nil, err
	}
	start := int64(binary.BigEndian.Uint64(header[headerTable:])) //nolint:gosec // G115: a wrong offset is an error of ReadAt
	return func(block int64) (bool, error) {
		entry := make([]byte, 4)
		if _, err := f.ReadAt(entry, start+4*block); err != nil {
			return false, err
		}
		return binary.BigEndian.Uint32(entry) != 0xFFFFFFFF, nil
	}, nil
}

// footerOf reads the footer of an open VHD.
func footerOf(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readFooter(f, info.Size())
}
