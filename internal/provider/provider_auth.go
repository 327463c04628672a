package provider

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

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

// require refuses an attribute that auth needs and that nothing sets.
func (s *settings) require(attribute, value string, auth hyperv.Auth) {
	if value == "" {
		s.refuse(attribute, fmt.Sprintf("is not set, but auth = %q needs it", auth),
			"Set it in the provider block or by "+strings.Join(environment[attribute], " or ")+".")
	}
}
