package e2e_test

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/target"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const (
	// envFixtures names a file that describes the fixtures on a real host; with it, and with the
	// variables of the provider, these tests run there. Without it each test has a simulated host.
	envFixtures = "HYPERV_ACC_FIXTURES"
	// envDisk, in place of that file, names one disk of a real host that no machine uses: for hosts
	// on which there is nothing but a disk to spare.
	envDisk = "HYPERV_ACC_VHD"
	// envParallel is the number of tests that run at once on such a host, one by default.
	envParallel = "HYPERV_ACC_PARALLEL"
)

// accHost is a host that acceptance tests run on.
type accHost struct {
	t        *testing.T
	sim      *hypervsim.Host // nil when it is a real one
	clock    *hostClock      // of sim
	fixtures *conformance.Fixtures
	env      []string // variables of the provider
	client   *wsman.Client
}

// onRealHost reports whether the environment names a real host for these tests.
func onRealHost() bool { return os.Getenv(envFixtures) != "" || os.Getenv(envDisk) != "" }

// onHost returns the real host that the environment names, else a simulated one
// whose compactions last for takes.
func onHost(t *testing.T, takes time.Duration) *accHost {
	t.Helper()
	h := &accHost{t: t}
	if onRealHost() {
		h.find()
	} else {
		h.simulate(takes)
	}
	host, cfg, err := target.Read(h.lookup, nil)
	must(t, err)
	cfg.Logger = slog.New(slog.DiscardHandler)
	wire, release, err := hyperv.WireConfig(cfg, host)
	must(t, err)
	t.Cleanup(release)
	h.client, err = wsman.New(wire)
	must(t, err)
	t.Cleanup(h.client.Close)
	return h
}

// simulate prepares a simulated host as the set-up prepares a real one.
func (h *accHost) simulate(takes time.Duration) {
	disks, forDisks := rehearsal.Disks(`D:\hvc\disks`, takes)
	machines, forMachines := rehearsal.Machines(`D:\hvc\machines`, "hvc-")
	sim := newClockedHost(h.t, append(disks, machines...)...)
	h.sim, h.clock = sim.Host, sim.clock
	h.t.Cleanup(func() { careful(h.t, h.sim) })
	h.fixtures = &conformance.Fixtures{Disks: forDisks, Machines: forMachines}
	h.env = []string{
		"HYPERV_HOST=" + h.sim.HostName(), "HYPERV_PORT=" + strconv.Itoa(h.sim.Port()), "HYPERV_HTTPS=false",
		"HYPERV_USERNAME=" + hypervsim.DefaultUser, "HYPERV_PASSWORD=" + hypervsim.DefaultPassword,
		// A killed run is healed within the time of a test.
		"HYPERV_TEST_TAKE_OVER_AFTER=3s",
	}
}

// find takes the real host of the environment.
func (h *accHost) find() {
	h.t.Helper()
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "HYPERV_") || strings.HasPrefix(v, "KRB5") {
			h.env = append(h.env, v)
		}
	}
	h.fixtures = &conformance.Fixtures{Disks: []conformance.FixtureDisk{{For: "lifecycle", Path: os.Getenv(envDisk)}}}
	if name := os.Getenv(envFixtures); name != "" {
		var err error
		h.fixtures, err = conformance.ReadFixtures(name)
		must(h.t, err)
	}
}

func (h *accHost) lookup(name string) (string, bool) {
	for _, v := range h.env {
		if key, value, _ := strings.Cut(v, "="); key == name {
			return value, true
		}
	}
	return "", false
}

// disk returns the disk for a purpose; without one the test is skipped.
func (h *accHost) disk(purpose string) conformance.FixtureDisk {
	h.t.Helper()
	d, ok := h.fixtures.Disk(purpose)
	if !ok || d.Path == "" {
		h.t.Skipf("the host has no disk for %q", purpose)
	}
	return d
}

// machine returns a machine by the end of its name; without one the test is skipped.
func (h *accHost) machine(suffix string) conformance.FixtureMachine {
	h.t.Helper()
	m, ok := h.fixtures.Machine(suffix)
	if !ok {
		h.t.Skipf("the host has no machine %q", suffix)
	}
	return m
}

// workspace makes a workspace whose provider is configured by the environment alone.
func (h *accHost) workspace(resources string) workspace {
	h.t.Helper()
	w := newWorkspace(h.t, h.env...)
	w.write("main.tf", `terraform {
  required_providers {
    hyperv = { source = "`+providerSource+`" }
  }
}
provider "hyperv" {}
`+resources)
	return w
}

// size returns the size of a file on the host in bytes, as the host reports it.
func (h *accHost) size(path string) int64 {
	h.t.Helper()
	i, err := h.client.Get(h.t.Context(), cim.NewReference(cim.NamespaceCIMv2, cim.ClassDataFile, cim.Selector{Name: "Name", Value: path}))
	must(h.t, err)
	n, _, err := i.Uint("FileSize", 64)
	must(h.t, err)
	return int64(n)
}

// isAttached reports whether a disk is attached to the host.
func (h *accHost) isAttached(ctx context.Context, path string) bool {
	h.t.Helper()
	images := wsman.Enumeration{ResourceURI: cim.ResourceURI(cim.NamespaceVirtualizationV2, cim.ClassMountedStorageImage)}
	for i, err := range h.client.Enumerate(ctx, images) {
		must(h.t, err)
		if name, _ := i.String("Name"); winpath.Equal(name, path) {
			return true
		}
	}
	return false
}

// checkFree fails the test if a disk is still attached.
func (h *accHost) checkFree(path string) {
	h.t.Helper()
	if h.isAttached(h.t.Context(), path) {
		h.t.Errorf("%s is still attached", path)
	}
}

// checkShrunk fails the test unless the file is about as small as Optimize-VHD makes
// a copy of it.
func (h *accHost) checkShrunk(d conformance.FixtureDisk, file int64) {
	h.t.Helper()
	if size := h.size(d.Path); size != file {
		h.t.Errorf("%s has %d bytes on the host and %d in state", d.Path, size, file)
	}
	if d.Optimized > 0 && file > d.Optimized+d.BlockSize {
		h.t.Errorf("%s has %d bytes; Optimize-VHD makes %d of a copy", d.Path, file, d.Optimized)
	}
}
