package provider

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestAdviceForTLS: each failure of TLS gets its own sentences, and insecure = true
// is proposed where it would help: where a host that fails works with it.
func TestAdviceForTLS(t *testing.T) {
	t.Parallel()
	const unproposed = "insecure"
	for sort, want := range map[hypervsim.TLSSort]struct {
		says        []string
		unreachable bool
		insecure    bool // helps
	}{
		hypervsim.TLSOtherAuthority: {says: []string{"cacert_path", "not signed by a trusted authority"}, insecure: true},
		hypervsim.TLSOtherName:      {says: []string{"tls_server_name", "certificate for other.example"}, insecure: true},
		hypervsim.TLSExpired:        {says: []string{"Renew the certificate", "expired"}, insecure: true},
		hypervsim.TLSNegativeSerial: {says: []string{"negative serial number"}},
		hypervsim.TLSShortKey:       {says: []string{"2048 bits", "too short"}},
		hypervsim.TLSOld:            {says: []string{"Enable TLS 1.2 on the host"}},
		hypervsim.TLSNone:           {says: []string{"5986", "https = false"}},
		hypervsim.TLSReset:          {says: []string{"certificate of the listener and its key", "amid the TLS handshake"}, unreachable: true},
		hypervsim.TLSClosed:         {says: []string{"certificate of the listener and its key", "amid the TLS handshake"}, unreachable: true},
		hypervsim.TLSSilent:         {says: []string{"serves the port", "does not answer in TLS"}, unreachable: true},
		hypervsim.TLSWithEd25519:    {says: []string{"RSA or ECDSA", "no channel binding"}},
	} {
		for _, insecure := range []bool{false, true} {
			t.Run(string(sort)+map[bool]string{true: ", insecure"}[insecure], func(t *testing.T) {
				t.Parallel()
				sim := hypervsim.RunT(t, hypervsim.WithTLS(), hypervsim.WithTLSSort(sort), hypervsim.WithUser(`LAB\u`, canary),
					hypervsim.WithVHD(hypervsim.VHD{Path: `D:\a.vhdx`}))
				cfg := hyperv.Config{
					HTTPS: true, Insecure: insecure, Port: sim.Port(), CACertificate: sim.CACertificate(),
					Auth: hyperv.AuthNTLM, Username: `LAB\u`, Password: canary, RequestTimeout: time.Second,
				}
				fleet, err := hyperv.NewFleet(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer fleet.Close()
				host, err := fleet.Host(sim.HostName())
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err = host.FileSize(ctx, `D:\a.vhdx`)
				if insecure && want.insecure {
					if err != nil {
						t.Errorf("insecure was proposed, and does not help: %v", err)
					}
					return
				}
				if err == nil {
					t.Fatal("it works")
				}
				text := err.Error() + "\n" + remedy(hyperv.Explain(err), situation{doing: compacting, connection: connectionOf(cfg)})
				for _, says := range want.says {
					if !strings.Contains(text, says) {
						t.Errorf("the error lacks %q:\n%s", says, text)
					}
				}
				if proposed := strings.Contains(text, unproposed); proposed != want.insecure {
					t.Errorf("insecure is proposed: %v, want %v:\n%s", proposed, want.insecure, text)
				}
				if errors.Is(err, hyperv.ErrUnreachable) != want.unreachable {
					t.Errorf("unreachable: %v, want %v: %v", !want.unreachable, want.unreachable, err)
				}
			})
		}
	}
}
