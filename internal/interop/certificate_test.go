package interop_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// certificate is a self-signed certificate for 127.0.0.1.
type certificate struct {
	pem       []byte
	cert, key string // files
	pair      tls.Certificate
}

func newCertificate(t *testing.T) certificate {
	t.Helper()
	return newCertificateOf(t, keys["ECDSA"])
}

// keys are the kinds of keys with which a certificate can be signed.
var keys = map[string]func() (crypto.Signer, error){
	"RSA":     func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
	"ECDSA":   func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	"Ed25519": func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
}

func newCertificateOf(t *testing.T, generate func() (crypto.Signer, error)) certificate {
	t.Helper()
	key, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "interop"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := certificate{pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	if c.pair, err = tls.X509KeyPair(c.pem, keyPEM); err != nil {
		t.Fatal(err)
	}
	c.cert, c.key = write(t, "cert.pem", string(c.pem)), write(t, "key.pem", string(keyPEM))
	return c
}
