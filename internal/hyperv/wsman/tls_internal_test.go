package wsman

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"

	"github.com/masterzen/winrm"
)

// TestServerNameHasNoZone: no certificate names a zone.
func TestServerNameHasNoZone(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{"fe80::1%eth0": "fe80::1", "::1": "::1", "10.0.0.1": "10.0.0.1", "hv01": "hv01"} {
		cfg, err := tlsConfig(&winrm.Endpoint{Host: host, HTTPS: true}, false)
		if err != nil || cfg.ServerName != want {
			t.Errorf("the certificate of %s has to be for %q, %v; want %q", host, cfg.ServerName, err, want)
		}
	}
}

// TestShortKeyComesFirst: whichever authority signed the certificate, a short key is reported
// first.
func TestShortKeyComesFirst(t *testing.T) {
	t.Parallel()
	short := &x509.Certificate{PublicKey: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 511), E: 65537}}
	for _, err := range []error{x509.UnknownAuthorityError{}, x509.HostnameError{}, x509.CertificateInvalidError{Reason: x509.Expired}} {
		if got := certificateFault(short, err); !errors.Is(got, ErrShortKey) {
			t.Errorf("with %T: %v, want ErrShortKey", err, got)
		}
	}
}
