package provider

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// auth reads the name of the scheme, or the bool variable of another provider.
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
	switch auth := hyperv.Auth(value); {
	case value == "":
		return hyperv.AuthNTLM
	case slices.Contains(hyperv.Auths(), auth):
		return auth
	}
	s.invalid("auth", origin, value, "ntlm, kerberos, windows, basic or certificate", "Leave it out for ntlm.")
	return ""
}

// kerberos reads the nested object, each of whose members has its own fallback.
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

// windows reads from the same object the settings that apply to the logon of
// the current user.
func (s *settings) windows(v types.Object) hyperv.KerberosConfig {
	spn := types.StringNull()
	for name, value := range v.Attributes() {
		switch text, ok := value.(types.String); {
		case ok && name == "spn":
			spn = text
		case !value.IsNull():
			s.refuse("kerberos", "has "+name+", but with auth = \"windows\" only spn counts", "Remove it, or set auth = \"kerberos\".")
		}
	}
	return hyperv.KerberosConfig{SPN: s.text("kerberos.spn", spn)}
}

// otherCache matches a ticket cache that is not a file: KEYRING:…, DIR:…,
// API:….
var otherCache = regexp.MustCompile(`^[A-Z]{2,}:`)

// ccache reads the name of a ticket cache, which MIT Kerberos prefixes with its
// type.
func (s *settings) ccache(v types.String) string {
	value, origin := s.read("kerberos.ccache_path", v.IsNull(), v.IsUnknown(), v.ValueString())
	file := strings.TrimPrefix(value, "FILE:")
	if otherCache.MatchString(file) {
		s.invalid("kerberos.ccache_path", origin, value, "the path of a file", "Only ticket caches in files can be read: kinit -c FILE:/path.")
	}
	return file
}

// attributeOf maps a field of the configuration of hosts to the attribute with
// which a user sets it.
var attributeOf = map[hyperv.Field]string{
	hyperv.FieldPort:              "port",
	hyperv.FieldInsecure:          "insecure",
	hyperv.FieldAuth:              "auth",
	hyperv.FieldUsername:          "username",
	hyperv.FieldPassword:          "password",
	hyperv.FieldCACertificate:     "cacert_path",
	hyperv.FieldClientCertificate: "cert_path",
	hyperv.FieldClientKey:         "key_path",
	hyperv.FieldKerberos:          "kerberos",
}

// check refuses settings that do not fit together.
func (s *settings) check(m providerModel, cfg hyperv.Config) {
	if !m.Kerberos.IsNull() && cfg.Auth != hyperv.AuthKerberos && cfg.Auth != hyperv.AuthWindows {
		s.refuse("kerberos", fmt.Sprintf("is set, but auth is %q", cfg.Auth), "Set auth = \"kerberos\", or remove the kerberos block.")
	}
	for _, e := range cfg.Check() {
		attribute, fix := attributeOf[e.Field], e.Fix
		if e.Missing {
			fix = "Set it in the provider block or by " + strings.Join(environment[attribute], " or ") + "."
		} else if more := fixes[e.Field]; more != "" && cfg.Auth != hyperv.AuthWindows {
			fix += " " + more
		}
		s.refuse(attribute, e.Wrong, fix)
	}
}

// fixes names the attributes that help.
var fixes = map[hyperv.Field]string{
	hyperv.FieldAuth:     "In the provider block: https = true, or auth = \"ntlm\" or \"kerberos\".",
	hyperv.FieldInsecure: "In the provider block: cacert_path in place of insecure.",
	hyperv.FieldKerberos: "In the provider block: password, kerberos.ccache_path or kerberos.keytab_path.",
}
