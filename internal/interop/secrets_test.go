package interop_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-krb5/krb5/keytab"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// logged collects everything that a logger writes.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// levelTrace is the most verbose level, at which messages are logged whole.
const levelTrace = slog.Level(-8)

// No secret of a logon gets into the log at its most verbose level, or into an
// error: no password, no NTLM token, no ticket, whether the run succeeds or
// not.
func TestNoSecretIsLogged(t *testing.T) {
	t.Parallel()
	interop(t)
	r := startRealm(t)
	keys, err := keytab.Load(r.keytab)
	if err != nil {
		t.Fatal(err)
	}
	const path = `D:\VMs\sql01.vhdx`
	for name, cfg := range map[string]hyperv.Config{
		"NTLM":     {Auth: hyperv.AuthNTLM, Username: user, Password: password},
		"Kerberos": {Auth: hyperv.AuthKerberos, Username: "admin", Password: password, Kerberos: hyperv.KerberosConfig{Realm: realmName, SPN: "HTTP/" + serviceHost, ConfigPath: r.conf}},
	} {
		for _, wrong := range []string{"", "-wrong"} {
			t.Run(name+wrong, func(t *testing.T) {
				t.Parallel()
				cfg := cfg // each has a password of its own
				sim := hypervsim.RunT(t, hypervsim.WithUser(user, password), hypervsim.WithKerberos(keys),
					hypervsim.WithVHD(hypervsim.VHD{Path: path, FileSize: 1 << 30, Immediate: true, AttachImmediate: true}))
				var log logged
				cfg.Port, cfg.Password = sim.Port(), cfg.Password+wrong
				cfg.RequestTimeout, cfg.MaxConcurrentRequests, cfg.MaxConcurrentCompactions = time.Minute, 5, 2
				cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: levelTrace}))
				fleet, err := hyperv.NewFleet(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer fleet.Close()
				host, err := fleet.Host("localhost")
				if err != nil {
					t.Fatal(err)
				}
				_, err = host.Compact(t.Context(), hyperv.Order{Path: path, AllowAttach: true, Timeout: time.Minute})
				if (err == nil) != (wrong == "") {
					t.Fatalf("Compact: %v", err)
				}
				all := log.text.String()
				if err != nil {
					all += err.Error()
				}
				if wrong == "" && !strings.Contains(all, "CompactVirtualHardDisk") {
					t.Error("the log does not show the messages, so it proves nothing")
				}
				for what, secret := range map[string]string{
					"the password": password, "an NTLM token": "TlRMTVNTUA", "NTLMSSP": "NTLMSSP", "a GSS token": "YII", "a scheme with a token": "Negotiate ",
				} {
					if strings.Contains(all, secret) {
						t.Errorf("the log holds %s", what)
					}
				}
			})
		}
	}
}
