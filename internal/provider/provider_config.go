package provider

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// providerModel is the configuration of the provider as it is written.
type providerModel struct {
	Host                     types.String `tfsdk:"host"`
	Port                     types.Int64  `tfsdk:"port"`
	Username                 types.String `tfsdk:"username"`
	Password                 types.String `tfsdk:"password"`
	HTTPS                    types.Bool   `tfsdk:"https"`
	Insecure                 types.Bool   `tfsdk:"insecure"`
	Auth                     types.String `tfsdk:"auth"`
	CACertPath               types.String `tfsdk:"cacert_path"`
	CertPath                 types.String `tfsdk:"cert_path"`
	KeyPath                  types.String `tfsdk:"key_path"`
	TLSServerName            types.String `tfsdk:"tls_server_name"`
	Kerberos                 types.Object `tfsdk:"kerberos"`
	Timeout                  types.String `tfsdk:"timeout"`
	AllowMount               types.Bool   `tfsdk:"allow_mount"`
	MaxConcurrentCompactions types.Int64  `tfsdk:"max_concurrent_compactions"`
	MaxConcurrentRequests    types.Int64  `tfsdk:"max_concurrent_requests"`
}

// Defaults of the provider.
const (
	defaultTimeout        = "60s"
	defaultCompactions    = 2
	defaultRequests       = 5
	maxConcurrentRequests = 15 // of one user to the WMI plug-in of WinRM
)

// resolve reads the configuration with its fallbacks and checks it. It opens
// files and dials nothing. While a part is unknown the data has no fleet.
func (m providerModel) resolve(env lookupEnv) (*providerData, diag.Diagnostics) {
	s := &settings{env: env}
	data := &providerData{told: &toldErrors{}}
	data.host = s.host(m.Host)
	data.allowMount = s.unlessUnknown(m.AllowMount, s.flag("allow_mount", m.AllowMount, true))
	cfg := m.connection(s)
	if s.unknown || s.diags.HasError() {
		return data, s.diags
	}
	fleet, err := hyperv.NewFleet(cfg)
	if err != nil {
		s.diags.AddError(summaryProvider, err.Error())
	}
	data.fleet = fleet
	return data, s.diags
}

// connection reads everything that decides how hosts are reached.
func (m providerModel) connection(s *settings) hyperv.Config {
	cfg := hyperv.Config{
		HTTPS:                    s.flag("https", m.HTTPS, true),
		Insecure:                 s.flag("insecure", m.Insecure, false),
		Auth:                     s.auth(m.Auth),
		Port:                     s.number("port", m.Port, 0, 1, 65535),
		Username:                 s.text("username", m.Username),
		Password:                 s.text("password", m.Password),
		TLSServerName:            s.text("tls_server_name", m.TLSServerName),
		RequestTimeout:           s.duration("timeout", m.Timeout, defaultTimeout),
		MaxConcurrentCompactions: s.number("max_concurrent_compactions", m.MaxConcurrentCompactions, defaultCompactions, 1, 100),
		MaxConcurrentRequests:    s.number("max_concurrent_requests", m.MaxConcurrentRequests, defaultRequests, 1, maxConcurrentRequests),
		Logger:                   newLogger(s.env),
	}
	cfg.CACertificate = s.file("cacert_path", s.text("cacert_path", m.CACertPath))
	cfg.ClientCertificate = s.file("cert_path", s.text("cert_path", m.CertPath))
	cfg.ClientKey = s.file("key_path", s.text("key_path", m.KeyPath))
	if cfg.Auth == hyperv.AuthKerberos {
		cfg.Kerberos = s.kerberos(m.Kerberos, cfg.Password)
	}
	if m.Kerberos.IsUnknown() {
		s.unknown = true
	}
	if !s.unknown && !s.diags.HasError() {
		s.check(m, cfg)
	}
	return cfg
}

// check refuses what does not fit together.
func (s *settings) check(m providerModel, cfg hyperv.Config) {
	if !m.Kerberos.IsNull() && cfg.Auth != hyperv.AuthKerberos {
		s.refuse("kerberos", fmt.Sprintf("is set, but auth is %q", cfg.Auth), "Set auth = \"kerberos\", or remove the kerberos block.")
	}
	s.checkTLS(cfg)
	switch cfg.Auth {
	case hyperv.AuthNTLM, hyperv.AuthBasic:
		s.require("username", cfg.Username, cfg.Auth)
		s.require("password", cfg.Password, cfg.Auth)
	case hyperv.AuthCertificate:
		s.require("cert_path", string(cfg.ClientCertificate), cfg.Auth)
		s.require("key_path", string(cfg.ClientKey), cfg.Auth)
	case hyperv.AuthKerberos:
		s.checkKerberos(cfg)
	}
}

