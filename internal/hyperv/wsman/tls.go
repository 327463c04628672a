package wsman

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"

	"github.com/masterzen/winrm"
)

// tlsConfig makes the TLS configuration of an https endpoint.
func tlsConfig(ep *winrm.Endpoint, certificate bool) (*tls.Config, error) {
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         withoutZone(ep.Host),
		InsecureSkipVerify: ep.Insecure, //nolint:gosec // the operator asked for it; bodies are sealed and bound to the certificate then
	}
	if ep.TLSServerName != "" {
		cfg.ServerName = ep.TLSServerName
	}
	if len(ep.CACert) > 0 {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(ep.CACert) {
			return nil, errors.New("the CA bundle holds no certificate")
		}
	}
	if !certificate {
		return cfg, nil
	}
	pair, err := tls.X509KeyPair(ep.Cert, ep.Key)
	if err != nil {
		return nil, errors.New("client certificate: " + err.Error())
	}
	// Windows asks for the certificate only after it has seen the request: by
	// renegotiation in TLS 1.2, by post-handshake authentication in 1.3, which Go
	// does not have.
	cfg.Certificates = []tls.Certificate{pair}
	cfg.MaxVersion = tls.VersionTLS12
	cfg.Renegotiation = tls.RenegotiateOnceAsClient
	return cfg, nil
}

// withoutZone drops the zone of an IPv6 address: it is known on this machine
// alone, so that neither a certificate nor a header of a message carries it.
func withoutZone(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.WithZone("").String()
	}
	return host
}

// tlsFailure tells a host that does not answer from one that answers wrongly.
func tlsFailure(address, expected string, err error) error {
	var (
		timeout net.Error
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &UnreachableError{Address: address, Err: err}
	case errors.As(err, &record):
		return &TLSError{Address: address, Expected: expected, Err: ErrPlainHTTP}
	case errors.As(err, &verify) && len(verify.UnverifiedCertificates) > 0:
		return &TLSError{Address: address, Expected: expected, Found: certificateNames(verify.UnverifiedCertificates[0]), Err: verify.Err}
	}
	return &TLSError{Address: address, Expected: expected, Err: err}
}

// certificateNames lists what a certificate is for. A common name counts for
// nothing any more, but is often the only one on a self-signed certificate.
func certificateNames(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 && c.Subject.CommonName != "" {
		names = append(names, c.Subject.CommonName)
	}
	return names
}
