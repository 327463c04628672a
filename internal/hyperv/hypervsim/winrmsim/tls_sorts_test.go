package winrmsim_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestTLSSorts: what each sort is, seen by a client of the standard library.
func TestTLSSorts(t *testing.T) {
	t.Parallel()
	for sort, isIt := range map[hypervsim.TLSSort]func(s tls.ConnectionState, err error) bool{
		hypervsim.TLSUsual: func(s tls.ConnectionState, err error) bool {
			return err == nil && s.PeerCertificates[0].SignatureAlgorithm == x509.ECDSAWithSHA256
		},
		hypervsim.TLSWithRSA: func(s tls.ConnectionState, err error) bool {
			return err == nil && s.PeerCertificates[0].SignatureAlgorithm == x509.SHA256WithRSA
		},
		hypervsim.TLSWithEd25519: func(s tls.ConnectionState, err error) bool {
			return err == nil && s.PeerCertificates[0].SignatureAlgorithm == x509.PureEd25519
		},
		hypervsim.TLSOtherName:      func(_ tls.ConnectionState, err error) bool { return errors.As(err, new(x509.HostnameError)) },
		hypervsim.TLSOtherAuthority: func(_ tls.ConnectionState, err error) bool { return errors.As(err, new(x509.UnknownAuthorityError)) },
		hypervsim.TLSExpired:        func(_ tls.ConnectionState, err error) bool { return errors.As(err, new(x509.CertificateInvalidError)) },
		hypervsim.TLSNegativeSerial: says("negative serial"),
		hypervsim.TLSShortKey:       says("512-bit"),
		hypervsim.TLSOld:            says("protocol version"),
		hypervsim.TLSNone:           func(_ tls.ConnectionState, err error) bool { return errors.As(err, new(tls.RecordHeaderError)) },
		hypervsim.TLSReset:          says("reset"),
		hypervsim.TLSClosed:         func(_ tls.ConnectionState, err error) bool { return errors.Is(err, io.EOF) },
		hypervsim.TLSSilent:         func(_ tls.ConnectionState, err error) bool { var n net.Error; return errors.As(err, &n) && n.Timeout() },
	} {
		t.Run(string(sort), func(t *testing.T) {
			t.Parallel()
			h := hypervsim.RunT(t, hypervsim.WithTLS(), hypervsim.WithTLSSort(sort))
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM(h.CACertificate()) {
				t.Fatal("no authority")
			}
			raw, err := new(net.Dialer).DialContext(t.Context(), "tcp", h.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			if sort == hypervsim.TLSSilent { // nothing else ends this handshake, and no other is hurried
				_ = raw.SetDeadline(time.Now().Add(time.Second))
			}
			c := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: h.HostName()})
			if err = c.Handshake(); !isIt(c.ConnectionState(), err) {
				t.Errorf("handshake: %v", err)
			}
		})
	}
}

func says(text string) func(s tls.ConnectionState, err error) bool {
	return func(_ tls.ConnectionState, err error) bool { return err != nil && strings.Contains(err.Error(), text) }
}
