package provider

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

const canary = "c4nary-0815"

// emptyProvider returns an empty provider block.
func emptyProvider() providerModel {
	return providerModel{Kerberos: types.ObjectNull(kerberosTypes())}
}

func from(env map[string]string) lookupEnv {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

// connect resolves the connection settings.
func connect(m providerModel, env map[string]string) (hyperv.Config, diag.Diagnostics, bool) {
	s := &settings{env: from(env)}
	s.host(m.Host)
	cfg := m.connection(s)
	return cfg, s.diags, s.unknown
}

func TestProviderModel_connection(t *testing.T) {
	t.Parallel()
	user := map[string]string{"HYPERV_USERNAME": "u", "HYPERV_PASSWORD": canary}
	env := func(pairs ...string) map[string]string {
		all := map[string]string{}
		maps.Copy(all, user)
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		return all
	}
	defaults := hyperv.Config{
		HTTPS: true, Auth: hyperv.AuthNTLM, Username: "u", Password: canary,
		RequestTimeout: time.Minute, MaxConcurrentCompactions: 2, MaxConcurrentRequests: 5,
	}
	with := func(change func(*hyperv.Config)) hyperv.Config {
		c := defaults
		change(&c)
		return c
	}
	kerberos := func(change func(*hyperv.KerberosConfig)) hyperv.Config {
		return with(func(c *hyperv.Config) { c.Auth = hyperv.AuthKerberos; change(&c.Kerberos) })
	}
	for name, test := range map[string]struct {
		model func(*providerModel)
		env   map[string]string
		want  hyperv.Config
	}{
		"defaults": {env: user, want: defaults},
		"attributes win over the environment": {
			model: func(m *providerModel) {
				m.Port, m.HTTPS, m.Username = types.Int64Value(1), types.BoolValue(false), types.StringValue("attribute")
				m.Timeout, m.MaxConcurrentRequests = types.StringValue("2m"), types.Int64Value(7)
			},
			env: env("HYPERV_PORT", "2", "HYPERV_HTTPS", "true", "HYPERV_TIMEOUT", "1s", "HYPERV_MAX_CONCURRENT_REQUESTS", "3"),
			want: with(func(c *hyperv.Config) {
				c.Port, c.HTTPS, c.Username, c.RequestTimeout, c.MaxConcurrentRequests = 1, false, "attribute", 2*time.Minute, 7
			}),
		},
		"the first variable wins": {
			env: env("HYPERV_USER", "second", "HYPERV_HTTPS", "false", "HYPERV_WINRM_USE_HTTPS", "true", "HYPERV_INSECURE", "true", "HYPERV_WINRM_INSECURE", "false",
				"HYPERV_AUTH", "ntlm", "HYPERV_WINRM_AUTH", "basic", "HYPERV_USE_NTLM", "false", "HYPERV_MAX_CONCURRENT_REQUESTS", "4", "HYPERV_WINRM_MAX_SHELLS", "6"),
			want: with(func(c *hyperv.Config) { c.HTTPS, c.Insecure, c.MaxConcurrentRequests = false, true, 4 }),
		},
		"names of the other providers": {
			env: map[string]string{
				"HYPERV_USER": "u", "HYPERV_PASSWORD": canary, "HYPERV_WINRM_USE_HTTPS": "1", "HYPERV_WINRM_INSECURE": "true",
				"HYPERV_WINRM_AUTH": "ntlm", "HYPERV_WINRM_MAX_SHELLS": "9", "HYPERV_PORT": "15986", "HYPERV_TLS_SERVER_NAME": "hv01.example",
			},
			want: with(func(c *hyperv.Config) {
				c.Insecure, c.MaxConcurrentRequests, c.Port, c.TLSServerName = true, 9, 15986, "hv01.example"
			}),
		},
		"an empty variable is none": {env: env("HYPERV_AUTH", "", "HYPERV_PORT", "", "HYPERV_USE_NTLM", ""), want: defaults},
		"use_ntlm":                  {env: env("HYPERV_USE_NTLM", "true"), want: defaults},
		"no use_ntlm":               {env: env("HYPERV_USE_NTLM", "false"), want: with(func(c *hyperv.Config) { c.Auth = hyperv.AuthBasic })},
		"max compactions":           {env: env("HYPERV_MAX_CONCURRENT_COMPACTIONS", "8"), want: with(func(c *hyperv.Config) { c.MaxConcurrentCompactions = 8 })},
		"kerberos by password": {
			env: env("HYPERV_AUTH", "kerberos", "HYPERV_KERBEROS_REALM", "EXAMPLE.COM", "HYPERV_KERBEROS_SERVICE_PRINCIPAL_NAME", "HTTP/x",
				"KRB5_CONFIG", "/etc/other.conf", "KRB5CCNAME", "FILE:/tmp/krb5cc_0"),
			want: kerberos(func(k *hyperv.KerberosConfig) {
				k.Realm, k.SPN, k.ConfigPath = "EXAMPLE.COM", "HTTP/x", "/etc/other.conf"
			}),
		},
		"kerberos by the cache of the machine": {
			env: map[string]string{"HYPERV_AUTH": "kerberos", "KRB5CCNAME": "FILE:/tmp/krb5cc_0"},
			want: with(func(c *hyperv.Config) {
				c.Auth, c.Username, c.Password, c.Kerberos.CCachePath = hyperv.AuthKerberos, "", "", "/tmp/krb5cc_0"
			}),
		},
		"kerberos by keytab": {
			model: func(m *providerModel) {
				m.Auth, m.Username = types.StringValue("kerberos"), types.StringValue("u@EXAMPLE.COM")
				m.Kerberos = kerberosBlock(map[string]attr.Value{"keytab_path": types.StringValue("/k"), "realm": types.StringValue("A")})
			},
			env: map[string]string{"HYPERV_KRB5_REALM": "B", "HYPERV_KRB5_SPN": "HTTP/y", "HYPERV_KRB5_CONF_PATH": "/c", "KRB5CCNAME": "/tmp/krb5cc_0"},
			want: with(func(c *hyperv.Config) {
				c.Auth, c.Username, c.Password = hyperv.AuthKerberos, "u@EXAMPLE.COM", ""
				c.Kerberos = hyperv.KerberosConfig{Realm: "A", SPN: "HTTP/y", ConfigPath: "/c", KeytabPath: "/k"}
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := emptyProvider()
			if test.model != nil {
				test.model(&m)
			}
			got, diags, _ := connect(m, test.env)
			if diags.HasError() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(hyperv.Config{}, "Logger", "Dial")); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
		})
	}
}

// Every error names the attribute, the mistake, the allowed form and the fix.
func TestProviderModel_invalid(t *testing.T) {
	t.Parallel()
	cert, key := keyPair(t)
	other, _ := keyPair(t)
	str, missing := types.StringValue, filepath.Join(t.TempDir(), "missing.pem")
	for name, test := range map[string]struct {
		model func(*providerModel)
		env   map[string]string
		at    string
		want  []string
	}{
		"port too large":    {model: func(m *providerModel) { m.Port = types.Int64Value(65536) }, at: "port", want: []string{`"65536"`, "from 1 to 65535"}},
		"port 0":            {model: func(m *providerModel) { m.Port = types.Int64Value(0) }, at: "port", want: []string{"from 1 to 65535"}},
		"port of variable":  {env: map[string]string{"HYPERV_PORT": "winrm"}, at: "port", want: []string{`"winrm"`, "HYPERV_PORT", "whole number"}},
		"bool of variable":  {env: map[string]string{"HYPERV_WINRM_USE_HTTPS": "yes"}, at: "https", want: []string{`"yes"`, "HYPERV_WINRM_USE_HTTPS", "true or false"}},
		"bad use_ntlm":      {env: map[string]string{"HYPERV_USE_NTLM": "maybe"}, at: "auth", want: []string{"HYPERV_USE_NTLM", "true or false"}},
		"duration":          {model: func(m *providerModel) { m.Timeout = str("60") }, at: "timeout", want: []string{`"60"`, "90s"}},
		"long duration":     {model: func(m *providerModel) { m.Timeout = str("2562047h47m16s") }, at: "timeout", want: []string{`"2562047h47m16s"`, "at most 24h", "within that limit"}},
		"longer duration":   {env: map[string]string{"HYPERV_TIMEOUT": "24h1s"}, at: "timeout", want: []string{`"24h1s"`, "HYPERV_TIMEOUT", "at most 24h"}},
		"negative duration": {env: map[string]string{"HYPERV_TIMEOUT": "-1s"}, at: "timeout", want: []string{"HYPERV_TIMEOUT", "positive"}},
		"auth":              {env: map[string]string{"HYPERV_WINRM_AUTH": "credssp"}, at: "auth", want: []string{`"credssp"`, "HYPERV_WINRM_AUTH", "ntlm, kerberos, windows, basic or certificate"}},
		"no compactions":    {model: func(m *providerModel) { m.MaxConcurrentCompactions = types.Int64Value(0) }, at: "max_concurrent_compactions", want: []string{"from 1"}},
		"many requests":     {model: func(m *providerModel) { m.MaxConcurrentRequests = types.Int64Value(16) }, at: "max_concurrent_requests", want: []string{"to 15"}},
		"host with scheme":  {model: func(m *providerModel) { m.Host = str("http://hv01") }, at: "host", want: []string{"Remove the scheme"}},
		"no user":           {env: map[string]string{"HYPERV_USERNAME": ""}, at: "username", want: []string{"is not set", "ntlm", "HYPERV_USERNAME or HYPERV_USER"}},
		"no password":       {env: map[string]string{"HYPERV_PASSWORD": ""}, at: "password", want: []string{"is not set", "HYPERV_PASSWORD"}},
		"basic over http": {
			model: func(m *providerModel) { m.Auth, m.HTTPS = str("basic"), types.BoolValue(false) },
			at:    "auth", want: []string{"in the clear", "https = true"},
		},
		"basic, unverified": {
			model: func(m *providerModel) { m.Auth, m.Insecure = str("basic"), types.BoolValue(true) },
			at:    "insecure", want: []string{"any machine that answers", "cacert_path"},
		},
		"certificate over http": {
			model: func(m *providerModel) {
				m.Auth, m.HTTPS, m.CertPath, m.KeyPath = str("certificate"), types.BoolValue(false), str(cert), str(key)
			},
			at: "auth", want: []string{"TLS only"},
		},
		"certificate, unverified": {
			model: func(m *providerModel) {
				m.Auth, m.Insecure, m.CertPath, m.KeyPath = str("certificate"), types.BoolValue(true), str(cert), str(key)
			},
			at: "insecure", want: []string{"any machine that answers", "cacert_path"},
		},
		"certificate without one": {model: func(m *providerModel) { m.Auth, m.KeyPath = str("certificate"), str(key) }, at: "cert_path", want: []string{"HYPERV_CERT_PATH"}},
		"key of another":          {model: func(m *providerModel) { m.CertPath, m.KeyPath = str(other), str(key) }, at: "cert_path", want: []string{"do not match"}},
		"authority is a key":      {model: func(m *providerModel) { m.CACertPath = str(key) }, at: "cacert_path", want: []string{"PEM"}},
		"missing file":            {model: func(m *providerModel) { m.CACertPath = str(missing) }, at: "cacert_path", want: []string{"cannot be read"}},
		"kerberos for ntlm":       {model: func(m *providerModel) { m.Kerberos = kerberosBlock(nil) }, at: "kerberos", want: []string{`auth is "ntlm"`}},
		"kerberos, two sources": {
			model: func(m *providerModel) {
				m.Auth, m.Kerberos = str("kerberos"), kerberosBlock(map[string]attr.Value{"keytab_path": str("/k")})
			},
			at: "kerberos", want: []string{"2 sources", "exactly one"},
		},
		"kerberos, no source": {
			model: func(m *providerModel) { m.Auth = str("kerberos") }, env: map[string]string{"HYPERV_PASSWORD": ""},
			at: "kerberos", want: []string{"0 sources", "exactly one"},
		},
		"kerberos, cache of another kind": {
			model: func(m *providerModel) { m.Auth = str("kerberos") }, env: map[string]string{"HYPERV_PASSWORD": "", "KRB5CCNAME": "KEYRING:persistent:0"},
			at: "kerberos.ccache_path", want: []string{"KEYRING:persistent:0", "KRB5CCNAME", "file"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := emptyProvider()
			if test.model != nil {
				test.model(&m)
			}
			env := map[string]string{"HYPERV_USERNAME": "u", "HYPERV_PASSWORD": canary}
			maps.Copy(env, test.env)
			_, diags, _ := connect(m, env)
			if diags.ErrorsCount() != 1 {
				t.Fatalf("errors = %d, want 1: %v", diags.ErrorsCount(), diags)
			}
			d, ok := diags.Errors()[0].(diag.DiagnosticWithPath)
			if !ok || !d.Path().Equal(attributePath(test.at)) {
				t.Errorf("the error is at %v, want %s", diags.Errors()[0], test.at)
			}
			for _, part := range append(test.want, test.at) {
				if !strings.Contains(diags.Errors()[0].Detail(), part) {
					t.Errorf("the detail lacks %q: %s", part, diags.Errors()[0].Detail())
				}
			}
			if strings.Contains(diags.Errors()[0].Detail(), canary) {
				t.Error("the detail holds the password")
			}
		})
	}
}

// While anything is unknown, nothing is missing and nothing is reached.
func TestProviderModel_unknown(t *testing.T) {
	t.Parallel()
	unknown := types.StringUnknown()
	for name, change := range map[string]func(*providerModel){
		"port":     func(m *providerModel) { m.Port = types.Int64Unknown() },
		"username": func(m *providerModel) { m.Username = unknown },
		"password": func(m *providerModel) { m.Password = unknown },
		"https":    func(m *providerModel) { m.HTTPS = types.BoolUnknown() },
		"auth":     func(m *providerModel) { m.Auth = unknown },
		"cacert":   func(m *providerModel) { m.CACertPath = unknown },
		"timeout":  func(m *providerModel) { m.Timeout = unknown },
		"kerberos": func(m *providerModel) { m.Kerberos = types.ObjectUnknown(kerberosTypes()) },
		"realm": func(m *providerModel) {
			m.Auth, m.Kerberos = types.StringValue("kerberos"), kerberosBlock(map[string]attr.Value{"realm": unknown})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := emptyProvider()
			change(&m)
			data, diags := m.resolve(from(nil))
			if diags.HasError() {
				t.Errorf("errors: %v, want none while %s is unknown", diags, name)
			}
			if data.fleet != nil {
				t.Errorf("there is a fleet while %s is unknown", name)
			}
		})
	}
}

