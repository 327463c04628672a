package wsman_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// keyPair is a self-signed certificate, in the forms that both ends need.
type keyPair struct {
	certificate tls.Certificate
	cert, key   []byte
}

func newKeyPair(t testing.TB, name string) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p := keyPair{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
	if p.certificate, err = tls.X509KeyPair(p.cert, p.key); err != nil {
		t.Fatal(err)
	}
	return p
}

// startTLS serves TLS connections.
func (h *fakeHost) startTLS(cfg *tls.Config) {
	go func() { _ = h.server.Serve(tls.NewListener(h.listener, cfg)) }()
}

// https makes a client configuration use verified https with the host's own
// certificate as authority.
func https(p keyPair) func(*wsman.Config) {
	return func(cfg *wsman.Config) {
		cfg.Endpoint = &winrm.Endpoint{Host: "hv1.example", Port: 5986, HTTPS: true, CACert: p.cert}
	}
}

// basicHost returns a host that accepts Basic over https, and a client for it.
func basicHost(t testing.TB, answer func(fakeRequest) fakeAnswer) (*fakeHost, *wsman.Client) {
	t.Helper()
	p := newKeyPair(t, "hv1.example")
	h := newFakeHost(t, answer)
	h.open = true
	h.header = "Basic YWRtaW46Y2FuYXJ5" // admin:canary
	h.startTLS(&tls.Config{Certificates: []tls.Certificate{p.certificate}, NextProtos: []string{"h2", "http/1.1"}})
	return h, h.client(https(p), func(cfg *wsman.Config) {
		cfg.Mechanism = nil
		cfg.Basic = &wsman.BasicCredentials{User: "admin", Password: "canary"}
	})
}

func TestBasic(t *testing.T) {
	t.Parallel()
	h, c := basicHost(t, echo)
	mustGet(t.Context(), t, c, "1")
	mustGet(t.Context(), t, c, "2")
	if conns, _, posts := h.totals(); conns != 1 || posts != 2 {
		t.Errorf("%d connections, %d posts; want 1, 2", conns, posts)
	}

	h, c = basicHost(t, echo)
	h.header = "Basic other"
	for range 2 {
		_, err := c.Invoke(t.Context(), compact("x"))
		var auth *wsman.AuthError
		if !errors.As(err, &auth) || errors.As(err, new(*wsman.OutcomeError)) || !slices.Equal(auth.Schemes, []string{"Basic"}) {
			t.Errorf("Invoke = %v, want a rejection", err)
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error holds the password: %v", err)
		}
	}
	if _, _, posts := h.totals(); posts != 1 {
		t.Errorf("%d logons with a wrong password, want 1", posts)
	}
}

func TestVerifiedTLSDoesNotSeal(t *testing.T) {
	t.Parallel()
	p := newKeyPair(t, "hv1.example")
	h := newFakeHost(t, echo)
	h.open = true
	h.startTLS(&tls.Config{Certificates: []tls.Certificate{p.certificate}})
	mustGet(t.Context(), t, h.client(https(p)), "1")
}

func TestUnverifiedTLSSeals(t *testing.T) {
	t.Parallel()
	p := newKeyPair(t, "hv1.example")
	h := newFakeHost(t, echo)
	h.startTLS(&tls.Config{Certificates: []tls.Certificate{p.certificate}})
	mustGet(t.Context(), t, h.client(https(p), func(cfg *wsman.Config) { cfg.Endpoint.CACert, cfg.Endpoint.Insecure = nil, true }), "1")
}

func TestCertificateMode(t *testing.T) {
	t.Parallel()
	server, user := newKeyPair(t, "hv1.example"), newKeyPair(t, "user")
	h := newFakeHost(t, echo)
	h.open = true
	h.header = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
	version := make(chan uint16, 8)
	// Go's server cannot renegotiate, so it asks for the certificate at once.
	h.startTLS(&tls.Config{
		Certificates: []tls.Certificate{server.certificate},
		ClientAuth:   tls.RequireAnyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error {
			version <- s.Version
			return nil
		},
	})
	c := h.client(https(server), func(cfg *wsman.Config) {
		cfg.Mechanism, cfg.Certificate = nil, true
		cfg.Endpoint.Cert, cfg.Endpoint.Key = user.cert, user.key
	})
	mustGet(t.Context(), t, c, "1")
	if v := <-version; v != tls.VersionTLS12 {
		t.Errorf("TLS version %#x, want 1.2: WinRM renegotiates", v)
	}
}

