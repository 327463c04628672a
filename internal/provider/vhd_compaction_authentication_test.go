package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestVHDCompactionResource_authentication takes a disk through its life with
// every way to log on that needs no KDC.
func TestVHDCompactionResource_authentication(t *testing.T) {
	t.Parallel()
	client := newClientCertificate(t)
	verified := func(t *testing.T, sim *hypervsim.Host) settings {
		t.Helper()
		return settings{"https": "true", "cacert_path": quote(write(t, "ca.pem", sim.CACertificate()))}
	}
	for name, tt := range map[string]struct {
		options  []hypervsim.Option
		settings func(t *testing.T, sim *hypervsim.Host) settings
	}{
		"NTLM over http": {nil, func(*testing.T, *hypervsim.Host) settings { return nil }},
		"NTLM over https with strict channel binding": {
			[]hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding()}, verified,
		},
		"NTLM over unverified https": {
			[]hypervsim.Option{hypervsim.WithTLS()},
			func(*testing.T, *hypervsim.Host) settings { return settings{"https": "true", "insecure": "true"} },
		},
		"Basic over https": {
			[]hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithBasic()},
			func(t *testing.T, sim *hypervsim.Host) settings {
				t.Helper()
				return verified(t, sim).with(settings{"auth": quote("basic")})
			},
		},
		"client certificate": {
			[]hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithClientCertificates(client.pool, hypervsim.DefaultUser)},
			func(t *testing.T, sim *hypervsim.Host) settings {
				t.Helper()
				return verified(t, sim).with(settings{
					"auth": quote("certificate"), "username": "", "password": "",
					"cert_path": quote(write(t, "cert.pem", client.certificate)), "key_path": quote(write(t, "key.pem", client.key)),
				})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, append([]hypervsim.Option{hypervsim.WithVHD(vhd())}, tt.options...)...)
			config := providerFor(sim, tt.settings(t, sim)) + disk()
			steps(t,
				resource.TestStep{Config: config, ConfigStateChecks: inState("status", "compacted", "last_run.reclaimed_bytes", 6*gib)},
				resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
				resource.TestStep{
					PreConfig:        func() { must(t, sim.Grow(diskPath, 8*gib)) },
					Config:           config,
					ConfigPlanChecks: runPlanned("grew 8.0 GiB (200 %) since the last compaction"),
				},
			)
			compactions(t, sim, 2)
			if sim.FailedLogons() != 0 {
				t.Errorf("%d failed logons", sim.FailedLogons())
			}
		})
	}
}

// TestVHDCompactionResource_oneFailedLogon: a wrong password costs one failed
// logon for a whole apply, however many disks there are, so that no account is
// locked.
func TestVHDCompactionResource_oneFailedLogon(t *testing.T) {
	t.Parallel()
	const disks = 10
	sim := host(t)
	var config strings.Builder
	config.WriteString(providerFor(sim, settings{"password": quote("wrong")}))
	for i := range disks {
		path := fmt.Sprintf(`D:\VMs\%d.vhdx`, i)
		sim.AddVHD(vhd(func(v *hypervsim.VHD) { v.Path = path }))
		config.WriteString(named(fmt.Sprintf("disk%d", i), settings{"path": quote(path)}))
	}
	steps(t, resource.TestStep{Config: config.String(), ExpectError: regexp.MustCompile("(?s)HTTP status 401")})
	if got := sim.FailedLogons(); got != 1 {
		t.Errorf("%d failed logons, want 1", got)
	}
}

// clientCertificate is a self-signed certificate for client authentication.
type clientCertificate struct {
	pool             *x509.CertPool
	certificate, key []byte
}

func newClientCertificate(t *testing.T) clientCertificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "admin"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	c := clientCertificate{
		pool:        x509.NewCertPool(),
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
	c.pool.AddCert(parsed)
	return c
}

func write(t *testing.T, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, text, 0o600))
	return path
}
