package hypervsim

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Network is a set of names that lead to hosts. A name can move to another host while connections
// are open, as that of a cluster does, or lead to several in turn, as that of a load balancer does.
type Network struct {
	mu    sync.Mutex
	names map[string]*name // by the name in lower case
}

// name is where a name leads.
type name struct {
	hosts []*Host
	next  int
	conns map[*namedLink]struct{}
}

// NewNetwork returns a network without names.
func NewNetwork() *Network { return &Network{names: map[string]*name{}} }

// Point makes a name lead to hosts, in turn if there are several. Open connections stay where they
// are.
func (n *Network) Point(to string, hosts ...*Host) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := strings.ToLower(to)
	if n.names[key] == nil {
		n.names[key] = &name{conns: map[*namedLink]struct{}{}}
	}
	n.names[key].hosts, n.names[key].next = hosts, 0
}

// Move makes a name lead to another host, and cuts the connections that were
// made under it, as a cluster does.
func (n *Network) Move(to string, host *Host) {
	n.Point(to, host)
	n.Cut(to)
}

// Cut cuts the connections that were made under a name.
func (n *Network) Cut(of string) {
	n.mu.Lock()
	var cut []*namedLink
	if found := n.names[strings.ToLower(of)]; found != nil {
		for c := range found.conns {
			cut = append(cut, c)
		}
	}
	n.mu.Unlock()
	for _, c := range cut {
		c.cut.Store(true)
		_ = c.Close()
	}
}

// Forget removes a name: it no longer resolves.
func (n *Network) Forget(of string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.names, strings.ToLower(of))
}

// DialAs returns a Dial for a named client, see [Host.DialAs]: it goes to the
// host that the name in the address leads to.
func (n *Network) DialAs(client string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		found, host, err := n.resolve(address)
		if err != nil {
			return nil, &net.OpError{Op: "dial", Net: network, Err: err}
		}
		conn, err := host.DialAs(client)(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("dial %s: %w", address, err)
		}
		return n.keep(found, conn), nil
	}
}

func (n *Network) resolve(address string) (*name, *Host, error) {
	server, _, err := net.SplitHostPort(address)
	if err != nil {
		server = address
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	found := n.names[strings.ToLower(server)]
	if found == nil || len(found.hosts) == 0 {
		return nil, nil, &net.DNSError{Err: "no such host", Name: server, IsNotFound: true}
	}
	host := found.hosts[found.next%len(found.hosts)]
	found.next++
	return found, host, nil
}

// keep remembers a connection that was made under a name.
func (n *Network) keep(under *name, conn net.Conn) net.Conn {
	c := &namedLink{Conn: conn}
	c.forget = func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(under.conns, c)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	under.conns[c] = struct{}{}
	return c
}

// namedLink is the client's end of a connection that was made under a name.
type namedLink struct {
	net.Conn
	cut    atomic.Bool
	forget func()
}

// Read implements net.Conn.
func (c *namedLink) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return n, c.failure("read", err)
}

// Write implements net.Conn.
func (c *namedLink) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	return n, c.failure("write", err)
}

// failure is a reset on a connection that was cut.
func (c *namedLink) failure(op string, err error) error {
	if err != nil && c.cut.Load() {
		return &net.OpError{Op: op, Net: "pipe", Err: syscall.ECONNRESET}
	}
	return err
}

// Close implements net.Conn.
func (c *namedLink) Close() error {
	c.forget()
	return c.Conn.Close()
}