func TestTLSErrors(t *testing.T) {
	t.Parallel()
	named, other := newKeyPair(t, "hv1.example"), newKeyPair(t, "other.example")
	// A loopback socket: both ends of a refused handshake write at once, and a
	// pipe has no buffer for that.
	start := func(t *testing.T, p keyPair, authority keyPair) *wsman.Client {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		h := newFakeHost(t, echo)
		h.server.ErrorLog = log.New(io.Discard, "", 0)
		go func() {
			_ = h.server.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{p.certificate}}))
		}()
		return h.client(https(authority), func(cfg *wsman.Config) {
			cfg.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
			}
		})
	}
	check := func(t *testing.T, c *wsman.Client) *wsman.TLSError {
		t.Helper()
		_, err := c.Get(t.Context(), jobReference("1"))
		var e *wsman.TLSError
		if !errors.As(err, &e) || errors.As(err, new(*wsman.UnreachableError)) || wsman.Retryable(err) {
			t.Fatalf("Get = %v, want a TLSError that is not worth a repetition", err)
		}
		return e
	}
	t.Run("another name", func(t *testing.T) {
		t.Parallel()
		e := check(t, start(t, other, other))
		if e.Expected != "hv1.example" || !slices.Equal(e.Found, []string{"other.example"}) {
			t.Errorf("expected %q, found %q", e.Expected, e.Found)
		}
	})
	t.Run("the name can be given", func(t *testing.T) {
		t.Parallel()
		h := newFakeHost(t, echo)
		h.open = true
		h.startTLS(&tls.Config{Certificates: []tls.Certificate{other.certificate}})
		mustGet(t.Context(), t, h.client(https(other), func(cfg *wsman.Config) { cfg.Endpoint.TLSServerName = "other.example" }), "1")
	})
	t.Run("unknown authority", func(t *testing.T) {
		t.Parallel()
		e := check(t, start(t, named, other))
		if !errors.As(e, new(x509.UnknownAuthorityError)) || !slices.Equal(e.Found, []string{"hv1.example"}) {
			t.Errorf("error = %v, found %q", e.Err, e.Found)
		}
	})
	t.Run("plain http on the port", func(t *testing.T) {
		t.Parallel()
		h := newFakeHost(t, echo)
		h.start()
		if e := check(t, h.client(https(named))); !errors.Is(e, wsman.ErrPlainHTTP) {
			t.Errorf("error = %v, want ErrPlainHTTP", e)
		}
	})
	t.Run("TLS on the port", func(t *testing.T) {
		t.Parallel()
		// Go's server would answer plain http with a hint; a bare TLS server
		// sends an alert.
		l := newPipeListener()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					_, _ = conn.Read(make([]byte, 4096))
					_, _ = conn.Write([]byte{0x15, 3, 1, 0, 2, 2, 70}) // protocol version alert
				}()
			}
		}()
		t.Cleanup(func() { _ = l.Close() })
		c, err := wsman.New(wsman.Config{Endpoint: &winrm.Endpoint{Host: "h", Port: 5986}, Mechanism: toy{}, Dial: l.dial})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if e := check(t, c); !errors.Is(e, wsman.ErrTLS) {
			t.Errorf("error = %v, want ErrTLS", e)
		}
	})
}

func TestTLSTimeoutIsUnreachable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := wsman.New(wsman.Config{
			Endpoint:  &winrm.Endpoint{Host: "h", Port: 5986, HTTPS: true},
			Mechanism: toy{},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				go func() { // accepts everything and never answers
					b := make([]byte, 4096)
					for {
						if _, err := server.Read(b); err != nil {
							return
						}
					}
				}()
				return client, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = c.Get(t.Context(), jobReference("1"))
		if !errors.As(err, new(*wsman.UnreachableError)) || time.Since(start) != 30*time.Second {
			t.Errorf("Get = %v after %v, want an UnreachableError after 30s", err, time.Since(start))
		}
	})
}

// TestZone: the zone of an IPv6 address is for the connection alone.
func TestZone(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, echo)
	h.start()
	var dialled string
	c := h.client(func(cfg *wsman.Config) {
		cfg.Endpoint.Host = "fe80::1%eth0"
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = address
			return h.listener.dial(ctx, network, address)
		}
	})
	mustGet(t.Context(), t, c, "1")
	if dialled != "[fe80::1%eth0]:5985" || h.seen("http://[fe80::1]:5985/wsman<") != 1 {
		t.Errorf("dialled %s, requests %q", dialled, h.requests)
	}
}
