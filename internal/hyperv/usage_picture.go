package hyperv

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// picture is everything that the hosts show of the machines and disks that use
// a disk or depend on it. Gates, data sources and lists use the same one.
type picture struct {
	place

	uses []Use
	// told holds the hosts that have shown their machines.
	told []told
	// unread holds the disks that may be this one under another name, and could
	// not be read.
	unread []gap
	// gaps holds the disks of machines on the same volume whose parents could
	// not be read, so that this disk may be one of those.
	gaps []gap
	// unseen holds the hosts that do not show their machines.
	unseen []unseenHost
	// down holds the nodes of the cluster that are down.
	down []string
	// byCluster is the name of the cluster if the host was asked under it.
	byCluster string
	// silent: the older generation names no machines.
	silent bool
}

// told holds the machines that one host has shown.
type told struct {
	host  *Host
	usage *usage
}

// unseenHost is a host whose machines are not shown.
type unseenHost struct {
	name string
	err  error
	own  bool // the host that is to compact, not another node
	// written: the user has said where to reach it.
	written bool
}

// pictureOf asks the host of the disk, and for a disk on a cluster volume or a share every other
// node, except for lists that are not older than since. The parameter node is the node that was
// asked about the disk, if known. An error concerns the disk, the wait or this host; failures of
// other nodes are part of the picture.
func (h *Host) pictureOf(ctx context.Context, node, path string, disk *VHD, since time.Time) (*picture, error) {
	p, t := &picture{}, &target{host: h, ordered: path, disk: disk}
	u, err := h.loadUsage(ctx, node, since)
	hidden, isHidden := errors.AsType[*hiddenError](err)
	switch {
	case isHidden:
		node = h.name
		p.unseen = append(p.unseen, unseenHost{name: h.name, err: hidden, own: true})
		if hidden.last != nil {
			p.told = append(p.told, told{h, hidden.last})
		}
	case err != nil:
		return nil, err
	case u.silent:
		p.silent = true
		return p, nil
	default:
		node = u.node
		p.told = append(p.told, told{h, u})
	}
	p.names = []string{h.name, node}
	t.path, t.where = p.local(path), p.place
	if winpath.OnClusterVolume(t.path) || winpath.IsVolumeGUID(path) || winpath.IsUNC(t.path) {
		if err := p.lookAround(ctx, t, node, since); err != nil {
			return nil, err
		}
	}
	if err := p.match(ctx, t); err != nil {
		return nil, err
	}
	p.closeGaps(ctx, t.path)
	return p, nil
}

// match adds the uses of the disk by the machines that were shown.
func (p *picture) match(ctx context.Context, t *target) error {
	for _, host := range p.told {
		uses, unread, err := host.host.usesOf(ctx, host.usage, t)
		if err != nil {
			return err
		}
		p.uses = append(p.uses, uses...)
		p.unread = append(p.unread, unread...)
	}
	return nil
}

// machines lists the uses, each once, in the order of compareUses.
func (p *picture) machines() []Use {
	all := slices.Clone(p.uses)
	slices.SortFunc(all, compareUses)
	return slices.Compact(all)
}
