package hypervsim

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
)

// qemuFormat is qemu's name for a format.
func qemuFormat(f DiskFormat) string {
	if f == FormatVHD {
		return "vpc"
	}
	return "vhdx"
}

// convert writes a copy of a disk without its zero blocks, in the same format
// and with the same block size.
func convert(ctx context.Context, from, to string, v VHD, progress func(float64)) error {
	options := "subformat=dynamic"
	if v.Format == FormatVHD {
		options += ",force_size=on"
	} else {
		options += ",block_size=" + strconv.FormatUint(uint64(v.BlockSize), 10)
	}
	format := qemuFormat(v.Format)
	return qemuImg(ctx, progress, "convert", "-p", "-f", format, "-O", format, "-o", options, from, to)
}

// verify proves that the copy is sound and holds the same data.
func verify(ctx context.Context, original, copied string, v VHD, progress func(float64)) error {
	format := qemuFormat(v.Format)
	if v.Format == FormatVHDX { // qemu-img cannot check the other format
		if err := qemuImg(ctx, nil, "check", "-q", "-f", format, copied); err != nil {
			return err
		}
	}
	c, err := readVHD(copied, v.Format)
	if err != nil {
		return err
	}
	c.FileSize = v.FileSize
	if c.VirtualSize != v.VirtualSize || c.BlockSize != v.BlockSize || c.Type != v.Type || c.VirtualDiskID != v.VirtualDiskID {
		return fmt.Errorf("%s: the copy is another disk", original)
	}
	return qemuImg(ctx, progress, "compare", "-p", "-f", format, "-F", format, original, copied)
}

// qemuImg runs qemu-img and reports its progress.
func qemuImg(ctx context.Context, progress func(float64), args ...string) error {
	cmd := exec.CommandContext(ctx, "qemu-img", args...) //nolint:gosec // G204: absolute file names in a folder that the caller mapped
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("qemu-img %s: %w", args[0], err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("qemu-img %s: %w", args[0], err)
	}
	rest := readProgress(out, progress)
	err = cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("qemu-img %s: %w: %s%s", args[0], err, strings.TrimSpace(complaint.String()), rest)
	}
	return nil
}

// readProgress reads lines like "    (12.34/100%)" that end in a carriage
// return. It returns the last line that is not of that form.
func readProgress(r io.Reader, progress func(float64)) string {
	var other string
	lines := bufio.NewScanner(r)
	lines.Split(splitReturns)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		number, isProgress := strings.CutSuffix(strings.TrimPrefix(line, "("), "/100%)")
		percent, err := strconv.ParseFloat(number, 64)
		switch {
		case isProgress && err == nil && progress != nil:
			progress(percent / 100)
		case !isProgress && line != "":
			other = line
		}
	}
	return other
}

// splitReturns splits at carriage returns and line feeds.
func splitReturns(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// growFile allocates blocks of zeros, at least n bytes of them, where nothing
// is allocated: the file grows and its content stays the same.
func growFile(ctx context.Context, name string, v VHD, n int64) error {
	free, err := unallocated(name, v)
	if err != nil {
		return err
	}
	count := (n + int64(v.BlockSize) - 1) / int64(v.BlockSize)
	if count > int64(len(free)) {
		return fmt.Errorf("%s: not enough room on the disk", name)
	}
	var commands bytes.Buffer
	for _, at := range free[:count] {
		fmt.Fprintf(&commands, "write -q -P 0 %d %d\n", at, v.BlockSize)
	}
	cmd := exec.CommandContext(ctx, "qemu-io", "-f", qemuFormat(v.Format), name) //nolint:gosec // G204: an absolute file name in a folder that the caller mapped
	cmd.Stdin = &commands
	if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("failed")) {
		return fmt.Errorf("qemu-io: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
