package hyperv_test

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
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// relay is an attacker in between, who ends TLS with another certificate and
// passes what it reads on to the host, over TLS.
type relay struct {
	listener  net.Listener
	authority []byte
	wg        sync.WaitGroup
}

func newRelay(t *testing.T, key crypto.Signer, host string) *relay {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "in between"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{authority: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	r.listener = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12})
	r.wg.Go(func() {
		for {
			c, err := r.listener.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.pass(c, host) })
		}
	})
	t.Cleanup(func() {
		_ = r.listener.Close()
		r.wg.Wait()
	})
	return r
}

func (r *relay) pass(c net.Conn, host string) {
	defer c.Close()
	h, err := tls.Dial("tcp", host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer h.Close()
	var wg sync.WaitGroup
	for _, way := range [][2]net.Conn{{h, c}, {c, h}} {
		wg.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
		})
	}
	wg.Wait()
}

func (r *relay) port() int {
	a, _ := r.listener.Addr().(*net.TCPAddr)
	return a.Port
}

// TestRelay: a logon cannot be passed on to the host, whatever certificate a relay chooses and
// whether it is verified or not: the logon is bound to that certificate, and where nothing can be
// bound there is none.
func TestRelay(t *testing.T) { //nolint:tparallel // its relays share one host, whose logons are counted
	t.Parallel()
	realm := newTicketRealm(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sim := hypervsim.RunT(t, hypervsim.WithTLS(), hypervsim.WithUser(testUser, testPassword), hypervsim.WithKerberos(realm.keys), disk())
	ask := func(t *testing.T, auth hyperv.Auth, port int, insecure bool, authority []byte) error {
		t.Helper()
		cfg := hyperv.Config{
			HTTPS: true, Insecure: insecure, Port: port, CACertificate: authority,
			Auth: auth, Username: testUser, Password: testPassword, RequestTimeout: time.Minute,
		}
		if auth == hyperv.AuthKerberos {
			cfg.Username, cfg.Password, cfg.Kerberos = "", "", realm.credentials
		}
		fleet, err := hyperv.NewFleet(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer fleet.Close()
		host, err := fleet.Host("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		_, err = host.FileSize(t.Context(), diskPath)
		return err
	}
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey, "ECDSA": ecdsaKey, "Ed25519": edKey} { //nolint:paralleltest // see above
		for _, insecure := range []bool{false, true} {
			for _, auth := range []hyperv.Auth{hyperv.AuthNTLM, hyperv.AuthKerberos} {
				t.Run(fmt.Sprintf("%s, %s, insecure %v", auth, name, insecure), func(t *testing.T) {
					r := newRelay(t, key, sim.Addr())
					for range 6 {
						before := len(sim.Requests())
						err := ask(t, auth, r.port(), insecure, r.authority) // which has come to be trusted
						bound := errors.Is(err, secure.ErrRejected) && name != "Ed25519"
						if none := errors.Is(err, secure.ErrNoBinding); !bound && !none || none != (name == "Ed25519") {
							t.Errorf("through the relay: %v", err)
						}
						if len(sim.Requests()) != before {
							t.Error("a message went through")
						}
					}
				})
			}
		}
	}
	straight := func(auth hyperv.Auth, logons int) {
		t.Helper()
		if err := ask(t, auth, sim.Port(), false, sim.CACertificate()); err != nil || sim.Logons() != logons {
			t.Errorf("straight to the host by %s: %v, %d logons", auth, err, sim.Logons())
		}
	}
	straight(hyperv.AuthNTLM, 1)
	straight(hyperv.AuthKerberos, 2)
}
