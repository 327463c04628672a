package wsman

import (
	"testing"

	"github.com/masterzen/winrm"
)

// TestServerNameHasNoZone: no certificate names a zone.
func TestServerNameHasNoZone(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{"fe80::1%eth0": "fe80::1", "::1": "::1", "10.0.0.1": "10.0.0.1", "hv01": "hv01"} {
		cfg, err := tlsConfig(&winrm.Endpoint{Host: host, HTTPS: true}, false)
		if err != nil || cfg.ServerName != want {
			t.Errorf("the certificate of %s has to be for %q, %v; want %q", host, cfg.ServerName, err, want)
		}
	}
}