func TestProviderModel_resolve(t *testing.T) {
	t.Parallel()
	m := emptyProvider()
	data, diags := m.resolve(from(map[string]string{"HYPERV_HOST": "hv01", "HYPERV_ALLOW_ATTACH": "false", "HYPERV_USER": "u", "HYPERV_PASSWORD": canary}))
	if diags.HasError() {
		t.Fatal(diags)
	}
	if got := data.host.ValueString(); got != "hv01" {
		t.Errorf("host = %q, want hv01", got)
	}
	if data.allowAttach.IsUnknown() || data.allowAttach.ValueBool() {
		t.Errorf("allow_attach = %s, want false", data.allowAttach)
	}
	if data.fleet == nil {
		t.Error("there is no fleet")
	}
	m.Host, m.AllowAttach = types.StringUnknown(), types.BoolUnknown()
	data, _ = m.resolve(from(map[string]string{"HYPERV_HOST": "hv01"}))
	if !data.host.IsUnknown() || !data.allowAttach.IsUnknown() {
		t.Errorf("host = %s, allow_attach = %s; want both unknown", data.host, data.allowAttach)
	}
	if text := fmt.Sprintf("%v %+v %#v", data, data, data); strings.Contains(text, canary) {
		t.Error("the data prints the password")
	}
}

