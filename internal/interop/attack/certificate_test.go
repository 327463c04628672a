package attack_test

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
	"encoding/binary"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-krb5/krb5/iana/etypeID"
	"github.com/go-krb5/krb5/iana/nametype"
	"github.com/go-krb5/krb5/keytab"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"
	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// keys are the kinds of keys with which an attacker may sign a certificate.
var keys = map[string]func() (crypto.Signer, error){
	"RSA":     func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
	"ECDSA":   func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	"Ed25519": func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
}

// mechanisms log on to a host that knows the services of the key table.
var mechanisms = map[string]func(*testing.T, *keytab.Keytab) secure.Mechanism{"NTLM": ntlm, "Kerberos": kerberos}

// An attacker who answers TLS with another certificate gets a context that is bound to that
// certificate, or none: no logon of the client ever reaches the host. The odds favour the attacker:
// the host accepts logons that are bound to nothing, as hosts do unless they are set to Strict, and
// the clients verify nothing or trust the authority of a proxy.
func TestCertificateExchanged(t *testing.T) {
	t.Parallel()
	for key, generate := range keys {
		for mechanism, newMechanism := range mechanisms {
			for verification, insecure := range map[string]bool{"trusted": false, "insecure": true} {
				for operation, do := range operations {
					t.Run(key+" "+mechanism+" "+verification+" "+operation, func(t *testing.T) {
						t.Parallel()
						config, authority := ownCertificate(t, generate)
						services := serviceKeys(t)
						h := hypervsim.RunT(t, hypervsim.WithTLS(), hypervsim.WithKerberos(services))
						m := &mitm{upstream: address(h.Port()), tls: config}
						c := newClient(t, winrm.NewEndpoint("127.0.0.1", m.start(t), true, insecure, authority, nil, nil, 0), newMechanism(t, services))
						want := secure.ErrRejected
						if key == "Ed25519" {
							want = secure.ErrNoBinding
						}
						if err := do(t.Context(), c); !errors.Is(err, want) {
							t.Errorf("%v, want %v", err, want)
						}
						if h.Logons() != 0 || len(h.Requests()) != 0 {
							t.Errorf("%d logons and %d messages", h.Logons(), len(h.Requests()))
						}
						if (len(m.seen) == 0) != (key == "Ed25519") {
							t.Errorf("%d messages passed: without a binding none may, not even a token", len(m.seen))
						}
						if insecure { // a trusted relay may read: TLS alone protects then
							checkQuiet(t, m)
						}
					})
				}
			}
		}
	}
}

// Without an attacker in between, the same clients reach the host.
func TestCertificateOfTheHost(t *testing.T) {
	t.Parallel()
	for mechanism, newMechanism := range mechanisms {
		for verification, insecure := range map[string]bool{"trusted": false, "insecure": true} {
			t.Run(mechanism+" "+verification, func(t *testing.T) {
				t.Parallel()
				services := serviceKeys(t)
				h := hypervsim.RunT(t, hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding(), hypervsim.WithKerberos(services))
				e := winrm.NewEndpoint("127.0.0.1", h.Port(), true, insecure, h.CACertificate(), nil, nil, 0)
				if _, err := newClient(t, e, newMechanism(t, services)).Identify(t.Context()); err != nil || h.Logons() != 1 {
					t.Errorf("%v, %d logons, want one", err, h.Logons())
				}
			})
		}
	}
}

// ownCertificate makes a certificate that the attacker has signed, and returns it with its
// authority.
func ownCertificate(t *testing.T, generate func() (crypto.Signer, error)) (config *tls.Config, authority []byte) {
	t.Helper()
	key, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	config = &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}
	return config, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func ntlm(*testing.T, *keytab.Keytab) secure.Mechanism {
	return secure.NewNTLM(secure.NTLMConfig{User: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword})
}

const (
	realm            = "ATTACK.TEST"
	servicePrincipal = "HTTP/host.attack.test"
)

func serviceKeys(t *testing.T) *keytab.Keytab {
	t.Helper()
	k := keytab.New()
	if err := k.AddEntry(servicePrincipal, realm, "service password", time.Now(), 1, etypeID.AES256_CTS_HMAC_SHA1_96); err != nil {
		t.Fatal(err)
	}
	return k
}

// kerberos makes a mechanism with a ticket for the service, from a cache as a KDC would fill it.
func kerberos(t *testing.T, services *keytab.Keytab) secure.Mechanism {
	t.Helper()
	conf, cache := filepath.Join(t.TempDir(), "krb5.conf"), filepath.Join(t.TempDir(), "ccache")
	for name, b := range map[string][]byte{conf: nil, cache: ticketCache(t, services)} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := secure.NewKerberos(secure.KerberosConfig{CachePath: cache, ConfPath: conf, SPN: servicePrincipal})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	m, err := k.ForHost("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ticketCache makes a cache with one ticket for the service (MIT's format, version 4).
func ticketCache(t *testing.T, services *keytab.Keytab) []byte {
	t.Helper()
	client, server := types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, "admin"), types.NewPrincipalName(nametype.KRB_NT_SRV_INST, servicePrincipal)
	start, end := time.Now().UTC(), time.Now().UTC().Add(time.Hour)
	ticket, key, err := messages.NewTicket(client, realm, server, realm, types.NewKrbFlags(), services, etypeID.AES256_CTS_HMAC_SHA1_96, 1, start, start, end, end)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := ticket.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b := []byte{5, 4, 0, 0}
	number := func(n uint32) { b = binary.BigEndian.AppendUint32(b, n) }
	data := func(v []byte) { number(uint32(len(v))); b = append(b, v...) }
	principal := func(p types.PrincipalName) {
		number(uint32(p.NameType))
		number(uint32(len(p.NameString)))
		data([]byte(realm))
		for _, s := range p.NameString {
			data([]byte(s))
		}
	}
	principal(client)
	principal(client)
	principal(server)
	b = binary.BigEndian.AppendUint16(b, uint16(key.KeyType))
	data(key.KeyValue)
	for _, at := range []time.Time{start, start, end, end} {
		number(uint32(at.Unix()))
	}
	b = append(b, 0, 0, 0, 0, 0) // is_skey, flags
	number(0)                    // addresses
	number(0)                    // authorization data
	data(encoded)
	data(nil)
	return b
}
