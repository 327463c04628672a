package hyperv

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// lookAround adds what the other nodes of the cluster tell, all at once. Own is
// the computer name of the host that was asked already.
func (p *picture) lookAround(ctx context.Context, h *Host, own string, since time.Time) error {
	c, silence := h.loadCluster(ctx, since)
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
			wait.Go(func() { others[i].lookAt(ctx, h, c, n.name, since) })
		}
	}
	wait.Wait()
	for _, other := range others {
		p.told = append(p.told, other.told...)
		p.unseen = append(p.unseen, other.unseen...)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := p.lookAgain(ctx, h); err != nil {
		return err
	}
	p.addMoving()
	return nil
}

// lookAt adds what one other node tells, or why it does not.
func (p *picture) lookAt(ctx context.Context, h *Host, c *cluster, node string, since time.Time) {
	address := h.nodeAddress(c, node)
	peer, u, err := h.askNode(ctx, address, node, since)
	if err != nil {
		p.unseen = []unseenHost{{name: "node " + node + " at " + address, err: err}}
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
	// The caller may insist on the node of its own host.
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

// lookAgain asks those nodes once more that told of their machines before another
// had told of its own: a machine that moved from one to the other in between is on
// neither list. One that moves while both rounds last can be missed.
func (p *picture) lookAgain(ctx context.Context, own *Host) error {
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
	for _, r := range renewed {
		p.told = append(p.told, r.told...)
		p.unseen = append(p.unseen, r.unseen...)
	}
	return context.Cause(ctx)
}

// renew adds what a host tells now that has told before.
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

// addMoving adds the machines that a host does not list any more and no other host
// lists: they were deleted, or move from one node to another.
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
