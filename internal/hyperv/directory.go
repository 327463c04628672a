package hyperv

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// deepest is how many levels below a directory are listed. Junctions can lead
// back up; a walk without an end must be ended, and must not pass for complete.
//
// Unverified on a real host (directory-junctions): whether Win32_Directory lists junctions.
const deepest = 32

// queryAll is the resource URI that takes queries: any class of root\cimv2
// (MS-WSMV 3.1.4.1.13).
var queryAll = cim.ResourceURI(cim.NamespaceCIMv2, "*")

// listDirectory walks a directory, level by level. Only one directory's files
// and the directories still to be visited are held at a time.
func (h *Host) listDirectory(ctx context.Context, l Listing) iter.Seq2[ListedDisk, error] {
	return func(yield func(ListedDisk, error) bool) {
		root := winpath.Normalize(l.Directory)
		if err := h.checkDirectory(ctx, root); err != nil {
			yield(ListedDisk{}, err)
			return
		}
		found := false
		more, err := h.walk(ctx, root, l, func(disk ListedDisk, err error) bool {
			found = true
			return yield(disk, err)
		})
		if more && err == nil {
			err = h.checkListed(ctx, root, l.Recurse, found)
		}
		if err != nil {
			yield(ListedDisk{}, fmt.Errorf("list %s: %w", root, err))
		}
	}
}

// walk lists one level after the other. The result more is false when the caller stops the
// iteration.
func (h *Host) walk(ctx context.Context, root string, l Listing, yield func(ListedDisk, error) bool) (more bool, err error) {
	level := []string{root}
	for depth := 0; len(level) > 0; depth++ {
		if depth > deepest {
			return true, fmt.Errorf("%w: directories more than %d levels deep, or a junction that leads back, for example %s", ErrNotSupported, deepest, level[0])
		}
		var below []string
		for _, directory := range level {
			disks, err := h.disksIn(ctx, directory, l.Formats)
			if err != nil {
				return true, err
			}
			for _, disk := range disks {
				if !yield(disk, nil) {
					return false, nil
				}
			}
			if !l.Recurse {
				return true, nil
			}
			directories, err := h.directoriesIn(ctx, directory)
			if err != nil {
				return true, err
			}
			below = append(below, directories...)
		}
		level = below
	}
	return true, nil
}

// checkDirectory is nil when the host shows that the directory is there: a
// query about a missing directory returns nothing, like one about an empty
// directory.
func (h *Host) checkDirectory(ctx context.Context, directory string) error {
	if winpath.IsUNC(directory) || winpath.IsVolumeGUID(directory) {
		return fmt.Errorf("%w: root\\cimv2 lists no files behind a share or a volume path; name the directory by its drive on the host, or list the disks of a virtual machine", ErrNotSupported)
	}
	_, err := h.get(ctx, cim.NewReference(cim.NamespaceCIMv2, cim.ClassDirectory, cim.Selector{Name: "Name", Value: directory}))
	if errors.Is(err, errObjectGone) {
		return &classified{err: fmt.Errorf("directory %s: %w", directory, err), kind: ErrPathNotFound}
	}
	return err
}

// checkListed makes sure that a list is complete: for a volume that is offline, or went offline
// meanwhile, the host has returned nothing. A user of the list forgets disks that are not in it.
func (h *Host) checkListed(ctx context.Context, root string, recursive, found bool) error {
	if err := h.checkDirectory(ctx, root); err != nil {
		return err
	}
	if recursive {
		if err := h.volumesBelowAnswer(ctx, root); err != nil {
			return &classified{err: err, kind: ErrPathNotFound}
		}
	}
	if found {
		return nil
	}
	if err := h.volumeAnswers(ctx, root); err != nil {
		return &classified{err: err, kind: ErrPathNotFound}
	}
	if winpath.OnClusterVolume(root) {
		return h.checkClusterListed(ctx, root)
	}
	return nil
}

// checkClusterListed distinguishes an empty directory on a cluster shared volume from file classes
// that look for it on the system drive, whose letter its path begins with: a directory that shows
// no subdirectory and no file proves nothing.
//
// Unverified on a real host (file-classes-cluster-volume): whether the file
// classes list what lies below a cluster shared volume.
func (h *Host) checkClusterListed(ctx context.Context, root string) error {
	for _, class := range [...]string{cim.ClassDirectory, cim.ClassDataFile} {
		listed := false
		err := h.query(ctx, within("Name", class, root), root, func(string, *cim.Instance) { listed = true })
		if err != nil || listed {
			return err
		}
	}
	return fmt.Errorf("%w: the file classes of Windows list nothing at all in this directory of a cluster shared volume, and it is not proven that they look there; name the disks, or list those of a virtual machine", ErrNotSupported)
}

// disksIn lists the disks in one directory.
func (h *Host) disksIn(ctx context.Context, directory string, formats []Format) ([]ListedDisk, error) {
	var disks []ListedDisk
	for _, format := range formats {
		query := within("FileSize,Name", cim.ClassDataFile, directory) + " AND Extension=" + cim.QuoteWQL(string(format))
		err := h.query(ctx, query, directory, func(name string, i *cim.Instance) {
			disk := ListedDisk{Path: name, Format: formatOf(name), FileSizeBytes: optionalSize(i, "FileSize")}
			if disk.Format == format {
				disks = append(disks, disk)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return disks, nil
}

func (h *Host) directoriesIn(ctx context.Context, directory string) ([]string, error) {
	var directories []string
	err := h.query(ctx, within("Name", cim.ClassDirectory, directory), directory, func(name string, _ *cim.Instance) {
		directories = append(directories, name)
	})
	return directories, err
}

// within writes a query for the entries of one directory. For equalities of
// Drive and Path, the file classes of Windows read that directory alone; any
// other condition makes them read the whole volume. It uses no LIKE, so there
// are no wildcards to escape.
func within(properties, class, directory string) string {
	path := directory[len("C:"):]
	if path[len(path)-1] != '\\' {
		path += `\`
	}
	return "SELECT " + properties + " FROM " + class +
		" WHERE Drive=" + cim.QuoteWQL(directory[:len("C:")]) + " AND Path=" + cim.QuoteWQL(path)
}

// query passes on the entries of the directory. The file classes write names in
// lower case; the directory keeps the spelling in which it was asked for.
func (h *Host) query(ctx context.Context, wql, directory string, found func(name string, i *cim.Instance)) error {
	for i, err := range h.client.Enumerate(ctx, wsman.Enumeration{ResourceURI: queryAll, WQL: wql}) {
		if err != nil {
			return classify(ctx, err)
		}
		name, _ := i.String("Name")
		if name == "" {
			return fmt.Errorf("the host lists an entry of %s without its name", directory)
		}
		if winpath.Equal(winpath.Dir(name), directory) && !winpath.Equal(name, directory) {
			found(winpath.Join(directory, winpath.Base(name)), i)
		}
	}
	return nil
}
