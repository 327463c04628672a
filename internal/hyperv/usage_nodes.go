package hyperv

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// lookAround asks the other nodes of the cluster, all at once, and adds their answers. The computer
// name own is that of the host that was asked already. The users of a share cannot all be listed,
// so for a disk on a share, nodes that do not answer are no obstacle.
func (p *picture) lookAround(ctx context.Context, t *target, own string, since time.Time) error {
	c, silence := t.host.loadCluster(ctx, since)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c != nil {
		t.path = c.local(t.path)
	}
	around := picture{}
	switch {
	case errors.Is(silence, errNoCluster):
		return nil
	case silence != nil:
		around.unseen = []unseenHost{{name: "the other nodes of its cluster", err: silence}}
	default:
		around.askAll(ctx, t.host, c, own, since)
	}
	p.told = append(p.told, around.told...)
	p.unseen = append(p.unseen, around.unseen...)
	if err := p.lookAgain(ctx, t.host); err != nil {
		return err
	}
	p.addMoving()
	if winpath.IsUNC(t.path) {
		p.unseen = slices.DeleteFunc(p.unseen, func(u unseenHost) bool { return !u.own })
		return nil
	}
	p.down, p.byCluster = around.down, around.byCluster
	return nil
}

// local returns the path on the volumes of the cluster, if a path goes by a share of a node.
func (c *cluster) local(path string) string {
	local, ok := winpath.DriveShare(path)
	if !ok || !winpath.OnClusterVolume(local) {
		return path
	}
	names := []string{c.name}
	for _, n := range c.nodes {
		names = append(names, n.name)
	}
	if !isNameOf(winpath.Server(path), names) {
		return path
	}
	return local
}

// askAll asks every node of the cluster but own.
func (p *picture) askAll(ctx context.Context, h *Host, c *cluster, own string, since time.Time) {
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
			wait.Go(func() { others[i].lookAt(ctx, h, c, n.name, since) })
		}
	}
	wait.Wait()
	for _, other := range others {
		p.told = append(p.told, other.told...)
		p.unseen = append(p.unseen, other.unseen...)
	}
}

// lookAt adds the machines of one other node, or the reason why it does not show them.
func (p *picture) lookAt(ctx context.Context, h *Host, c *cluster, node string, since time.Time) {
	address, written := h.nodeAddress(c, node)
	peer, u, err := h.askNode(ctx, address, node, since)
	if err != nil {
		p.unseen = []unseenHost{{name: "node " + node + " at " + address, err: err, written: written}}
		return
	}
	p.told = []told{{peer, u}}
}

// askNode asks another node for its machines.
func (h *Host) askNode(ctx context.Context, address, node string, since time.Time) (*Host, *usage, error) {
	peer, err := h.peer(address)
	if err != nil {
		return nil, nil, err
	}
	// The context of the caller may expect the node of its own host.
	u, err := peer.loadUsage(wsman.AnyNode(ctx), "", since)
	switch {
	case err != nil:
		return nil, nil, err
	case u.silent:
		return nil, nil, errUnnamedMachines
	case !sameComputer(u.node, node):
		return nil, nil, &wrongNodeError{address: address, node: u.node}
	}
	return peer, u, nil
}

// lookAgain asks once more those nodes that listed their machines before another node had listed
// its own: a machine that moved from one to the other in between is on neither list. A machine that
// moves during both rounds can still be missed.
func (p *picture) lookAgain(ctx context.Context, own *Host) error {
	if p.compared() {
		return nil
	}
	var settled time.Time
	for _, t := range p.told {
		if t.usage.settled.After(settled) {
			settled = t.usage.settled
		}
	}
	renewed := make([]picture, len(p.told))
	var wait sync.WaitGroup
	for i, t := range p.told {
		if t.usage.seen.Before(settled) {
			wait.Go(func() { renewed[i].renew(ctx, t, t.host == own, settled) })
		} else {
			renewed[i].told = []told{t}
		}
	}
	wait.Wait()
	p.told = nil
	this := &round{}
	for _, r := range renewed {
		p.told = append(p.told, r.told...)
		p.unseen = append(p.unseen, r.unseen...)
		for _, t := range r.told {
			t.usage.round.Store(this)
		}
	}
	return context.Cause(ctx)
}

// round stands for one second round: the lists of several nodes that went through it
// together need no other, although those that it renewed are newer than the rest.
type round struct{ _ byte } // not empty, so that each has an address of its own

// compared reports whether the lists have been through a second round together.
func (p *picture) compared() bool {
	if len(p.told) == 0 {
		return true
	}
	first := p.told[0].usage.round.Load()
	return first != nil && !slices.ContainsFunc(p.told, func(t told) bool { return t.usage.round.Load() != first })
}

// renew adds the current list of a host that was asked before.
func (p *picture) renew(ctx context.Context, before told, own bool, since time.Time) {
	node := before.usage.node
	if !own {
		ctx = wsman.AnyNode(ctx)
	}
	u, err := before.host.loadUsage(ctx, node, since)
	if err == nil && !sameComputer(u.node, node) {
		err = &wrongNodeError{address: before.host.name, node: u.node}
	}
	if err != nil {
		p.unseen = []unseenHost{{name: "node " + node, err: err, own: own}}
		return
	}
	p.told = []told{{before.host, u}}
}

// addMoving adds the machines that a host no longer lists and that no other host lists: they were
// deleted, or are moving from one node to another.
func (p *picture) addMoving() {
	if len(p.told) < 2 {
		return
	}
	var moving []told
	for _, t := range p.told {
		named := slices.DeleteFunc(slices.Clone(t.usage.gone), func(d namedDisk) bool { return p.lists(d.machine) })
		if len(named) == 0 {
			continue
		}
		u := &usage{node: t.usage.node, named: named, links: t.usage.links}
		u.trace()
		moving = append(moving, told{t.host, u})
	}
	p.told = append(p.told, moving...)
}

// lists reports whether a host lists the machine of that GUID.
func (p *picture) lists(machine string) bool {
	return slices.ContainsFunc(p.told, func(t told) bool {
		_, listed := t.usage.machines[machine]
		return listed
	})
}
