package winrmsim

import (
	"crypto"
	"crypto/rand"
	_ "crypto/sha256" // for channel bindings
	_ "crypto/sha512" // for channel bindings
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
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
func newIdentity(sort TLSSort, name string) (*identity, error) {
	caKey, err := sort.newAuthorityKey()
	if err != nil {
		return nil, fmt.Errorf("hypervsim: %w", err)
	}
	ca := certificateTemplate(1, "Simulated host authority")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("hypervsim: %w", err)
	}
	leaf, err := newLeaf(sort, name, ca, caKey)
	if err != nil {
		return nil, fmt.Errorf("hypervsim: %w", err)
	}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	if sort == TLSOtherAuthority {
		other, err := newIdentity(TLSUsual, name)
		if err != nil {
			return nil, err
		}
		authority = other.authority
	}
	i := &identity{authority: authority, leaf: leaf}
	if sort != TLSWithEd25519 { // whose signature has no hash
		h := crypto.SHA256.New()
		h.Write(leaf.Certificate[0])
		i.binding = h.Sum([]byte("tls-server-end-point:"))
	}
	return i, nil
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
func (i *identity) config(clients *x509.CertPool, sort TLSSort) *tls.Config {
	least, most := sort.versions()
	c := &tls.Config{
		Certificates: []tls.Certificate{i.leaf},
		MinVersion:   least, MaxVersion: most,
		NextProtos: []string{"http/1.1"},
		// A pipe has no buffer, and the client may not be reading when the
		// ticket is written.
		SessionTicketsDisabled: true,
	}
	if clients != nil {
		c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, clients
	}
	return c
}
