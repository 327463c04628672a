package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func kerberosTypes() map[string]attr.Type {
	return map[string]attr.Type{
		"realm": types.StringType, "spn": types.StringType, "krb5_conf_path": types.StringType,
		"ccache_path": types.StringType, "keytab_path": types.StringType,
	}
}

// kerberosBlock returns a kerberos object with some members set.
func kerberosBlock(set map[string]attr.Value) types.Object {
	all := map[string]attr.Value{}
	for name := range kerberosTypes() {
		all[name] = types.StringNull()
		if v, ok := set[name]; ok {
			all[name] = v
		}
	}
	return types.ObjectValueMust(kerberosTypes(), all)
}

// keyPair writes a certificate and its key as PEM files.
func keyPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestProviderModel_certificate(t *testing.T) {
	t.Parallel()
	cert, key := keyPair(t)
	m := emptyProvider()
	m.Auth, m.CertPath, m.KeyPath, m.CACertPath = types.StringValue("certificate"), types.StringValue(cert), types.StringValue(key), types.StringValue(cert)
	got, diags, _ := connect(m, nil)
	if diags.HasError() {
		t.Fatal(diags)
	}
	if got.ClientCertificate == nil || got.ClientKey == nil || got.CACertificate == nil {
		t.Errorf("certificate, key and authority have %d, %d and %d bytes, want all read", len(got.ClientCertificate), len(got.ClientKey), len(got.CACertificate))
	}
}

// The current user has neither name nor password here, and the name of the service is all that
// counts of the kerberos block. On other systems than Windows a plan says so.
func TestProviderModel_windows(t *testing.T) {
	t.Parallel()
	str := types.StringValue
	for name, test := range map[string]struct {
		kerberos map[string]attr.Value
		env      map[string]string
		at       []string
	}{
		"nothing else":         {},
		"service name":         {kerberos: map[string]attr.Value{"spn": str("WSMAN/hv01")}},
		"caches do not matter": {env: map[string]string{"KRB5CCNAME": "KEYRING:persistent:0"}},
		"user name":            {env: map[string]string{"HYPERV_USERNAME": "u"}, at: []string{"username"}},
		"password":             {env: map[string]string{"HYPERV_PASSWORD": canary}, at: []string{"password"}},
		"realm":                {kerberos: map[string]attr.Value{"realm": str("R")}, at: []string{"kerberos"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := emptyProvider()
			m.Auth = str("windows")
			if test.kerberos != nil {
				m.Kerberos = kerberosBlock(test.kerberos)
			}
			cfg, diags, _ := connect(m, test.env)
			want := map[string]bool{}
			for _, at := range test.at {
				want[attributePath(at).String()] = true
			}
			if runtime.GOOS != "windows" && name != "realm" { // the form is reported first
				want["auth"] = true
			}
			got := map[string]bool{}
			for _, e := range diags.Errors() {
				if d, ok := e.(diag.DiagnosticWithPath); ok {
					got[d.Path().String()] = true
				}
				if strings.Contains(e.Detail(), canary) || strings.Contains(e.Detail(), "https = true") {
					t.Errorf("the detail says %s", e.Detail())
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("attributes with errors (-want +got):\n%s", diff)
			}
			if name == "service name" && cfg.Kerberos.SPN != "WSMAN/hv01" {
				t.Errorf("service name %q", cfg.Kerberos.SPN)
			}
		})
	}
}
