package interop_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/go-krb5/krb5/keytab"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// relay answers TLS with a certificate of its own and passes on everything to the port. It returns
// its own port.
func relay(t *testing.T, port int, pair tls.Certificate) int {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { pass(c, fmt.Sprintf("127.0.0.1:%d", port)) })
		}
	})
	return portOf(t, l)
}

func pass(client net.Conn, upstream string) {
	defer func() { _ = client.Close() }()
	host, err := tls.Dial("tcp", upstream, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err != nil {
		return
	}
	defer func() { _ = host.Close() }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(host, client)
		_ = host.Close()
	}()
	_, _ = io.Copy(client, host)
	_ = client.Close()
	<-done
}

// Acceptors that others wrote refuse our contexts when a relay with another certificate sits in
// between, because the contexts are bound to that certificate.
func TestOurBindingRefused(t *testing.T) {
	t.Parallel()
	interop(t)
	r := startRealm(t)
	tests := map[string]struct {
		impl      string
		env       []string
		mechanism func(t *testing.T) secure.Mechanism
	}{
		"NTLM pyspnego":    {"pyspnego", []string{ntlmUserFile(t)}, func(*testing.T) secure.Mechanism { return ntlm("") }},
		"NTLM gss-ntlmssp": {"gss", []string{ntlmUserFile(t)}, func(*testing.T) secure.Mechanism { return ntlm("") }},
		"Kerberos MIT": {"gss", r.env, func(t *testing.T) secure.Mechanism {
			t.Helper()
			return kerberos(t, secure.KerberosConfig{ConfPath: r.conf, User: "admin", Password: password}, serviceHost)
		}},
	}
	for name, tt := range tests {
		for key, generate := range keys {
			for _, insecure := range []bool{true, false} { // the second one trusts the relay
				t.Run(fmt.Sprintf("%s, %s, insecure %v", name, key, insecure), func(t *testing.T) {
					t.Parallel()
					own, his := newCertificate(t), newCertificateOf(t, generate)
					p, port := acceptor(t, tt.impl, tt.env, &own)
					_, err := client(t, tt.mechanism(t), relay(t, port, his.pair), true, insecure, his.pem).Identify(t.Context())
					if key == "Ed25519" {
						if !errors.Is(err, secure.ErrNoBinding) {
							t.Errorf("%v, want ErrNoBinding", err)
						}
						quiet(t, p)
						return
					}
					// MIT gives the reason in an error of Kerberos.
					var told *secure.KDCError
					if !errors.Is(err, secure.ErrRejected) && !errors.As(err, &told) {
						t.Errorf("%v, want ErrRejected", err)
					}
					p.says(t, "refused", 1)
					quiet(t, p)
				})
			}
		}
	}
}

// The simulated host refuses contexts of clients that others wrote when they are bound to another
// certificate.
func TestTheirBindingRefused(t *testing.T) {
	t.Parallel()
	interop(t)
	r := startRealm(t)
	table, err := keytab.Load(r.keytab)
	if err != nil {
		t.Fatal(err)
	}
	env := append([]string{"PASSWORD=" + password, "SERVICE_HOST=" + serviceHost, stub(t)}, r.env...)
	env = append(env, "KRB5CCNAME=FILE:"+r.kinit(t))
	for _, auth := range []string{"ntlm", "kerberos"} {
		t.Run("pypsrp "+auth, func(t *testing.T) {
			t.Parallel()
			interpreter := python(t, "pypsrp")
			h, _, _ := simulated(t, hypervsim.WithTLS(), hypervsim.WithKerberos(table))
			name := ""
			if auth == "ntlm" {
				name = user
			}
			out, err := try(t, env, interpreter, script(t, "client_pypsrp.py"), strconv.Itoa(relay(t, h.Port(), newCertificate(t).pair)), auth, name, "none")
			if err == nil {
				t.Errorf("the client talked through the relay: %s", out)
			}
			if h.Logons() != 0 || h.FailedLogons() == 0 {
				t.Errorf("%d logons and %d failed ones", h.Logons(), h.FailedLogons())
			}
		})
	}
}
