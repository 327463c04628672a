package winrmsim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	_ "crypto/sha256" // for channel bindings
	_ "crypto/sha512" // for channel bindings
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// identity is the host's certificate and the authority that signed it.
type identity struct {
	authority []byte // PEM
	leaf      tls.Certificate
	binding   []byte // tls-server-end-point data of RFC 5929
}

// newIdentity makes an authority and a certificate for the given name. Its
// validity begins before the clock of a testing/synctest bubble does.
func newIdentity(name string) (*identity, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("hypervsim: %w", err)
	}
	ca := certificateTemplate(1, "Simulated host authority")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, fmt.Errorf("hypervsim: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("hypervsim: %w", err)
	}
	leaf := certificateTemplate(2, name)
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	leaf.DNSNames = []string{"localhost", memoryHostName}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, fmt.Errorf("hypervsim: %w", err)
	}
	h := crypto.SHA256.New() // the certificate is signed with SHA-256
	h.Write(der)
	return &identity{
		authority: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		leaf:      tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		binding:   h.Sum([]byte("tls-server-end-point:")),
	}, nil
}

func certificateTemplate(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// config is the server side TLS configuration. http.sys asks for a client
// certificate only after it has seen a request; here it is asked for in the
// handshake, a difference that most clients cannot see.
func (i *identity) config(clients *x509.CertPool) *tls.Config {
	c := &tls.Config{
		Certificates: []tls.Certificate{i.leaf},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
		// A pipe has no buffer: nobody may be reading when the ticket is written.
		SessionTicketsDisabled: true,
	}
	if clients != nil {
		c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, clients
	}
	return c
}
