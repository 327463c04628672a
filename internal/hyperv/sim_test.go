package hyperv_test

import (
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const (
	mib = int64(1) << 20
	gib = int64(1) << 30

	testUser     = `HYPERV\admin`
	testPassword = "correct horse battery staple"
)

// simulate starts a host without a socket, reached in memory through the whole
// client: sealing, connections and envelopes are the real ones.
func simulate(t *testing.T, opts ...hypervsim.Option) (*hypervsim.Host, *hyperv.Host) {
	t.Helper()
	sim := hypervsim.RunT(t, append([]hypervsim.Option{
		hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(),
	}, opts...)...)
	return sim, connect(t, sim, func(*hyperv.Config) {})
}

func connect(t *testing.T, sim *hypervsim.Host, adjust func(*hyperv.Config)) *hyperv.Host {
	t.Helper()
	cfg := hyperv.Config{
		Auth: hyperv.AuthNTLM, Username: testUser, Password: testPassword,
		Port: sim.Port(), RequestTimeout: time.Minute,
		MaxConcurrentCompactions: 2, MaxConcurrentRequests: 5, Dial: sim.Dial,
	}
	adjust(&cfg)
	fleet, err := hyperv.NewFleet(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	host, err := fleet.Host(sim.HostName())
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// clean fails the test if the host shows what must never happen.
func clean(t *testing.T, sim *hypervsim.Host) {
	t.Helper()
	if left := sim.Attachments(); len(left) != 0 {
		t.Errorf("attachments left on the host: %+v", left)
	}
	if bad := sim.Violations(); len(bad) != 0 {
		t.Errorf("violations: %q", bad)
	}
}
