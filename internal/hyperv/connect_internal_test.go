package hyperv

import "testing"

// The current user asks for the host by the name that a domain knows, as NTLM and
// Kerberos do: Windows would fall back to NTLM without a word for another one.
func TestCurrentUserTarget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ host, spn, want string }{
		{"hv01.corp.test", "", "HTTP/hv01.corp.test"},
		{"HV01.Corp.Test", "", "HTTP/hv01.corp.test"},
		{"hv01.corp.test.", "", "HTTP/hv01.corp.test"},
		{"10.0.0.7", "", "HTTP/10.0.0.7"},
		{"fe80::1%eth0", "", "HTTP/fe80::1"},
		{"[fe80::1%12]", "", "HTTP/fe80::1"},
		{"hv01.corp.test", "WSMAN/other.corp.test", "WSMAN/other.corp.test"},
	} {
		c := Config{Kerberos: KerberosConfig{SPN: tt.spn}}
		if got := c.currentUserTarget(tt.host); got != tt.want {
			t.Errorf("%q, SPN %q: %q, want %q", tt.host, tt.spn, got, tt.want)
		}
	}
}
