package hypervsim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// Host is a simulated Hyper-V host: a WinRM endpoint in front of a simulated
// Hyper-V and file system. It is safe for concurrent use, shares nothing with
// other hosts, and keeps no goroutine after Close.
type Host struct {
	options options
	world   *world
	model   model // world, behind the seam that the wire half asks
	log     *slog.Logger

	server  *http.Server
	memory  *memoryListener
	tcp     net.Listener // nil with WithoutListener
	tls     *identity    // nil without WithTLS
	base    context.Context
	stop    context.CancelFunc
	serving sync.WaitGroup // Serve loops and connections

	idle         idleConnections
	enumerations enumerations
	rules        rules
	record       record
	operations   operations
}

// New returns a host that does not serve yet.
func New(opts ...Option) (*Host, error) {
	o := defaultOptions()
	for _, opt := range opts {
		opt.apply(&o)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	h := &Host{options: o, log: o.log, memory: newMemoryListener()}
	h.world = newWorld(o.clock, o.log)
	h.world.host, h.world.locale = o.computerName, o.locale
	if r := o.release(); r != 0 {
		h.world.release = r
	}
	h.model = h.world
	if err := h.arrange(); err != nil {
		h.world.close()
		return nil, err
	}
	return h, nil
}

// arrange puts on the host what the options ask for.
func (h *Host) arrange() (err error) {
	if h.options.tls {
		if h.tls, err = newIdentity(h.HostName()); err != nil {
			return err
		}
	}
	for _, f := range h.options.arrange {
		if err := f(h); err != nil {
			return err
		}
	}
	return nil
}

// Start serves until Close. The context only bounds the opening of the socket.
func (h *Host) Start(ctx context.Context) error {
	if h.server != nil {
		return errors.New("hypervsim: the host is already started")
	}
	if !h.options.noListener {
		var (
			lc  net.ListenConfig
			err error
		)
		if h.tcp, err = lc.Listen(ctx, "tcp", h.options.address); err != nil {
			return fmt.Errorf("hypervsim: %w", err)
		}
	}
	h.base, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.server = h.newServer()
	h.serve(h.memory)
	if h.tcp != nil {
		h.serve(h.tcp)
	}
	return nil
}

// Close ends every connection and waits until nothing of the host runs.
func (h *Host) Close() error {
	defer h.world.close()
	if h.server == nil {
		return nil
	}
	h.stop()
	err := h.server.Close()
	h.serving.Wait()
	return err
}

// Addr is where the host listens, host:port. Without a socket it is a made-up
// address that only Dial understands.
func (h *Host) Addr() string { return net.JoinHostPort(h.HostName(), strconv.Itoa(h.Port())) }

// HostName is the name or address to dial, and a name on the certificate.
func (h *Host) HostName() string {
	if h.options.noListener {
		return memoryHostName
	}
	host, _, err := net.SplitHostPort(h.options.address)
	if err != nil {
		return memoryHostName
	}
	return host
}

// Port is the port of Addr.
func (h *Host) Port() int {
	if h.tcp != nil {
		if a, ok := h.tcp.Addr().(*net.TCPAddr); ok {
			return a.Port
		}
	}
	if h.options.tls {
		return 5986
	}
	return 5985
}

// ComputerName is the NetBIOS name of the simulated computer.
func (h *Host) ComputerName() string { return h.options.computerName }

// CACertificate is the PEM certificate of the authority that signed the host's
// own certificate; nil without WithTLS.
func (h *Host) CACertificate() []byte {
	if h.tls == nil {
		return nil
	}
	return h.tls.authority
}

// Dial connects to the host inside the process, whatever address is asked for.
// The host serves such a connection as it serves one from a socket, so that a
// client can live in a testing/synctest bubble.
func (h *Host) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return h.memory.dial(ctx)
}
