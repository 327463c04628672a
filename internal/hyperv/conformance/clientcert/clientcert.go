// Package clientcert makes certificates with which a local account logs on to
// WinRM, for hosts that are there for tests.
package clientcert

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"
)

// Certificates are PEM files: the authority for the host, the other two for the
// client.
type Certificates struct{ Authority, Certificate, Key []byte }

const (
	// keyBits is a length that every Windows accepts.
	keyBits = 2048
	// serialBits leaves the highest bit clear: a serial number is positive.
	serialBits = 126
)

var (
	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	// oidPrincipalName is the user principal name by which WinRM finds the account to
	// which a certificate is mapped.
	oidPrincipalName = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
)

// Make makes a certificate for a user principal name, such as hvc-admin@localhost, signed by a new
// authority. It is valid for a day, which begins an hour before now.
func Make(principal string, now time.Time) (Certificates, error) {
	authorityKey, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Certificates{}, err
	}
	authority, err := template("Authority of "+principal, now)
	if err != nil {
		return Certificates{}, err
	}
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return Certificates{}, err
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Certificates{}, err
	}
	client, err := template(principal, now)
	if err != nil {
		return Certificates{}, err
	}
	name, err := principalName(principal)
	if err != nil {
		return Certificates{}, err
	}
	client.KeyUsage, client.ExtKeyUsage = x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	client.ExtraExtensions = []pkix.Extension{{Id: oidSubjectAltName, Value: name}}
	clientDER, err := x509.CreateCertificate(rand.Reader, client, authority, &key.PublicKey, authorityKey)
	if err != nil {
		return Certificates{}, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Certificates{}, err
	}
	return Certificates{block("CERTIFICATE", authorityDER), block("CERTIFICATE", clientDER), block("PRIVATE KEY", keyDER)}, nil
}

func template(name string, now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}, err
}

// principalName is a SubjectAltName with one otherName (RFC 5280, 4.2.1.6).
func principalName(principal string) ([]byte, error) {
	text, err := asn1.MarshalWithParams(principal, "utf8")
	if err != nil {
		return nil, err
	}
	other, err := asn1.Marshal(struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}{oidPrincipalName, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: text}})
	if err != nil {
		return nil, err
	}
	// otherName is [0] IMPLICIT: its tag takes the place of that of the SEQUENCE.
	other[0] = 0xA0
	return asn1.Marshal([]asn1.RawValue{{FullBytes: other}})
}

func block(kind string, der []byte) []byte {
	var b bytes.Buffer
	_ = pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}) // a buffer never fails
	return b.Bytes()
}
