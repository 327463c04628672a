package provider_test

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// exchangesAre is a plan check: so many exchanges with the host since the count
// was taken.
type exchangesAre struct {
	sim    *hypervsim.Host
	before *int
	want   int
}

// CheckPlan implements plancheck.PlanCheck.
func (e exchangesAre) CheckPlan(_ context.Context, _ plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	if got := e.sim.Exchanges() - *e.before; got != e.want {
		resp.Error = fmt.Errorf("exchanges with the host while planning = %d, want %d", got, e.want)
	}
}

// closedPort is a port that nobody listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	must(t, l.Close())
	return port
}

// When the provider names another host, nobody is asked with its credentials:
// the resource moves to the new host.
func TestVHDCompactionResource_providerHostChanged(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	moved := providerFor(sim, settings{"host": `"LocalHost"`}) + disk()
	count := 0
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk()},
		resource.TestStep{
			PreConfig: func() { count = sim.Exchanges() },
			Config:    moved,
			ConfigPlanChecks: before(
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace),
				plancheck.ExpectKnownValue(address, at("plan_reason"), knownvalue.StringExact("first run")),
				exchangesAre{sim, &count, 0},
			),
			ConfigStateChecks: inState("host", "LocalHost", "id", "LocalHost|"+diskPath),
		},
		resource.TestStep{Config: moved, ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			Config: providerFor(sim, settings{"host": `"localhost"`}) + disk(), ConfigPlanChecks: emptyPlan(),
		},
	)
	compactions(t, sim, 2)
}

func TestVHDCompactionResource_ownHostStays(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	own := disk(settings{"host": `"localhost"`})
	steps(t,
		resource.TestStep{Config: providerFor(sim, settings{"host": `"hv01.invalid"`}) + own},
		resource.TestStep{Config: providerFor(sim, settings{"host": `"hv02.invalid"`}) + own, ConfigPlanChecks: emptyPlan()},
		resource.TestStep{Config: providerFor(sim, settings{"host": ""}) + own, ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			Config:           providerFor(sim) + disk(settings{"host": `"LocalHost"`}),
			ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("host", "localhost"),
		},
		resource.TestStep{ // it is still refreshed there
			PreConfig: func() { must(t, sim.Grow(diskPath, 8*gib)) },
			Config:    providerFor(sim, settings{"host": `"hv02.invalid"`}) + own, ConfigPlanChecks: runPlanned("grew 8.0 GiB (200 %) since the last compaction"),
		},
	)
	compactions(t, sim, 2)
}

// A resource that takes over the host of the provider as its own stays with it.
func TestVHDCompactionResource_providerHostBecomesOwn(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	own := disk(settings{"host": quote(sim.HostName())})
	moved := providerFor(sim, settings{"host": `"hv02.invalid"`}) + own
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk()},
		resource.TestStep{Config: providerFor(sim) + own, ConfigPlanChecks: updateWithoutRun(), ConfigStateChecks: inState("growth_bytes", 0)},
		resource.TestStep{Config: moved, ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, 8*gib)) },
			Config:    moved, ConfigPlanChecks: runPlanned("grew 8.0 GiB (200 %) since the last compaction"),
		},
	)
	compactions(t, sim, 2)
}

// A resource that leaves its host to the provider leaves it together with the
// provider: credentials for another host never go to the old one.
func TestVHDCompactionResource_ownHostBecomesProviders(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	asked := 0
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk(settings{"host": quote(sim.HostName())})},
		resource.TestStep{Config: providerFor(sim) + disk(), ConfigPlanChecks: updateWithoutRun()},
		resource.TestStep{
			PreConfig: func() { asked = len(sim.Requests()) },
			Config:    providerFor(sim, settings{"host": `"hv02.invalid"`}) + disk(),
			PlanOnly:  true, ExpectNonEmptyPlan: true,
		},
	)
	// The destroy at the end asks nobody either: nothing is attached.
	if now := len(sim.Requests()); now != asked {
		t.Errorf("%d requests to the host that the provider has left", now-asked)
	}
	compactions(t, sim, 1)
}

func TestVHDCompactionResource_unreachableFails(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk()},
		resource.TestStep{
			Config:      providerFor(sim, settings{"port": closedPort(t)}) + disk(),
			ExpectError: regexp.MustCompile(`Unable to read virtual hard disk[\s\S]*if_unreachable`),
		},
		resource.TestStep{Config: providerFor(sim) + disk(), ConfigPlanChecks: emptyPlan()},
	)
}

// A fleet goes on without a host that is down. What was due stays due.
func TestVHDCompactionResource_unreachableSkipped(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := func(port string, s settings) string {
		return providerFor(sim, settings{"port": port}) + disk(settings{"if_unreachable": `"skip"`}, s)
	}
	up, down := fmt.Sprint(sim.Port()), closedPort(t)
	triggers := settings{"triggers": `{ month = "12" }`}
	steps(t,
		resource.TestStep{Config: config(up, nil)},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, 8*gib)) },
			Config:    config(down, nil), ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("file_size_bytes", 4*gib),
		},
		resource.TestStep{
			Config: config(down, triggers), ConfigPlanChecks: updateWithoutRun(), ConfigStateChecks: inState("triggers.month", "12"),
		},
		resource.TestStep{Config: config(down, triggers), ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			Config:           config(up, triggers),
			ConfigPlanChecks: runPlanned("triggers changed; grew 8.0 GiB (200 %) since the last compaction"),
		},
		resource.TestStep{Config: config(up, triggers), ConfigPlanChecks: emptyPlan()},
	)
	compactions(t, sim, 2)
}

// Only an absent connection is skipped, never an answer.
func TestVHDCompactionResource_faultIsNotSkipped(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk(settings{"if_unreachable": `"skip"`})
	steps(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskState", Effect: hypervsim.Fault(5, hypervsim.FaultFormAny)})
			},
			Config: config, ExpectError: regexp.MustCompile(`Unable to read virtual hard disk[\s\S]*access is denied`),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
}

// Even a disk that was left attached is no reason to log on to a host that the
// provider has turned away from.
func TestVHDCompactionResource_leftAttachedOnFormerHost(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	moved := providerFor(sim, settings{"host": `"localhost"`}) + disk()
	count := 0
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk()},
		resource.TestStep{
			PreConfig: func() {
				must(t, sim.Grow(diskPath, 8*gib))
				leaveAttached(t, sim)
			},
			Config: providerFor(sim) + disk(), ExpectError: cannotCompact(`not\s+detached`),
		},
		resource.TestStep{PreConfig: func() { count = sim.Exchanges() }, Config: moved, Destroy: true},
	)
	if got := sim.Exchanges() - count; count == 0 || got != 0 {
		t.Errorf("exchanges with the former host = %d after %d, want none more", got, count)
	}
	if a := sim.Attachments(); len(a) != 1 {
		t.Errorf("attached: %v, want the disk still attached", a)
	}
}

// A host of the first generation has no modes and is not asked to attach.
func TestVHDCompactionResource_oldHost(t *testing.T) {
	t.Parallel()
	const old = `D:\VMs\old.vhd`
	sim := host(t, hypervsim.WithGenerations(hypervsim.V1), hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) {
		v.Path, v.ReclaimableUnmounted = old, 6*gib
	})))
	config := providerFor(sim) + disk(settings{"path": quote(old)})
	steps(t,
		resource.TestStep{
			Config: config,
			ConfigStateChecks: inState("status", "compacted", "format", "vhd", "last_run.mode", nil, "last_run.attached", false,
				"last_run.reclaimed_bytes", 6*gib),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
}
