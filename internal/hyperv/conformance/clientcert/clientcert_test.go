package clientcert_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/clientcert"
)

const principal = "hvc-admin@localhost"

func issue(t *testing.T) clientcert.Certificates {
	t.Helper()
	c, err := clientcert.Make(principal, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestMake: the certificate is signed by the authority, is for clients, and belongs to the key.
func TestMake(t *testing.T) {
	t.Parallel()
	c := issue(t)
	pair, err := tls.X509KeyPair(c.Certificate, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(c.Authority) {
		t.Fatal("no authority")
	}
	cert := pair.Leaf
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	if cert.SerialNumber.Sign() <= 0 || cert.SerialNumber.Bytes()[0]&0x80 != 0 && len(cert.SerialNumber.Bytes()) > 16 {
		t.Errorf("serial number %x", cert.SerialNumber)
	}
}

// TestPrincipalName: another program reads the name of the account.
func TestPrincipalName(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not on PATH")
	}
	file := filepath.Join(t.TempDir(), "client.pem")
	c := issue(t)
	if err := os.WriteFile(file, c.Certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), openssl, "x509", "-in", file, "-noout", "-text").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("othername")) {
		t.Errorf("no other name:\n%s", out)
	}
	der, _ := pem.Decode(c.Certificate)
	dump, err := exec.CommandContext(t.Context(), openssl, "asn1parse", "-in", file, "-dump").CombinedOutput()
	if err != nil || der == nil {
		t.Fatalf("%v\n%s", err, dump)
	}
	if !bytes.Contains(der.Bytes, []byte(principal)) || !bytes.Contains(dump, []byte("X509v3 Subject Alternative Name")) {
		t.Errorf("no principal name:\n%s", dump)
	}
}
