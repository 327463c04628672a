package winrmsim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"
)

// TLSSort is the kind of TLS that a server serves, or the way in which it
// fails. All but the usual one and the certificates with other kinds of keys
// keep out clients that verify.
type TLSSort string

// The kinds of TLS that a server can have.
const (
	TLSUsual TLSSort = "" // an ECDSA certificate of the server's own authority

	TLSWithRSA        TLSSort = "RSA certificate"
	TLSWithEd25519    TLSSort = "Ed25519 certificate" // which no Windows host has
	TLSOtherName      TLSSort = "certificate for another name"
	TLSOtherAuthority TLSSort = "certificate of another authority"
	TLSExpired        TLSSort = "expired certificate"
	TLSNegativeSerial TLSSort = "certificate with a negative serial number"
	TLSShortKey       TLSSort = "certificate with an RSA key of 512 bits"

	TLSOld    TLSSort = "TLS 1.1 at most"
	TLSNone   TLSSort = "plain http"
	TLSReset  TLSSort = "reset amid the handshake" // in memory, which knows no reset: closed
	TLSClosed TLSSort = "closed amid the handshake"
	TLSSilent TLSSort = "silent"
)

// newLeaf makes the certificate of a server, signed by ca, for name.
func newLeaf(sort TLSSort, name string, ca *x509.Certificate, caKey crypto.Signer) (tls.Certificate, error) {
	leaf := certificateTemplate(2, name)
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames = []string{"localhost", memoryHostName}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	switch sort {
	case TLSOtherName:
		leaf.DNSNames, leaf.IPAddresses = []string{"other.example"}, nil
	case TLSExpired:
		leaf.NotAfter = time.Date(1999, 6, 1, 0, 0, 0, 0, time.UTC)
	default:
	}
	key, err := newLeafKey(sort)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err == nil && sort == TLSNegativeSerial {
		der, err = negativeSerial(der, caKey)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// newAuthorityKey makes the key of the authority: the kind of the signature on a
// certificate is the kind of the authority's key.
func (s TLSSort) newAuthorityKey() (crypto.Signer, error) {
	if s == TLSShortKey {
		s = TLSUsual
	}
	return newLeafKey(s)
}

func newLeafKey(sort TLSSort) (crypto.Signer, error) {
	switch sort {
	case TLSWithRSA:
		return rsa.GenerateKey(rand.Reader, 2048)
	case TLSWithEd25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case TLSShortKey:
		return shortKey{}, nil
	default:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
}

// shortKey is an RSA key of 512 bits that signs nothing right: the library makes
// none, and a client that looks at the length does not come to the signature.
type shortKey struct{}

const shortKeyBytes = 64

// Public implements crypto.Signer.
func (shortKey) Public() crypto.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), 8*shortKeyBytes-1)
	return &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537}
}

// Sign implements crypto.Signer.
func (shortKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, shortKeyBytes), nil
}

// negativeSerial gives a certificate the serial number -1 and signs it again. The
// library makes no such certificate; Windows has.
func negativeSerial(der []byte, caKey crypto.Signer) ([]byte, error) {
	var c struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &c); err != nil {
		return nil, err
	}
	var serial asn1.RawValue // after the version, which is explicit
	version := asn1.RawValue{}
	rest, err := asn1.Unmarshal(c.TBS.Bytes, &version)
	if err == nil {
		_, err = asn1.Unmarshal(rest, &serial)
	}
	if err != nil || len(serial.Bytes) != 1 {
		return nil, errors.Join(errors.New("hypervsim: a certificate of another form"), err)
	}
	serial.Bytes[0] = 0xff // a part of the certificate to be signed
	digest := sha256.Sum256(c.TBS.FullBytes)
	if c.Signature.Bytes, err = caKey.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
		return nil, err
	}
	c.Signature.BitLength = 8 * len(c.Signature.Bytes)
	return asn1.Marshal(c)
}

// secured adds TLS to a listener, or what stands for it.
func (s *Server) secured(l net.Listener) net.Listener {
	switch s.config.TLSSort {
	case TLSNone:
		return l
	case TLSReset, TLSClosed, TLSSilent:
		return &rudeListener{Listener: l, server: s}
	default:
		return tls.NewListener(l, s.tls.config(s.config.ClientAuthorities, s.config.TLSSort))
	}
}

// rudeListener answers no ClientHello.
type rudeListener struct {
	net.Listener

	server *Server
}

// Accept implements net.Listener. It returns no connection.
func (l *rudeListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.server.serving.Go(func() { l.receive(c) })
	}
}

// receive reads the client's first message, and then misbehaves.
func (l *rudeListener) receive(c net.Conn) {
	stop := make(chan struct{})
	defer close(stop)
	l.server.serving.Go(func() { // closing the server does not wait for the client
		select {
		case <-l.server.base.Done():
		case <-stop:
		}
		_ = c.Close()
	})
	hello := make([]byte, 1<<14)
	if _, err := c.Read(hello); err != nil {
		return
	}
	switch l.server.config.TLSSort {
	case TLSReset:
		hangUp(c)
	case TLSSilent:
		_, _ = io.Copy(io.Discard, c)
	default:
	}
}

func (s TLSSort) versions() (least, most uint16) {
	switch s {
	case TLSOld:
		return tls.VersionTLS10, tls.VersionTLS11
	case TLSShortKey: // TLS 1.3 has no signature that short
		return tls.VersionTLS12, tls.VersionTLS12
	default:
		return tls.VersionTLS12, 0
	}
}

// checkTLS refuses a sort of TLS on a server without TLS.
func (c *Config) checkTLS() error {
	if c.TLSSort != TLSUsual && !c.TLS {
		return fmt.Errorf("hypervsim: %s needs TLS", c.TLSSort)
	}
	return nil
}
