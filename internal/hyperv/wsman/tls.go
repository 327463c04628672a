package wsman

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
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
		VerifyConnection:   checkKey,
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

// withoutZone drops the zone of an IPv6 address: only this machine knows it, so
// neither a certificate nor a header of a message may carry it.
func withoutZone(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.WithZone("").String()
	}
	return host
}

// minRSA is the smallest length of an RSA key, in bits, that this program accepts.
const minRSA = 1024

// tlsFailure returns the reason why no TLS connection could be made. A host that ends the
// connection, or does not answer, counts as unreachable.
func (c *countedConn) tlsFailure(address, expected string, err error) error {
	var (
		record tls.RecordHeaderError
		verify *tls.CertificateVerificationError
		began  = c.began()
	)
	failed := &TLSError{Address: address, Expected: expected}
	switch {
	case isTimeout(err):
		return &UnreachableError{Address: address, Err: fmt.Errorf("%w: %w", ErrTLSTimeout, err)}
	case began.alert() == alertProtocolVersion, began.isOld():
		failed.Err = fmt.Errorf("%w: %w", ErrTLSVersion, err)
	case began.alert() == alertHandshakeFailure:
		failed.Err = fmt.Errorf("%w: %w", ErrTLSCipher, err)
	case errors.As(err, &record):
		failed.Err = ErrPlainHTTP
	case errors.As(err, &verify) && len(verify.UnverifiedCertificates) > 0:
		leaf := verify.UnverifiedCertificates[0]
		failed.Found, failed.Err = certificateNames(leaf), fmt.Errorf("%w: %w", certificateFault(leaf, verify.Err), verify.Err)
	case errors.Is(err, ErrShortKey):
		failed.Err = err
	case isHangUp(err):
		return &UnreachableError{Address: address, Err: fmt.Errorf("%w: %w", ErrTLSClosed, err)}
	default:
		failed.Err = fmt.Errorf("%w: %w", ErrTLSHandshake, err)
	}
	return failed
}

// certificateFault classifies the fault of a certificate that was read.
func certificateFault(leaf *x509.Certificate, err error) error {
	var (
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case hasShortKey(leaf): // whichever authority signed it
		return ErrShortKey
	case errors.As(err, &name):
		return ErrWrongName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ErrExpired
	}
	return ErrUnknownAuthority
}

// checkKey refuses a short key before its signature is checked, whose failure would say less.
func checkKey(s tls.ConnectionState) error {
	if len(s.PeerCertificates) > 0 && hasShortKey(s.PeerCertificates[0]) {
		return ErrShortKey
	}
	return nil
}

func hasShortKey(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() < minRSA
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// isHangUp reports whether the peer ended the connection, orderly or not: a
// failure below TLS. A refusal by TLS itself is not a failure to read or to
// write.
func isHangUp(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe} {
		if errors.Is(err, end) {
			return true
		}
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "read" || op.Op == "write")
}

// certificateNames lists the names that a certificate is for. A common name no
// longer counts, but is often the only name on a self-signed certificate.
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
