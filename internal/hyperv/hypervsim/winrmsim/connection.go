package winrmsim

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// connectionKey finds the connection in the context of a request.
type connectionKey struct{}

// connection is the state of one TCP connection. Requests on it come one after
// the other, so it needs no lock.
type connection struct {
	net         net.Conn
	number      int
	client      string // its name, empty for an unnamed client
	scheme      Scheme
	context     acceptor // nil before the first token
	established bool
	user        string
	counted     bool   // a logon was counted (Basic and certificates)
	lastSealed  []byte // the sealed answer before this one
}

func (s *Server) connect(ctx context.Context, c net.Conn) context.Context {
	n := s.record.count(&s.record.connections)
	_, client := unwrap(c)
	return context.WithValue(ctx, connectionKey{}, &connection{net: c, number: n, client: client})
}

// namedConn is the server's end of a connection of a named client.
type namedConn struct {
	net.Conn
	client string
}

// unwrap takes TLS and the name of the client off a connection.
func unwrap(c net.Conn) (inner net.Conn, client string) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if n, ok := c.(*namedConn); ok {
		return n.Conn, n.client
	}
	return c, ""
}

// connectionState lets Close wait for the connections, and keeps track of them.
func (s *Server) connectionState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.serving.Add(1)
		s.connections.set(c, false)
	case http.StateIdle:
		s.connections.set(c, true)
	case http.StateActive:
		s.connections.set(c, false)
	case http.StateClosed, http.StateHijacked:
		s.connections.remove(c)
		s.serving.Done()
	}
}

// openConnections are the connections of a server, and whether each waits for a
// request.
type openConnections struct {
	mu   sync.Mutex
	idle map[net.Conn]bool
}

func (o *openConnections) set(c net.Conn, idle bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.idle == nil {
		o.idle = map[net.Conn]bool{}
	}
	o.idle[c] = idle
}

func (o *openConnections) remove(c net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.idle, c)
}

// drop closes the idle connections, or all of them. The underlying connection is
// closed: a TLS connection would wait for a write that is under way.
func (o *openConnections) drop(all bool) {
	o.mu.Lock()
	var dropped []net.Conn
	for c, idle := range o.idle {
		if idle || all {
			inner, _ := unwrap(c)
			dropped = append(dropped, inner)
		}
	}
	o.mu.Unlock()
	for _, c := range dropped {
		_ = c.Close()
	}
}

// DropIdleConnections closes the connections on which no request is under way,
// as a host does with those that were idle too long.
func (s *Server) DropIdleConnections() { s.connections.drop(false) }

// DropConnections closes every connection, whatever is under way on it. The work
// of a request goes on; its answer is lost.
func (s *Server) DropConnections() { s.connections.drop(true) }

// SetDown takes the server off the network: its connections are closed, and new
// ones are refused until it is set up again.
func (s *Server) SetDown(down bool) {
	s.down.Store(down)
	if down {
		s.DropConnections()
	}
}
