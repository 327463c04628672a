package interop_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// transports are the ways a message may travel.
var transports = []struct {
	name     string
	https    bool
	insecure bool
	event    string // what the acceptor prints for a message
}{
	{name: "http", event: "sealed"},
	{name: "https", https: true, event: "clear"},
	{name: "https insecure", https: true, insecure: true, event: "sealed"},
}

// acceptor starts the endpoint of testdata/acceptor.py.
func acceptor(t *testing.T, impl string, env []string, c *certificate) (p *process, port int) {
	t.Helper()
	modules := []string{"gssapi"}
	if impl == "pyspnego" {
		modules = []string{"spnego"}
	} else if slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, "NTLM_USER_FILE=") }) {
		needNTLM(t)
	}
	arguments := []string{"testdata/acceptor.py", "--impl", impl}
	if c != nil {
		arguments = append(arguments, "--cert", c.cert, "--key", c.key)
	}
	p = background(t, env, python(t, modules...), arguments...)
	port, err := strconv.Atoi(p.ready(t))
	if err != nil {
		t.Fatal("the acceptor names no port")
	}
	return p, port
}

func client(t *testing.T, m secure.Mechanism, port int, https, insecure bool, ca []byte) *wsman.Client {
	t.Helper()
	c, err := wsman.New(wsman.Config{
		Endpoint:  winrm.NewEndpoint("127.0.0.1", port, https, insecure, ca, nil, nil, 0),
		Mechanism: m,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func ntlm(spn string) secure.Mechanism {
	return secure.NewNTLM(secure.NTLMConfig{User: user, Password: password, SPN: spn})
}

// talk exchanges a few messages over one connection.
func talk(t *testing.T, c *wsman.Client, p *process, event string) {
	t.Helper()
	for i := range 4 {
		id, err := c.Identify(t.Context())
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if want := []int{7, 14, 120_003, 120_004}[i]; len(id.ProductVendor) != want {
			t.Errorf("message %d: answer of %d bytes, want %d", i, len(id.ProductVendor), want)
		}
	}
	p.says(t, event, 4)
	p.says(t, "established", 1)
	p.says(t, "connection", 1)
}

// Our NTLM against pyspnego and gss-ntlmssp.
func TestOurNTLM(t *testing.T) {
	t.Parallel()
	interop(t)
	for _, impl := range []string{"pyspnego", "gss"} {
		for _, tr := range transports {
			t.Run(impl+" over "+tr.name, func(t *testing.T) {
				t.Parallel()
				var c *certificate
				var ca []byte
				if tr.https {
					own := newCertificate(t)
					c, ca = &own, own.pem
				}
				p, port := acceptor(t, impl, []string{ntlmUserFile(t)}, c)
				talk(t, client(t, ntlm("HTTP/127.0.0.1"), port, tr.https, tr.insecure, ca), p, tr.event)
			})
		}
		t.Run(impl+" wrong password", func(t *testing.T) {
			t.Parallel()
			p, port := acceptor(t, impl, []string{ntlmUserFile(t)}, nil)
			wrong := secure.NewNTLM(secure.NTLMConfig{User: user, Password: "wrong"})
			_, err := client(t, wrong, port, false, false, nil).Identify(t.Context())
			if !errors.Is(err, secure.ErrRejected) {
				t.Errorf("%v, want ErrRejected", err)
			}
			p.says(t, "refused", 1)
		})
	}
}

// Our Kerberos against the KDC and the acceptor of MIT.
func TestOurKerberos(t *testing.T) {
	t.Parallel()
	interop(t)
	python(t, "gssapi")
	r := startRealm(t)
	base := secure.KerberosConfig{ConfPath: r.conf}
	secrets := map[string]func(*testing.T, *secure.KerberosConfig){
		"password": func(_ *testing.T, c *secure.KerberosConfig) { c.User, c.Password = "admin", password },
		"keytab":   func(_ *testing.T, c *secure.KerberosConfig) { c.User, c.KeytabPath = "admin", r.keytab },
		"ccache":   func(t *testing.T, c *secure.KerberosConfig) { t.Helper(); c.CachePath = r.kinit(t) },
		"KRB5CCNAME": func(t *testing.T, c *secure.KerberosConfig) {
			t.Helper()
			env := map[string]string{"KRB5CCNAME": "FILE:" + r.kinit(t), "KRB5_CONFIG": r.conf}
			c.ConfPath, c.Lookup = "", func(name string) (string, bool) { v, ok := env[name]; return v, ok }
		},
	}
	for name, set := range secrets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := base
			set(t, &config)
			p, port := acceptor(t, "gss", r.env, nil)
			talk(t, client(t, kerberos(t, config, serviceHost), port, false, false, nil), p, "sealed")
		})
	}
	for n, name := range etypes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := base
			config.User, config.Password = fmt.Sprintf("admin%d", n), password
			p, port := acceptor(t, "gss", r.env, nil)
			talk(t, client(t, kerberos(t, config, fmt.Sprintf("host%d.hyperv.test", n)), port, false, false, nil), p, "sealed")
		})
	}
	for _, tr := range transports[1:] {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			config := base
			config.User, config.Password = "admin@"+realmName, password
			c := newCertificate(t)
			p, port := acceptor(t, "gss", r.env, &c)
			talk(t, client(t, kerberos(t, config, serviceHost), port, true, tr.insecure, c.pem), p, tr.event)
		})
	}
	t.Run("errors", func(t *testing.T) { kdcErrors(t, r) })
}

func kerberos(t *testing.T, config secure.KerberosConfig, host string) secure.Mechanism {
	t.Helper()
	k, err := secure.NewKerberos(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	m, err := k.ForHost(host)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// kdcErrors checks the errors of a real KDC for common mistakes.
func kdcErrors(t *testing.T, r *realm) {
	t.Helper()
	tests := map[string]struct {
		config secure.KerberosConfig
		host   string
		code   int32
	}{
		"wrong password":  {secure.KerberosConfig{User: "admin", Password: "wrong"}, serviceHost, 24},
		"unknown user":    {secure.KerberosConfig{User: "nobody", Password: password}, serviceHost, 6},
		"unknown service": {secure.KerberosConfig{User: "admin", Password: password}, "other.hyperv.test", 7},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.config.ConfPath = r.conf
			_, err := token(t, kerberos(t, tt.config, tt.host))
			var e *secure.KDCError
			if !errors.As(err, &e) || e.Code != tt.code {
				t.Errorf("%v, want code %d", err, tt.code)
			}
		})
	}
	t.Run("expired cache", func(t *testing.T) {
		t.Parallel()
		config := secure.KerberosConfig{ConfPath: r.conf, CachePath: r.kinit(t, "-l", "30s")}
		if _, err := token(t, kerberos(t, config, serviceHost)); !errors.Is(err, secure.ErrTicketExpired) {
			t.Errorf("%v, want ErrTicketExpired", err)
		}
	})
}

// token returns the first token of a context.
func token(t *testing.T, m secure.Mechanism) ([]byte, error) {
	t.Helper()
	x, err := m.NewContext(nil)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := x.Next(t.Context(), nil)
	return out, err
}

// quiet fails if an acceptor saw a message it should not have seen.
func quiet(t *testing.T, p *process) {
	t.Helper()
	for _, line := range p.lines()[1:] {
		if word, _, _ := strings.Cut(line, " "); word == "clear" || word == "sealed" || word == "established" {
			t.Errorf("the acceptor says %q", line)
		}
	}
}
