// Package target reads which host to ask and how, from flags and from the
// environment variables of the provider.
package target

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hostenv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// Read returns the host, which may be empty, and the configuration with which
// it is reached. The map given holds attributes of the provider by name; they
// win over the environment. The error names every setting that is wrong.
func Read(env hostenv.Lookup, given map[string]string) (host string, cfg hyperv.Config, err error) {
	r := reader{env: env, given: given}
	cfg = r.config()
	return r.text("host"), cfg, errors.Join(r.errs...)
}

// reader reads attributes of the provider from flags and environment.
type reader struct {
	env   hostenv.Lookup
	given map[string]string
	errs  []error
}

func (r *reader) fail(err error) { r.errs = append(r.errs, err) }

func (r *reader) text(attribute string, except ...string) string {
	if flag := r.given[attribute]; flag != "" {
		return flag
	}
	value, _ := hostenv.Read(r.env, attribute, except...)
	return value
}

func (r *reader) flag(attribute string, otherwise bool) bool {
	text := r.text(attribute)
	if text == "" {
		return otherwise
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		r.fail(fmt.Errorf("%s is neither true nor false", attribute))
	}
	return b
}

func (r *reader) file(attribute string) []byte {
	name := r.text(attribute)
	if name == "" {
		return nil
	}
	content, err := os.ReadFile(name) //nolint:gosec // G304: the user names the file
	if err != nil {
		r.fail(fmt.Errorf("%s: %w", attribute, err))
	}
	return content
}

func (r *reader) auth() hyperv.Auth {
	text := r.text("auth", hostenv.UseNTLM)
	if text == "" {
		use := r.text("auth")
		if b, err := strconv.ParseBool(use); use != "" && err == nil && !b {
			return hyperv.AuthBasic
		}
		return hyperv.AuthNTLM
	}
	auth := hyperv.Auth(text)
	if !slices.Contains(hyperv.Auths(), auth) {
		r.fail(fmt.Errorf("auth is %q, not ntlm, kerberos, windows, basic or certificate", text))
	}
	return auth
}

func (r *reader) config() hyperv.Config {
	cfg := hyperv.Config{
		HTTPS: r.flag("https", true), Insecure: r.flag("insecure", false), Auth: r.auth(),
		Username: r.text("username"), Password: r.text("password"), TLSServerName: r.text("tls_server_name"),
		CACertificate: r.file("cacert_path"), ClientCertificate: r.file("cert_path"), ClientKey: r.file("key_path"),
		LookupEnv: r.env,
	}
	var err error
	if text := r.text("port"); text != "" {
		if cfg.Port, err = strconv.Atoi(text); err != nil || cfg.Port < 1 || cfg.Port > 65535 {
			r.fail(fmt.Errorf("port %q is none", text))
		}
	}
	if text := r.text("timeout"); text != "" {
		if cfg.RequestTimeout, err = time.ParseDuration(text); err != nil || cfg.RequestTimeout <= 0 || cfg.RequestTimeout > hyperv.LongestRequestTimeout {
			r.fail(fmt.Errorf("timeout %q is no positive duration of at most %s", text, hyperv.LongestRequestTimeout))
		}
	}
	switch cfg.Auth {
	case hyperv.AuthKerberos:
		cfg.Kerberos = r.kerberos(cfg.Password)
	case hyperv.AuthWindows:
		cfg.Kerberos.SPN = r.text("kerberos.spn")
	default:
	}
	return cfg
}

func (r *reader) kerberos(password string) hyperv.KerberosConfig {
	cfg := hyperv.KerberosConfig{
		Realm: r.text("kerberos.realm"), SPN: r.text("kerberos.spn"),
		ConfigPath: r.text("kerberos.krb5_conf_path"), KeytabPath: r.text("kerberos.keytab_path"),
	}
	var except []string
	if password != "" || cfg.KeytabPath != "" {
		except = append(except, hostenv.CCName)
	}
	cfg.CCachePath = strings.TrimPrefix(r.text("kerberos.ccache_path", except...), "FILE:")
	return cfg
}
