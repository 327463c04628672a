package hyperv

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// picture is everything that the hosts tell about who uses a disk or depends on
// it. Gates, data sources and lists see the same one.
type picture struct {
	uses []Use
	// told are the hosts that have shown their machines.
	told []told
	// unread are disks that may be this one under another name, and could not be
	// asked.
	unread []gap
	// gaps are disks of machines on the same volume that could not be asked, so
	// that this disk may be a parent of theirs.
	gaps []gap
	// unseen are the hosts that do not show their machines.
	unseen []unseenHost
	// down are the nodes of the cluster that are down.
	down []string
	// byCluster is the name of the cluster if the host was asked under it.
	byCluster string
	// silent: the older generation names no machines.
	silent bool
}

// told is what one host has shown.
type told struct {
	host  *Host
	usage *usage
}

// unseenHost is a host whose machines are not shown.
type unseenHost struct {
	name string
	err  error
	own  bool // the host that has been asked to compact, no other node
}

// pictureOf asks the host of the disk, and for a disk on a cluster volume every
// other node. Node is that of the host which was asked about the disk, if known.
// An error is one of the disk, of the wait or of this host; what other nodes do
// not tell is part of the picture.
func (h *Host) pictureOf(ctx context.Context, node, path string, disk *VHD) (*picture, error) {
	p, t := &picture{}, &target{host: h, path: path, disk: disk}
	node, err := p.look(ctx, h, node, t)
	hidden, isHidden := errors.AsType[*hiddenError](err)
	switch {
	case isHidden:
		node = h.name
		p.unseen = append(p.unseen, unseenHost{name: h.name, err: hidden, own: true})
	case err != nil:
		return nil, err
	}
	if !p.silent && (winpath.OnClusterVolume(path) || winpath.IsVolumeGUID(path)) {
		if err := p.lookAround(ctx, h, node, t); err != nil {
			return nil, err
		}
	}
	p.closeGaps(ctx, path)
	return p, nil
}

// look adds what one host tells, if it must be a certain node then as that one,
// and returns its computer name.
func (p *picture) look(ctx context.Context, h *Host, expected string, t *target) (node string, err error) {
	u, err := h.loadUsage(ctx, expected)
	if err != nil {
		return "", err
	}
	if u.silent {
		p.silent = true
		return "", nil
	}
	uses, unread, err := h.usesOf(ctx, u, t)
	if err != nil {
		return "", err
	}
	p.told = append(p.told, told{h, u})
	p.uses = append(p.uses, uses...)
	p.unread = append(p.unread, unread...)
	return u.node, nil
}

// lookAround adds what the other nodes of the cluster tell, all at once. Own is
// the computer name of the host that was asked already.
func (p *picture) lookAround(ctx context.Context, h *Host, own string, t *target) error {
	c, silence := h.loadCluster(ctx)
	switch {
	case errors.Is(silence, errNoCluster):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case silence != nil:
		p.unseen = append(p.unseen, unseenHost{name: "the other nodes of its cluster", err: silence})
		return nil //nolint:nilerr // the picture carries it
	}
	if sameComputer(h.name, c.name) {
		p.byCluster = c.name
	}
	others := make([]picture, len(c.nodes))
	var wait sync.WaitGroup
	for i, n := range c.nodes {
		switch {
		case sameComputer(n.name, own):
		case n.state == nodeDown || n.state == nodeJoining:
			p.down = append(p.down, n.name)
		default:
			wait.Go(func() { others[i].lookAt(ctx, h, c, n.name, t) })
		}
	}
	wait.Wait()
	for _, other := range others {
		p.told = append(p.told, other.told...)
		p.uses = append(p.uses, other.uses...)
		p.unread = append(p.unread, other.unread...)
		p.unseen = append(p.unseen, other.unseen...)
	}
	return context.Cause(ctx)
}

// lookAt adds what one other node tells, or why it does not.
func (p *picture) lookAt(ctx context.Context, h *Host, c *cluster, node string, t *target) {
	address := h.nodeAddress(c, node)
	if err := p.lookBehind(ctx, h, address, node, t); err != nil {
		*p = picture{unseen: []unseenHost{{name: "node " + node + " at " + address, err: err}}}
	}
}

func (p *picture) lookBehind(ctx context.Context, h *Host, address, node string, t *target) error {
	peer, err := h.peer(address)
	if err != nil {
		return err
	}
	ctx = wsman.AnyNode(ctx) // the caller may insist on the node of its own host
	answered, err := p.look(ctx, peer, "", t)
	switch {
	case err != nil:
		return err
	case p.silent:
		return errUnnamedMachines
	case !sameComputer(answered, node):
		return &wrongNodeError{address: address, node: answered}
	}
	return nil
}

// machines lists the uses, each once, in an order of their own.
func (p *picture) machines() []Use {
	all := slices.Clone(p.uses)
	slices.SortFunc(all, compareUses)
	return slices.Compact(all)
}
