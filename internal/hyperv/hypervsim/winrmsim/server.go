package winrmsim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// Server is a simulated WinRM service: it authenticates, decodes, asks a model
// and answers. It is safe for concurrent use, shares nothing with other servers,
// and keeps no goroutine after Close.
type Server struct {
	config Config
	model  wmi.Model
	log    *slog.Logger

	http    *http.Server
	memory  *memoryListener
	tcp     net.Listener // nil with NoListener
	tls     *identity    // nil without TLS
	base    context.Context
	stop    context.CancelFunc
	serving sync.WaitGroup // Serve loops and connections

	connections  openConnections
	down         atomic.Bool
	enumerations enumerations
	rules        rules
	record       record
	operations   operations
}

// New returns a server in front of m that does not serve yet.
func New(c Config, m wmi.Model) (*Server, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &Server{config: c, model: m, log: c.Log, memory: newMemoryListener()}
	if c.TLS {
		var err error
		if s.tls, err = newIdentity(c.TLSSort, s.HostName()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Start serves until Close. The context only bounds the opening of the socket.
func (s *Server) Start(ctx context.Context) error {
	if s.http != nil {
		return errors.New("hypervsim: the host is already started")
	}
	if !s.config.NoListener {
		var (
			lc  net.ListenConfig
			err error
		)
		if s.tcp, err = lc.Listen(ctx, "tcp", s.config.Address); err != nil {
			return fmt.Errorf("hypervsim: %w", err)
		}
	}
	s.base, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.http = s.newHTTP()
	s.serve(s.memory)
	if s.tcp != nil {
		s.serve(&socketListener{Listener: s.tcp, down: &s.down})
	}
	return nil
}

// Close ends every connection and waits until nothing of the server runs.
func (s *Server) Close() error {
	if s.http == nil {
		return nil
	}
	s.stop()
	err := s.http.Close()
	s.serving.Wait()
	return err
}

// Addr is where the server listens, host:port. Without a socket it is a made-up
// address that only Dial understands.
func (s *Server) Addr() string { return net.JoinHostPort(s.HostName(), strconv.Itoa(s.Port())) }

// HostName is the name or address to dial, and a name on the certificate.
func (s *Server) HostName() string {
	if s.config.NoListener {
		return memoryHostName
	}
	host, _, err := net.SplitHostPort(s.config.Address)
	if err != nil {
		return memoryHostName
	}
	return host
}

// Port is the port of Addr.
func (s *Server) Port() int {
	if s.tcp != nil {
		if a, ok := s.tcp.Addr().(*net.TCPAddr); ok {
			return a.Port
		}
	}
	if s.config.TLS {
		return 5986
	}
	return 5985
}

// ComputerName is the NetBIOS name of the simulated computer.
func (s *Server) ComputerName() string { return s.config.ComputerName }

// CACertificate is the PEM certificate of the authority that signed the server's
// own certificate; nil without TLS.
func (s *Server) CACertificate() []byte {
	if s.tls == nil {
		return nil
	}
	return s.tls.authority
}

// newHTTP makes the HTTP server; each connection gets its own state, because
// NTLM and Kerberos authenticate connections, not requests.
func (s *Server) newHTTP() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		BaseContext:       func(net.Listener) context.Context { return s.base },
		ConnContext:       s.connect,
		ConnState:         s.connectionState,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		Protocols:         protocols,
		MaxHeaderBytes:    16 << 10, // http.sys: MaxRequestBytes
		ReadHeaderTimeout: 2 * time.Minute,
		IdleTimeout:       s.config.IdleTimeout,
	}
}

// serve accepts connections in the background.
func (s *Server) serve(l net.Listener) {
	if s.tls != nil {
		l = s.secured(l)
	}
	s.serving.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("serve", "err", err)
		}
	})
}
