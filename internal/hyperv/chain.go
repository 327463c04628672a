package hyperv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// longestChain bounds how many parents are followed from one disk. Hyper-V
// makes at most 50 checkpoints of a machine, each with a differencing disk.
const longestChain = 256

// linkLimit bounds the requests about one disk: a share that is gone, or a job
// without an end, keeps only its own disks from being compacted.
const linkLimit = time.Minute

var errLinkTimedOut = fmt.Errorf("no answer within %s", linkLimit)

// errParentUntold: the disk has a parent or may have one, and the host does not name it.
var errParentUntold = errors.New("the host does not name the parent of this disk, and does not say that it has none")

// link is what the host reports of one disk in a chain.
type link struct {
	path   string
	parent string // empty for a disk without one
	id     string // VirtualDiskId, empty if the host gives none
	// missing: the host does not find the file, or does not find its parent.
	missing bool
	// err is the reason why the host did not open the disk.
	err  error
	read time.Time // when the host reported it

	// stamp distinguishes the file from a copy of it; nil until it is needed.
	mu    sync.Mutex
	stamp *stamp
}

func (l *link) wasRead() bool { return l.err == nil && !l.missing }

// keeps reports whether the link is still good without asking again. A file that was missing may
// exist now, and one that was in use may be free.
func (l *link) keeps() bool {
	return l != nil && !l.missing && !errors.Is(l.err, ErrInUse) && time.Since(l.read) <= usageKept
}

// chainReader asks a host about the disks that machines name and about all
// their parents, each disk once.
type chainReader struct {
	host  *Host
	links map[string]*link // by disk key
	// before holds the links of the preceding enumeration.
	before map[string]*link
	// mute holds the volumes about which the host gave no answer in time, and
	// the reason: every other disk on them would take as long.
	mute map[string]error
}

// follow reads a disk and its parents, as far as they have not been read yet.
func (c *chainReader) follow(ctx context.Context, path string) error {
	for range longestChain {
		key := winpath.Key(path)
		if c.links[key] != nil {
			return nil
		}
		l, err := c.link(ctx, path)
		if err != nil {
			return err
		}
		c.links[key] = l
		if l.parent == "" {
			return nil
		}
		path = l.parent
	}
	c.links[winpath.Key(path)] = &link{path: path, err: fmt.Errorf("more than %d parents", longestChain)}
	return nil
}

// link returns what the host reported of a disk recently, or reports now.
func (c *chainReader) link(ctx context.Context, path string) (*link, error) {
	if l := c.before[winpath.Key(path)]; l.keeps() {
		return &link{path: path, parent: l.parent, id: l.id, err: l.err, read: l.read}, nil
	}
	return c.read(ctx, path)
}

// read asks about one disk. An error ends the enumeration: it concerns the host
// or the rights, not the disk.
func (c *chainReader) read(ctx context.Context, path string) (*link, error) {
	volume := winpath.Key(winpath.Volume(path))
	if silence := c.mute[volume]; silence != nil {
		return &link{path: path, err: silence, read: time.Now()}, nil
	}
	reading, stop := context.WithTimeoutCause(ctx, linkLimit, errLinkTimedOut)
	defer stop()
	settings, err := c.host.readEmbedded(reading, generationV2, "GetVirtualHardDiskSettingData", "SettingData", winpath.Normalize(path))
	if err == nil {
		return readLink(path, settings), nil
	}
	return c.unread(ctx, path, volume, err)
}

// readLink decodes Msvm_VirtualHardDiskSettingData. Only a disk that is fixed or dynamic has no
// parent.
func readLink(path string, settings *cim.Instance) *link {
	l := &link{path: path, read: time.Now()}
	l.id, _ = settings.String("VirtualDiskId")
	parent, _ := settings.String("ParentPath")
	kind := typeNames[firstUint(settings, 16, "Type")]
	switch {
	case winpath.MayBeFile(parent):
		l.parent = parent
	case parent != "" || kind != TypeFixed && kind != TypeDynamic:
		l.err = errParentUntold
	}
	return l
}

// unread distinguishes the reasons why a disk cannot be read.
//
// Unverified on a real host (inspect-compacting): whether a disk that is compacted
// can be read. Where it cannot, and it was not read before, it is a gap meanwhile.
func (c *chainReader) unread(ctx context.Context, path, volume string, err error) (*link, error) {
	switch {
	case ctx.Err() != nil, hostWide(err): // every other disk would fail as well
		return nil, err
	case saysMissing(err):
		return &link{path: path, missing: true}, nil
	case errors.Is(err, ErrInUse):
		// A compaction may have the disk open: what was known of it before is still true.
		if l := c.before[winpath.Key(path)]; l != nil && l.err == nil && !l.missing {
			return &link{path: path, parent: l.parent, id: l.id, read: l.read}, nil
		}
	case !isAnswer(err):
		c.mute[volume] = err
	}
	return &link{path: path, err: err, read: time.Now()}, nil
}

// saysMissing reports whether the host found no file, or no parent where the
// disk names one: a compaction cannot break a file that does not exist. A
// server that the host did not reach, or a device that is not ready, may hold a
// file.
func saysMissing(err error) bool {
	if job, ok := errors.AsType[*JobError](err); ok && job.CompletionStatus != 0 {
		return slices.Contains([]uint32{hresultFileNotFound, hresultPathNotFound, hresultParentNotFound}, job.CompletionStatus)
	}
	return errors.Is(err, errHostFindsNothing)
}
