package hyperv

import (
	"context"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// target is the disk whose users are looked for. It is inspected only if
// another path might name it too.
type target struct {
	host    *Host
	ordered string // the path about which the host is asked
	path    string // where that leads, a path by which other hosts may name it
	where   place

	disk *VHD
}

func (t *target) inspect(ctx context.Context) (VHD, error) {
	if t.disk == nil {
		disk, err := t.host.Inspect(ctx, t.ordered)
		if err != nil {
			return VHD{}, err
		}
		t.disk = &disk
	}
	return *t.disk, nil
}

// usesOf lists the uses of the disk among the machines of h, under every path that names it:
// another spelling, a share, a volume by its GUID. The error concerns the wait or the host of t;
// unread holds the disks that may be t, if one of the two could not be read.
func (h *Host) usesOf(ctx context.Context, u *usage, t *target) (uses []Use, unread []gap, err error) {
	uses = slices.Clone(u.byDisk[winpath.Key(t.path)])
	namesakes := u.namesakes(t)
	if len(namesakes) == 0 {
		return uses, nil, nil
	}
	disk, err := t.inspect(ctx)
	switch {
	case err != nil && (ctx.Err() != nil || hostWide(err)):
		return nil, nil, err
	case err != nil:
		return uses, []gap{{path: t.path, use: u.firstUse(namesakes[0]), err: err}}, nil //nolint:nilerr // the gap carries it
	}
	for _, l := range namesakes {
		same, err := h.isSameFile(ctx, l, disk, t)
		switch {
		case ctx.Err() != nil:
			return nil, nil, context.Cause(ctx)
		case err != nil:
			unread = append(unread, gap{path: l.path, use: u.firstUse(l), err: err})
		case same:
			uses = append(uses, u.usesUnder(l.path)...)
		}
	}
	return uses, unread, nil
}

// firstUse is one use of a disk that has any.
func (u *usage) firstUse(l *link) Use { return u.byDisk[winpath.Key(l.path)][0] }

// isSameFile reports whether a disk that machines name by another path is this one, as far as the
// host shows: an identifier or a time that it leaves out distinguishes nothing. Without
// identifiers only a path with another root counts that can lead to the same volume; a folder
// under a short name is not recognized then.
func (h *Host) isSameFile(ctx context.Context, l *link, disk VHD, t *target) (bool, error) {
	switch {
	case disk.VirtualDiskID == nil || l.id == "":
		if !t.where.mayBeAlias(l.path, t.path) {
			return false, nil
		}
	case !strings.EqualFold(*disk.VirtualDiskID, l.id):
		return false, nil
	}
	s, err := h.stampOf(ctx, l)
	return err == nil && s.maybe(disk.stamp()), err
}

// usesUnder are the uses of a disk under another path than that which was asked about.
func (u *usage) usesUnder(path string) []Use {
	uses := slices.Clone(u.byDisk[winpath.Key(path)])
	for i := range uses {
		uses[i].Path = path
	}
	return uses
}

// namesakes returns the disks in u with another path than t that may be the same file: their names
// are equal, or one is a short name.
func (u *usage) namesakes(t *target) []*link {
	key, base := winpath.Key(t.path), fileName(t.path)
	var found []*link
	for other, l := range u.links {
		if other != key && len(u.byDisk[other]) > 0 && l.wasRead() && mayBeOneName(base, fileName(l.path)) &&
			(l.id != "" || t.where.mayBeAlias(l.path, t.path)) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b *link) int { return strings.Compare(a.path, b.path) })
	return found
}

// fileName is the name of the file that Windows opens under this path.
func fileName(path string) string { return winpath.Base(winpath.Resolve(path)) }

// mayBeOneName reports whether two names may be those of one file.
func mayBeOneName(a, b string) bool {
	return winpath.Equal(a, b) || isShortName(a) || isShortName(b)
}

// isShortName reports whether name has the 8.3 form that Windows creates for
// old programs: DISK~1.VHD.
func isShortName(name string) bool {
	stem, ext, _ := strings.Cut(name, ".")
	_, number, ok := strings.Cut(stem, "~")
	return ok && len(stem) <= 8 && len(ext) <= 3 && number != "" && strings.Trim(number, "0123456789") == ""
}

// stamp changes with every change of a disk's file. The time is 0 if it is not known.
type stamp struct{ size, time int64 }

// maybe reports whether both can be stamps of one file.
func (s stamp) maybe(other stamp) bool {
	return s.size == other.size && (s.time == other.time || s.time == 0 || other.time == 0)
}

func (d *VHD) stamp() stamp { return stamp{size: d.FileSizeBytes, time: d.changed} }

// lastStamp returns the stamp that was read last, nil if none was.
func (l *link) lastStamp() *stamp {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stamp
}

// stampOf reads the stamp that distinguishes the file of a link from a copy of
// it, once for each enumeration, and not again while all machines that use the
// disk are off.
//
// Unverified on a real host (state-timestamp): that Timestamp is the same for two
// reads of a file that was not changed.
func (h *Host) stampOf(ctx context.Context, l *link) (stamp, error) {
	if known := l.lastStamp(); known != nil {
		return *known, nil
	}
	state, err := h.readState(ctx, generationV2, winpath.Normalize(l.path))
	if err != nil {
		return stamp{}, err
	}
	var s stamp
	if s.size, err = requiredSize(state, "FileSize"); err != nil {
		return stamp{}, err
	}
	s.time = changeTime(state)
	l.mu.Lock()
	l.stamp = &s
	l.mu.Unlock()
	return s, nil
}
