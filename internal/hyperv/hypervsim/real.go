package hypervsim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// folder is a real folder that is shown under a path of the host.
type folder struct {
	path string // on the host
	real string
}

// MapFolder shows a real folder under a path of the host. Every .vhd and .vhdx
// file in it is a disk, read from its own headers and compacted by qemu-img.
func (h *Host) MapFolder(path, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("map %s: %w", path, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("map %s: %w", path, err)
	}
	if !info.IsDir() || !isAbsolute(path) {
		return fmt.Errorf("map %s: it takes an absolute path of the host and a folder", path)
	}
	for _, program := range []string{"qemu-img", "qemu-io"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("map %s: real disks need %s: %w", path, program, err)
		}
	}
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.addDirectory(path)
	h.world.folders = append(h.world.folders, folder{path: winpath.Normalize(path), real: dir})
	return nil
}

// realPath translates a path of the host; empty when nothing real is there.
func (w *world) realPath(path string) string {
	key := w.key(path)
	for _, f := range w.folders {
		rest, inside := strings.CutPrefix(key, w.key(f.path))
		if !inside || rest != "" && rest[0] != '\\' {
			continue
		}
		if found := follow(f.real, strings.Split(strings.Trim(rest, `\`), `\`)); found != "" {
			return found
		}
	}
	return ""
}

// follow follows names without regard to letter case, as NTFS does. It stays
// below the folder and follows no link.
func follow(at string, names []string) string {
	for _, name := range names {
		if name == "" {
			continue
		}
		entries, err := os.ReadDir(at)
		if err != nil {
			return ""
		}
		next := ""
		for _, e := range entries {
			if strings.EqualFold(e.Name(), name) && e.Type()&fs.ModeSymlink == 0 {
				next = filepath.Join(at, e.Name())
			}
		}
		if next == "" {
			return ""
		}
		at = next
	}
	return at
}

// realDisk reads a disk from its file; nil without one.
func (w *world) realDisk(path string) (*disk, error) {
	if !isRealDisk(path) {
		return nil, nil
	}
	file := w.realPath(path)
	if file == "" {
		return nil, nil
	}
	v, err := readVHD(file, formatOf(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v.Path = winpath.Join(winpath.Dir(path), filepath.Base(file))
	return &disk{VHD: v, file: file, seenSize: v.FileSize}, nil
}

func isRealDisk(path string) bool {
	ext := extension(path)
	return ext == "vhd" || ext == "vhdx"
}

func (w *world) isRealDirectory(path string) bool {
	dir := w.realPath(path)
	if dir == "" {
		return false
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// realFiles lists the disks in the mapped folders, realDirectories the folders
// below them.
func (w *world) realFiles() []string {
	return w.walk(func(path string, e fs.DirEntry) bool { return e.Type().IsRegular() && isRealDisk(path) })
}

func (w *world) realDirectories() []string {
	return w.walk(func(_ string, e fs.DirEntry) bool { return e.IsDir() })
}

func (w *world) walk(wanted func(path string, e fs.DirEntry) bool) []string {
	var paths []string
	for _, f := range w.folders {
		err := filepath.WalkDir(f.real, func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(f.real, name)
			if err != nil || rel == "." {
				return err
			}
			path := winpath.Join(f.path, strings.ReplaceAll(rel, string(filepath.Separator), `\`))
			if wanted(path, e) {
				paths = append(paths, path)
			}
			return nil
		})
		if err != nil {
			w.log.Error("a mapped folder cannot be listed", "folder", f.real, "error", err)
		}
	}
	return paths
}
