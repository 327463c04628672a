package winrmsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// memoryHostName is the name of a host that has no socket.
const memoryHostName = "hyperv.test"

// Dial connects to the server inside the process, whatever address is asked for.
// Such a connection is served as one from a socket is, so that a client can live
// in a testing/synctest bubble.
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return s.dial(ctx, "")
}

// DialAs returns a Dial for a named client: what the client does on the host is
// recorded under that name, which tells apart two processes that share an
// account.
func (s *Server) DialAs(client string) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return s.dial(ctx, client) }
}

func (s *Server) dial(ctx context.Context, client string) (net.Conn, error) {
	if s.down.Load() {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: memoryAddr{}, Err: syscall.ECONNREFUSED}
	}
	return s.memory.dial(ctx, client)
}

// ListenAs opens one more socket on a free port, for a named client that runs
// in a process of its own. The server must have been started; it closes the
// socket.
func (s *Server) ListenAs(ctx context.Context, client string) (*net.TCPAddr, error) {
	if s.http == nil {
		return nil, errors.New("hypervsim: the host is not started")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(s.HostName(), "0"))
	if err != nil {
		return nil, fmt.Errorf("hypervsim: %w", err)
	}
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.Join(fmt.Errorf("hypervsim: %s is no TCP address", l.Addr()), l.Close())
	}
	s.serve(&socketListener{Listener: l, client: client, down: &s.down})
	return address, nil
}

// socketListener names the client of each connection, and refuses connections
// while the server is down. A socket that listens cannot refuse: it resets.
type socketListener struct {
	net.Listener
	client string
	down   *atomic.Bool
}

// Accept implements net.Listener.
func (l *socketListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.down.Load() {
			hangUp(c)
			continue
		}
		return &namedConn{Conn: c, client: l.client}, nil
	}
}

// hangUp closes a connection the hard way, with a reset where there is one.
func hangUp(c net.Conn) {
	inner, _ := unwrap(c)
	if t, ok := inner.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = inner.Close()
}

// memoryListener accepts connections made inside the process.
type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// dial hands one end of a pipe to Accept and returns the other.
func (l *memoryListener) dial(ctx context.Context, client string) (net.Conn, error) {
	ours, server := net.Pipe()
	select {
	case l.conns <- &namedConn{Conn: server, client: client}:
		return ours, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

// memoryAddr is the address of both ends of such a connection.
type memoryAddr struct{}

// Network implements net.Addr.
func (memoryAddr) Network() string { return "pipe" }

// String implements net.Addr.
func (memoryAddr) String() string { return memoryHostName }