// Each attribute has variables, each variable an attribute.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	attributes := map[string]bool{}
	for name := range providerSchema().Attributes {
		if name != "kerberos" {
			attributes[name] = true
		}
	}
	for name := range kerberosTypes() {
		attributes["kerberos."+name] = true
	}
	seen := map[string]string{}
	for attribute, names := range environment {
		if !attributes[attribute] {
			t.Errorf("%s is no attribute", attribute)
		}
		delete(attributes, attribute)
		for _, name := range names {
			if other := seen[name]; other != "" {
				t.Errorf("%s stands in for %s and %s", name, other, attribute)
			}
			seen[name] = attribute
		}
	}
	for attribute := range attributes {
		t.Errorf("%s has no variable", attribute)
	}
}

func TestCheckHost(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"hv01", "hv01.example.com", "10.0.0.1", "fd00::1", "[fd00::1]", "HV_01"} {
		if fix := checkHost(host); fix != "" {
			t.Errorf("checkHost(%q) = %q, want it accepted", host, fix)
		}
	}
	for _, host := range []string{"", " hv01", "hv01 ", "https://hv01", "hv01:5986", "[fd00::1]:5986", "hv01/wsman", `DOMAIN\hv01`, "u@hv01", "hv01|x"} {
		if checkHost(host) == "" {
			t.Errorf("checkHost(%q) accepts it", host)
		}
	}
}
