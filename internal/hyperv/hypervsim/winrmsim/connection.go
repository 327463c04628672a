package winrmsim

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
)

// connectionKey finds the connection in the context of a request.
type connectionKey struct{}

// connection is the state of one TCP connection. Requests on it come one after
// the other, so it needs no lock.
type connection struct {
	net         net.Conn
	number      int
	scheme      Scheme
	context     acceptor // nil before the first token
	established bool
	user        string
	counted     bool   // a logon was counted (Basic and certificates)
	lastSealed  []byte // the sealed answer before this one
}

func (s *Server) connect(ctx context.Context, c net.Conn) context.Context {
	n := s.record.count(&s.record.connections)
	return context.WithValue(ctx, connectionKey{}, &connection{net: c, number: n})
}

// connectionState lets Close wait for the connections, and keeps track of the
// idle ones.
func (s *Server) connectionState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.serving.Add(1)
	case http.StateIdle:
		s.idle.add(c)
	case http.StateActive:
		s.idle.remove(c)
	case http.StateClosed, http.StateHijacked:
		s.idle.remove(c)
		s.serving.Done()
	}
}

// idleConnections are the connections that wait for a request.
type idleConnections struct {
	mu  sync.Mutex
	set map[net.Conn]struct{}
}

func (i *idleConnections) add(c net.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.set == nil {
		i.set = map[net.Conn]struct{}{}
	}
	i.set[c] = struct{}{}
}

func (i *idleConnections) remove(c net.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.set, c)
}

// DropIdleConnections closes the connections on which no request is under way,
// as a host does with those that were idle too long.
func (s *Server) DropIdleConnections() {
	s.idle.mu.Lock()
	dropped := slices.Collect(maps.Keys(s.idle.set))
	s.idle.mu.Unlock()
	for _, c := range dropped {
		_ = c.Close()
	}
}
