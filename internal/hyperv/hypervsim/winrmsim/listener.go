package winrmsim

import (
	"context"
	"net"
	"sync"
)

// memoryHostName is the name of a host that has no socket.
const memoryHostName = "hyperv.test"

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
func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
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
