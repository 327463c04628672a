package winrmsim_test

import (
	"net/http"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestWithDomain: a user of a domain is found by both names of the domain, as name@dns unless that
// is refused, and by no other; a user of the host by the name of the host, as .\user, which stands
// for it, and without a domain.
func TestWithDomain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		user   string
		opts   []hypervsim.Option
		status int
	}{
		{`LAB\backup`, nil, http.StatusOK},
		{`lab.example\backup`, nil, http.StatusOK},
		{`backup@LAB.example`, nil, http.StatusOK},
		{`backup@other.example`, nil, http.StatusUnauthorized},
		{`backup@lab.example`, []hypervsim.Option{hypervsim.WithoutPrincipalNames()}, http.StatusUnauthorized},
		{`LAB\backup`, []hypervsim.Option{hypervsim.WithoutPrincipalNames()}, http.StatusOK},
		{`backup`, nil, http.StatusOK},
		{`.\backup`, nil, http.StatusUnauthorized},
		{`.\local`, nil, http.StatusOK},
		{`HYPERV01\local`, nil, http.StatusOK},
		{`local`, nil, http.StatusOK},
		{`LAB\local`, nil, http.StatusUnauthorized},
	} {
		h := newHost(t, append(test.opts, hypervsim.WithUser(`LAB\backup`, "s3cret"), hypervsim.WithUser("local", "s3cret"), hypervsim.WithDomain("LAB", "lab.example"))...)
		if got := newPeer(t, h).logon(test.user, "s3cret"); got != test.status {
			t.Errorf("logon(%s) = %d, want %d", test.user, got, test.status)
		}
	}
}
