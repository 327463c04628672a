package hyperv

import (
	"context"
	"errors"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// closeGaps follows the chains that one host could not follow with the help of the other hosts: a
// disk that a machine or a compaction of one node has open is in use to all the others. Gaps that
// stay open count for the disks of the same volume.
func (p *picture) closeGaps(ctx context.Context, path string) {
	p.gaps = p.unread
	for _, t := range p.told {
		for _, g := range t.usage.gaps {
			if g, open := p.closeGap(ctx, g, path); open && (g.path == "" || p.sameVolume(g.path, path)) {
				p.gaps = append(p.gaps, g)
			}
		}
	}
}

// closeGap follows a chain from where it broke off. It returns the gap at which
// it breaks off for good, if it does.
func (p *picture) closeGap(ctx context.Context, g gap, path string) (rest gap, open bool) {
	for range longestChain {
		l := p.linkOf(ctx, g)
		switch {
		case l == nil:
			return g, true
		case l.missing || l.parent == "":
			return gap{}, false
		}
		use := g.use
		use.Child = g.path
		switch parent := p.local(l.parent); {
		case winpath.Equal(parent, path):
			p.uses = append(p.uses, use)
		case p.mayBeAlias(parent, path):
			return gap{path: l.parent, use: g.use, err: errMayBeThis}, true
		}
		g.path = l.parent
	}
	return g, true
}

// linkOf returns what any of the hosts knows of the disk, nil when none does. If the disk is in
// use, every host is asked about it, because one of them has it open.
func (p *picture) linkOf(ctx context.Context, g gap) *link {
	key := winpath.Key(g.path)
	for _, t := range p.told {
		if l := t.usage.links[key]; l != nil && l.err == nil {
			return l
		}
	}
	if len(p.told) < 2 || !errors.Is(g.err, ErrInUse) {
		return nil
	}
	for _, t := range p.told {
		if l := t.ask(ctx, g.path); l != nil {
			return l
		}
	}
	return nil
}

// ask reads a disk that no machine of the host names, once for each enumeration.
func (t told) ask(ctx context.Context, path string) *link {
	key := winpath.Key(path)
	t.usage.mu.Lock()
	known := t.usage.asked[key]
	t.usage.mu.Unlock()
	if known != nil || t.usage.links[key] != nil {
		return readable(known)
	}
	reader := &chainReader{host: t.host, mute: map[string]error{}}
	l, err := reader.read(wsman.AnyNode(ctx), path)
	if err != nil {
		return nil
	}
	t.usage.mu.Lock()
	defer t.usage.mu.Unlock()
	if t.usage.asked == nil {
		t.usage.asked = map[string]*link{}
	}
	t.usage.asked[key] = l
	return readable(l)
}

func readable(l *link) *link {
	if l == nil || l.err != nil {
		return nil
	}
	return l
}
