package hyperv

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// place resolves where on a host a path leads: by its own shares a host reaches its own volumes,
// and by a share of a node each node reaches those of the cluster.
type place struct {
	names []string // of the host: the configured one, and its computer name
}

// isOwn reports whether a server in a path is the host itself.
func (p place) isOwn(server string) bool {
	address, err := netip.ParseAddr(server)
	switch {
	case server == "":
		return false
	case err == nil:
		return address.IsLoopback() || slices.Contains(p.names, server)
	}
	return strings.EqualFold(server, "localhost") || isNameOf(server, p.names)
}

// isNameOf reports whether one of the names is that of the computer; an address is not a name.
func isNameOf(server string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := netip.ParseAddr(name)
		return err != nil && sameComputer(server, name)
	})
}

// local returns the path on the host's own drives, if a path goes by the shares of those.
func (p place) local(path string) string {
	if local, ok := winpath.DriveShare(path); ok && p.isOwn(winpath.Server(path)) {
		return local
	}
	return path
}

// sameVolume reports whether two paths can lie on one volume or share. It is not known to which
// folder another share of the host itself leads.
func (p place) sameVolume(a, b string) bool {
	a, b = p.local(a), p.local(b)
	if winpath.SameVolume(a, b) {
		return true
	}
	inside := func(path string) bool { return !winpath.IsUNC(path) || p.isOwn(winpath.Server(path)) }
	return (winpath.IsUNC(a) || winpath.IsUNC(b)) && inside(a) && inside(b)
}

// mayBeAlias reports whether two paths with different roots may name one file: one names the volume
// by its GUID, or a share of the host.
func (p place) mayBeAlias(a, b string) bool {
	return !winpath.Equal(winpath.Volume(a), winpath.Volume(b)) && p.sameVolume(a, b) && mayBeOneName(fileName(a), fileName(b))
}
