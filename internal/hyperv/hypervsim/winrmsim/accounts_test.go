package winrmsim_test

import (
	"net/http"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestAccounts: hosts of one domain count the failed logons of an account
// together, and lock it; one whose domain is out of reach rejects and counts
// nothing.
func TestAccounts(t *testing.T) {
	t.Parallel()
	d := hypervsim.NewAccounts()
	option := []hypervsim.Option{hypervsim.WithUser(`LAB\backup`, "right"), hypervsim.WithDomain("LAB", "lab.example"), hypervsim.WithAccounts(d)}
	hosts := []*hypervsim.Host{newHost(t, option...), newHost(t, option...)}
	logon := func(host int, password string, want int) {
		t.Helper()
		if got := newPeer(t, hosts[host]).logon(`LAB\backup`, password); got != want {
			t.Errorf("logon with %s on host %d = %d, want %d", password, host, got, want)
		}
	}
	for i := range 4 {
		logon(i%2, "wrong", http.StatusUnauthorized)
	}
	logon(0, "right", http.StatusOK) // begins the count anew
	d.SetAway(true)
	for range 10 {
		logon(1, "right", http.StatusUnauthorized)
	}
	d.SetAway(false)
	if n := d.FailedLogons(); n != 4 {
		t.Errorf("%d failed logons, want 4", n)
	}
	for i := range 5 {
		logon(i%2, "wrong", http.StatusUnauthorized)
	}
	logon(0, "right", http.StatusUnauthorized)
	if locked := d.TakeLocked(); len(locked) != 1 {
		t.Errorf("locked: %q", locked)
	}
	d.SetPassword(`LAB\backup`, "new")
	logon(1, "new", http.StatusOK)
}