func (s *settings) checkTLS(cfg hyperv.Config) {
	switch {
	case cfg.Auth == hyperv.AuthBasic && !cfg.HTTPS:
		s.refuse("auth", "is \"basic\" while https is false: password and messages would cross the network in clear",
			"Set https = true, or auth = \"ntlm\" or \"kerberos\", which seal every message on plain http.")
	case cfg.Auth == hyperv.AuthBasic && cfg.Insecure:
		s.refuse("insecure", "is true while auth is \"basic\": the password would go to whoever answers",
			"Give the authority of the certificate as cacert_path, or set auth = \"ntlm\" or \"kerberos\".")
	case cfg.Auth == hyperv.AuthCertificate && !cfg.HTTPS:
		s.refuse("auth", "is \"certificate\" while https is false: a client certificate exists in TLS only", "Set https = true.")
	}
	if cfg.CACertificate != nil && !x509.NewCertPool().AppendCertsFromPEM(cfg.CACertificate) {
		s.refuse("cacert_path", "names a file without a certificate that can be read", "The file must hold one or more PEM blocks of type CERTIFICATE.")
	}
	if cfg.ClientCertificate == nil || cfg.ClientKey == nil {
		return
	}
	if _, err := tls.X509KeyPair(cfg.ClientCertificate, cfg.ClientKey); err != nil {
		s.refuse("cert_path", "and key_path do not hold a certificate and its key: "+err.Error(), "Both files must be PEM, the key unencrypted.")
	}
}

func (s *settings) checkKerberos(cfg hyperv.Config) {
	given := 0
	for _, source := range []string{cfg.Password, cfg.Kerberos.CCachePath, cfg.Kerberos.KeytabPath} {
		if source != "" {
			given++
		}
	}
	if given != 1 {
		s.refuse("kerberos", fmt.Sprintf("has %d sources of credentials", given),
			"Exactly one of password, kerberos.ccache_path and kerberos.keytab_path must be set.")
	}
	if cfg.Kerberos.CCachePath == "" {
		s.require("username", cfg.Username, cfg.Auth)
	}
}

// auth reads the name of the scheme, or the bool of another provider.
func (s *settings) auth(v types.String) hyperv.Auth {
	value, origin := s.read("auth", v.IsNull(), v.IsUnknown(), v.ValueString())
	if origin == envUseNTLM {
		use, err := strconv.ParseBool(value)
		if err != nil {
			s.invalid("auth", origin, value, "true or false", "With true NTLM is used, with false Basic; auth names any scheme.")
			return ""
		}
		if use {
			return hyperv.AuthNTLM
		}
		return hyperv.AuthBasic
	}
	all := []hyperv.Auth{hyperv.AuthNTLM, hyperv.AuthKerberos, hyperv.AuthBasic, hyperv.AuthCertificate}
	switch auth := hyperv.Auth(value); {
	case value == "":
		return hyperv.AuthNTLM
	case slices.Contains(all, auth):
		return auth
	}
	s.invalid("auth", origin, value, "ntlm, kerberos, basic or certificate", "Leave it out for ntlm.")
	return ""
}

// kerberos reads the nested object, whose members fall back one by one.
func (s *settings) kerberos(v types.Object, password string) hyperv.KerberosConfig {
	member := func(name string) types.String {
		value, ok := v.Attributes()[name].(types.String)
		if !ok {
			return types.StringNull() // the whole object is null or unknown
		}
		return value
	}
	text := func(name string) string { return s.text("kerberos."+name, member(name)) }
	cfg := hyperv.KerberosConfig{
		Realm: text("realm"), SPN: text("spn"),
		ConfigPath: text("krb5_conf_path"), KeytabPath: text("keytab_path"),
	}
	s.withoutCCName = password != "" || cfg.KeytabPath != ""
	cfg.CCachePath = s.ccache(member("ccache_path"))
	return cfg
}

// otherCache is a ticket cache that is no file: KEYRING:…, DIR:…, API:….
var otherCache = regexp.MustCompile(`^[A-Z]{2,}:`)

// ccache reads the name of a ticket cache, which MIT Kerberos writes with its
// kind in front.
func (s *settings) ccache(v types.String) string {
	value, origin := s.read("kerberos.ccache_path", v.IsNull(), v.IsUnknown(), v.ValueString())
	file := strings.TrimPrefix(value, "FILE:")
	if otherCache.MatchString(file) {
		s.invalid("kerberos.ccache_path", origin, value, "the path of a file", "Only ticket caches in files can be read: kinit -c FILE:/path.")
	}
	return file
}

// host reads the default host, which only its users can require.
func (s *settings) host(v types.String) types.String {
	if v.IsUnknown() {
		return v
	}
	value, origin := s.read("host", v.IsNull(), false, v.ValueString())
	if value == "" {
		return types.StringNull()
	}
	if reason := checkHost(value); reason != "" {
		s.invalid("host", origin, value, hostForm, reason)
	}
	return types.StringValue(value)
}

func (s *settings) unlessUnknown(v types.Bool, resolved bool) types.Bool {
	if v.IsUnknown() {
		return v
	}
	return types.BoolValue(resolved)
}

// duration reads a positive Go duration.
func (s *settings) duration(attribute string, v types.String, byDefault string) time.Duration {
	value, origin := s.read(attribute, v.IsNull(), v.IsUnknown(), v.ValueString())
	if value == "" {
		value = byDefault
	}
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		s.invalid(attribute, origin, value, durationForm, "Give a number and its unit.")
	}
	return d
}

// file reads a file that an attribute names.
func (s *settings) file(attribute, name string) []byte {
	if name == "" {
		return nil
	}
	content, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		s.refuse(attribute, "names a file that cannot be read: "+err.Error(), "Name a PEM file that the user running Terraform may read.")
	}
	return content
}
