package interop_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-krb5/krb5/keytab"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// simulated starts the simulated host and, with TLS, writes its authority to a file.
func simulated(t *testing.T, options ...hypervsim.Option) (h *hypervsim.Host, port, ca string) {
	t.Helper()
	h = hypervsim.RunT(t, append(options, hypervsim.WithUser(user, password))...)
	if pem := h.CACertificate(); pem != nil {
		ca = write(t, "ca.pem", string(pem))
	}
	return h, strconv.Itoa(h.Port()), ca
}

// script returns a program of testdata, with the stand-in for the module krb5.
func script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func stub(t *testing.T) string {
	t.Helper()
	return "PYTHONPATH=" + script(t, "stub")
}

// checkLogon expects exactly one logon. The host accepts nothing in the clear over http, so
// whatever the client received was sealed.
func checkLogon(t *testing.T, h *hypervsim.Host) {
	t.Helper()
	if h.Logons() != 1 || h.FailedLogons() != 0 {
		t.Errorf("%d logons and %d failed ones, want 1 and 0", h.Logons(), h.FailedLogons())
	}
}

// Clients with NTLM against the simulated host.
func TestTheirNTLM(t *testing.T) {
	t.Parallel()
	interop(t)
	clients := map[string]struct {
		module    string
		arguments func(port, ca string) []string
	}{
		"pypsrp": {"pypsrp", func(port, ca string) []string {
			return append([]string{script(t, "client_pypsrp.py"), port, "ntlm", user}, list(ca)...)
		}},
		"pypsrp SPNEGO": {"pypsrp", func(port, ca string) []string {
			return append([]string{script(t, "client_pypsrp.py"), port, "negotiate", user}, list(ca)...)
		}},
		"pywinrm": {"winrm", func(port, ca string) []string {
			return append([]string{script(t, "client_pywinrm.py"), port, user}, list(ca)...)
		}},
		"gss-ntlmssp": {"gssapi", func(port, ca string) []string {
			return append([]string{script(t, "client_gss.py"), port, "ntlm", "HTTP@" + serviceHost}, list(ca)...)
		}},
	}
	for name, c := range clients {
		for _, https := range []bool{false, true} {
			t.Run(name+" over "+scheme(https), func(t *testing.T) {
				t.Parallel()
				interpreter := python(t, c.module)
				if name == "gss-ntlmssp" {
					needNTLM(t)
				}
				var options []hypervsim.Option
				if https {
					options = []hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding()}
				}
				h, port, ca := simulated(t, options...)
				run(t, []string{ntlmUserFile(t), "PASSWORD=" + password, stub(t)}, interpreter, c.arguments(port, ca)...)
				checkLogon(t, h)
			})
		}
	}
}

// Clients with Kerberos against the simulated host.
func TestTheirKerberos(t *testing.T) {
	t.Parallel()
	interop(t)
	r := startRealm(t)
	table, err := keytab.Load(r.keytab)
	if err != nil {
		t.Fatal(err)
	}
	env := append([]string{"SERVICE_HOST=" + serviceHost, stub(t)}, r.env...)
	env = append(env, "KRB5CCNAME=FILE:"+r.kinit(t))
	clients := map[string]struct {
		module    string
		arguments func(port, ca string) []string
	}{
		"pypsrp": {"pypsrp", func(port, ca string) []string {
			return append([]string{script(t, "client_pypsrp.py"), port, "kerberos", ""}, list(ca)...)
		}},
		"MIT": {"gssapi", func(port, ca string) []string {
			return append([]string{script(t, "client_gss.py"), port, "krb5", "HTTP@" + serviceHost}, list(ca)...)
		}},
		"MIT SPNEGO": {"gssapi", func(port, ca string) []string {
			return append([]string{script(t, "client_gss.py"), port, "spnego", "HTTP@" + serviceHost}, list(ca)...)
		}},
	}
	for name, c := range clients {
		for _, https := range []bool{false, true} {
			t.Run(name+" over "+scheme(https), func(t *testing.T) {
				t.Parallel()
				interpreter := python(t, c.module)
				options := []hypervsim.Option{hypervsim.WithKerberos(table)}
				if https {
					options = append(options, hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding())
				}
				h, port, ca := simulated(t, options...)
				run(t, env, interpreter, c.arguments(port, ca)...)
				checkLogon(t, h)
			})
		}
	}
	for _, tr := range transports {
		t.Run("our own client over "+tr.name, func(t *testing.T) {
			t.Parallel()
			options := []hypervsim.Option{hypervsim.WithKerberos(table)}
			if tr.https {
				options = append(options, hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding())
			}
			h, _, _ := simulated(t, options...)
			m := kerberos(t, secure.KerberosConfig{ConfPath: r.conf, User: "admin", Password: password}, serviceHost)
			c := client(t, m, h.Port(), tr.https, tr.insecure, h.CACertificate())
			for range 3 {
				if _, err := c.Identify(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			checkLogon(t, h)
		})
	}
	t.Run("curl over https", func(t *testing.T) {
		t.Parallel()
		needProgram(t, "curl")
		h, port, ca := simulated(t, hypervsim.WithKerberos(table), hypervsim.WithTLS())
		identify, err := os.ReadFile("testdata/identify.xml")
		if err != nil {
			t.Fatal(err)
		}
		// curl asks for the ticket of the host in the URL.
		out := run(t, env, "curl", "--silent", "--show-error", "--negotiate", "--user", ":", "--cacert", ca,
			"--connect-to", serviceHost+":"+port+":127.0.0.1:"+port, "--resolve", serviceHost+":"+port+":127.0.0.1",
			"--insecure", "--header", "Content-Type: application/soap+xml;charset=UTF-8",
			"--data-binary", string(identify), "https://"+serviceHost+":"+port+"/wsman")
		if !strings.Contains(out, "IdentifyResponse") {
			t.Errorf("answer %q", out)
		}
		checkLogon(t, h)
	})
}

// list is s alone, or nothing.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func scheme(https bool) string {
	if https {
		return "https"
	}
	return "http"
}
