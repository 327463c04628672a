package hyperv

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// Listing asks for the virtual hard disks in a directory or of a machine.
type Listing struct {
	// Directory is a directory on a drive of the host; with Recurse, those
	// below it are listed too.
	Directory string
	Recurse   bool
	// Machine is the name or the GUID of a virtual machine, in place of a
	// directory. Names need not be unique: the disks of all machines of that
	// name are listed.
	Machine string
	// Formats are the formats to list; none means VHD and VHDX.
	Formats []Format
	// MinFileSizeBytes excludes smaller files.
	MinFileSizeBytes int64
}

// ListedDisk is a virtual hard disk of a listing.
type ListedDisk struct {
	Path   string
	Format Format
	// FileSizeBytes is nil when the host did not say, for example because a
	// machine refers to a file that is missing.
	FileSizeBytes *int64
}

// List yields the disks that l asks for, each once and in no order. An error is
// the last thing it yields, and means that the list is incomplete. The host
// gets one request at a time.
func (h *Host) List(ctx context.Context, l Listing) iter.Seq2[ListedDisk, error] {
	if len(l.Formats) == 0 {
		l.Formats = []Format{FormatVHD, FormatVHDX}
	}
	all := h.listDirectory
	if l.Machine != "" {
		all = h.listMachine
	}
	return func(yield func(ListedDisk, error) bool) {
		for disk, err := range all(ctx, l) {
			if err == nil && !l.wants(disk) {
				continue
			}
			if !yield(disk, err) || err != nil {
				return
			}
		}
	}
}

// wants repeats the filter that the host has applied, and checks the size. A
// file of unknown size is kept, because a compaction asks for the size again.
func (l Listing) wants(d ListedDisk) bool {
	return slices.Contains(l.Formats, d.Format) &&
		(d.FileSizeBytes == nil || *d.FileSizeBytes >= l.MinFileSizeBytes)
}

// listMachine yields the disks of a machine and of its checkpoints. The files
// are asked for their sizes one by one: they can lie on shares, of which the
// file classes know nothing. A disk whose size cannot be read, because it is
// missing, in use elsewhere or denied, is listed without a size.
func (h *Host) listMachine(ctx context.Context, l Listing) iter.Seq2[ListedDisk, error] {
	return func(yield func(ListedDisk, error) bool) {
		paths, err := h.machineDisks(ctx, l.Machine)
		if err != nil {
			yield(ListedDisk{}, err)
			return
		}
		for _, path := range paths {
			disk := ListedDisk{Path: path, Format: formatOf(path)}
			if !slices.Contains(l.Formats, disk.Format) {
				continue
			}
			size, err := h.FileSize(ctx, path)
			switch {
			case err == nil:
				disk.FileSizeBytes = &size
			case ctx.Err() != nil, Explain(err).HostWide:
				yield(ListedDisk{}, err)
				return
			}
			if !yield(disk, nil) {
				return
			}
		}
	}
}

// machineDisks lists the paths of the disks of the machines of that name, each
// once: the disks in their settings, and the disks beneath those that Hyper-V
// has created for a checkpoint. A machine may name its disk in a form that an
// order cannot have; listed is the plain path.
func (h *Host) machineDisks(ctx context.Context, machine string) ([]string, error) {
	u, err := h.loadUsage(ctx, "", shown())
	if err != nil {
		return nil, err
	}
	if u.silent {
		return nil, errUnnamedMachines
	}
	wanted := u.machinesNamed(machine)
	if len(wanted) == 0 {
		return nil, noMachine(machine)
	}
	var paths []string
	seen := map[string]bool{}
	for _, d := range u.named {
		if !wanted[d.machine] {
			continue
		}
		for _, path := range u.withBase(d.path) {
			if key := winpath.Key(path); !seen[key] {
				seen[key] = true
				paths = append(paths, winpath.Resolve(path))
			}
		}
	}
	return paths, nil
}

// machinesNamed finds machines by name or GUID.
func (u *usage) machinesNamed(machine string) map[string]bool {
	found := map[string]bool{}
	for id, name := range u.machines {
		if strings.EqualFold(name, machine) || strings.EqualFold(id, machine) {
			found[id] = true
		}
	}
	return found
}

// withBase returns a disk and, if it is the disk of a checkpoint, those beneath
// it down to the first that is not one: the disk that people know as the
// machine's.
func (u *usage) withBase(path string) []string {
	paths := []string{path}
	for range longestChain {
		l := u.links[winpath.Key(path)]
		if l == nil || l.parent == "" || !isCheckpointDisk(path) {
			break
		}
		path = l.parent
		paths = append(paths, path)
	}
	return paths
}
