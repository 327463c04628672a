package hyperv

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// Field is the name of a field of a [Config], as in Go code.
type Field string

// The fields that Check can find fault with.
const (
	FieldPort              Field = "Port"
	FieldInsecure          Field = "Insecure"
	FieldAuth              Field = "Auth"
	FieldUsername          Field = "Username"
	FieldPassword          Field = "Password"
	FieldCACertificate     Field = "CACertificate"
	FieldClientCertificate Field = "ClientCertificate"
	FieldClientKey         Field = "ClientKey"
	FieldKerberos          Field = "Kerberos"
)

// ConfigError is one mistake in a [Config]. It holds no secret.
type ConfigError struct {
	// Field is the field to change.
	Field Field
	// Wrong is the rest of a sentence that begins with the name of the field: "is not set, but …".
	Wrong string
	// Fix is one sentence.
	Fix string
	// Missing says that the field has no value and needs one.
	Missing bool
}

// Error implements error.
func (e *ConfigError) Error() string { return fmt.Sprintf("%s %s. %s", e.Field, e.Wrong, e.Fix) }

// Auths lists the ways to authenticate.
func Auths() []Auth { return []Auth{AuthNTLM, AuthKerberos, AuthWindows, AuthBasic, AuthCertificate} }

// Check returns every mistake in c, field by field: all rules about
// authentication and TLS are here. It opens and dials nothing.
func (c Config) Check() []*ConfigError {
	var check configCheck
	if c.Port < 0 || c.Port > 65535 {
		check.add(FieldPort, fmt.Sprintf("is %d, which is not a TCP port", c.Port), "Give a number from 1 to 65535, or none for the usual port of WinRM.")
	}
	if !slices.Contains(Auths(), c.Auth) {
		check.add(FieldAuth, fmt.Sprintf("is %q, which is not a way to authenticate", c.Auth), "Choose ntlm, kerberos, windows, basic or certificate.")
		return check.found
	}
	check.channel(c)
	check.certificates(c)
	check.credentials(c)
	return check.found
}

type configCheck struct{ found []*ConfigError }

func (k *configCheck) add(field Field, wrong, fix string) {
	k.found = append(k.found, &ConfigError{Field: field, Wrong: wrong, Fix: fix})
}

// channel refuses an authentication that the channel to the host would not protect.
func (k *configCheck) channel(c Config) {
	switch err := wsman.CheckChannel(c.Auth == AuthBasic, c.Auth == AuthCertificate, c.HTTPS, c.Insecure); {
	case err == nil:
	case !c.HTTPS && c.Auth == AuthBasic:
		k.add(FieldAuth, "cannot be used: "+err.Error(), "Use https, or NTLM or Kerberos, which seal every message on plain http.")
	case !c.HTTPS:
		k.add(FieldAuth, "cannot be used: "+err.Error(), "Use https.")
	default:
		k.add(FieldInsecure, "cannot be set: "+err.Error(), "Give the certificate of the authority that signed the host's.")
	}
}

func (k *configCheck) certificates(c Config) {
	if c.CACertificate != nil && !x509.NewCertPool().AppendCertsFromPEM(c.CACertificate) {
		k.add(FieldCACertificate, "holds no certificate that can be read", "Give one or more PEM blocks of type CERTIFICATE.")
	}
	if c.ClientCertificate == nil || c.ClientKey == nil {
		return
	}
	if _, err := tls.X509KeyPair(c.ClientCertificate, c.ClientKey); err != nil {
		k.add(FieldClientCertificate, "and its key do not match: "+err.Error(), "Give both as PEM, the key unencrypted.")
	}
}

func (k *configCheck) credentials(c Config) {
	switch c.Auth {
	case AuthNTLM, AuthBasic:
		k.require(FieldUsername, c.Username, c.Auth)
		k.require(FieldPassword, c.Password, c.Auth)
	case AuthCertificate:
		k.require(FieldClientCertificate, string(c.ClientCertificate), c.Auth)
		k.require(FieldClientKey, string(c.ClientKey), c.Auth)
	case AuthKerberos:
		k.kerberos(c)
		return
	case AuthWindows:
		k.currentUser(c)
		return
	}
	k.user(c)
	if c.Kerberos != (KerberosConfig{}) {
		k.add(FieldKerberos, fmt.Sprintf("is set, but the way to authenticate is %s", c.Auth), "Choose kerberos, or leave it out.")
	}
}

func (k *configCheck) kerberos(c Config) {
	given := 0
	for _, source := range []string{c.Password, c.Kerberos.CCachePath, c.Kerberos.KeytabPath} {
		if source != "" {
			given++
		}
	}
	if given != 1 {
		k.add(FieldKerberos, fmt.Sprintf("has %d sources of credentials", given), "Give exactly one of a password, a ticket cache and a keytab.")
	}
	if c.Kerberos.CCachePath == "" {
		k.require(FieldUsername, c.Username, c.Auth)
	}
	k.user(c)
}

// user refuses names that no account can have, which a host would count as a failed logon or look
// up as something else.
func (k *configCheck) user(c Config) {
	const fix = "Write it as DOMAIN\\user, user@domain, user or .\\user."
	for _, r := range c.Username {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			k.add(FieldUsername, "holds "+winpath.Describe(r), "Remove it.")
			return
		}
	}
	domain, name, hasDomain := strings.Cut(c.Username, `\`)
	switch {
	case c.Username == "":
	case hasDomain && (domain == "" || name == ""):
		k.add(FieldUsername, "names a domain without a user, or a user without a domain", fix)
	case strings.Contains(name, `\`):
		k.add(FieldUsername, "has more than one backslash", fix)
	case c.Auth == AuthBasic && strings.Contains(c.Username, ":"): // RFC 7617 2: the password would begin there
		k.add(FieldUsername, "has a colon", fix)
	case strings.HasPrefix(c.Username, "@"), strings.HasSuffix(c.Username, "@"):
		k.add(FieldUsername, "names a domain without a user, or a user without a domain", fix)
	}
}

// currentUser refuses fields that choose another user or other credentials, and systems other than
// Windows.
func (k *configCheck) currentUser(c Config) {
	if runtime.GOOS != "windows" {
		k.add(FieldAuth, "cannot be used: "+secure.ErrNotWindows.Error()+", and this is "+runtime.GOOS, "Choose ntlm or kerberos with a user name and a password, or run this on Windows.")
	}
	const wrong = "is set, but the way to authenticate, windows, is the logon of the current user"
	if c.Username != "" {
		k.add(FieldUsername, wrong, "Leave it out, or choose ntlm or kerberos.")
	}
	if c.Password != "" {
		k.add(FieldPassword, wrong, "Leave it out, or choose ntlm or kerberos.")
	}
	if c.Kerberos != (KerberosConfig{SPN: c.Kerberos.SPN}) {
		k.add(FieldKerberos, "says more than the name of the service, which is all that the logon of the current user goes by", "Leave the rest out, or choose kerberos.")
	}
}

// require refuses a field that auth needs and that has no value.
func (k *configCheck) require(field Field, value string, auth Auth) {
	if value == "" {
		k.found = append(k.found, &ConfigError{
			Field: field, Missing: true, Fix: "Give it.",
			Wrong: fmt.Sprintf("is not set, but the way to authenticate, %s, needs it", auth),
		})
	}
}

// valid joins the mistakes that Check finds.
func (c Config) valid() error {
	var errs []error
	for _, e := range c.Check() {
		errs = append(errs, e)
	}
	return together(errs...)
}
