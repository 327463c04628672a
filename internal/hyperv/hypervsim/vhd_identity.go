package hypervsim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

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

// keepFooter copies the identity of the disk from the footer of a VHD, in both of
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
