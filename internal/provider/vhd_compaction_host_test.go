package provider_test

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/freeport"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// closedPort returns a port on which no process listens.
func closedPort(t *testing.T) string {
	t.Helper()
	return strconv.Itoa(freeport.On(t))
}

// ending is a host at a port that nobody has after the host has ended.
func ending(t *testing.T) *hypervsim.Host {
	t.Helper()
	return host(t, hypervsim.WithVHD(vhd()), hypervsim.WithAddress("127.0.0.1:"+closedPort(t)))
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
			ConfigPlanChecks: updateWithoutRun(), ConfigStateChecks: inState("host", "LocalHost"),
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

// The name of a host leads to another node, on which there is no such file: the
// resource stays, and is right again when the name has moved back.
func TestVHDCompactionResource_absentOnAnotherNode(t *testing.T) {
	t.Parallel()
	one := host(t, hypervsim.WithComputerName("NODE1"), hypervsim.WithVHD(vhd()))
	two := host(t, hypervsim.WithComputerName("NODE2"))
	two.AddDirectory(`D:\VMs`)
	steps(t,
		resource.TestStep{Config: providerFor(one) + disk(), ConfigStateChecks: inState("node", "NODE1")},
		resource.TestStep{Config: providerFor(two) + disk(), ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("node", "NODE1")},
		resource.TestStep{Config: providerFor(one) + disk(), ConfigPlanChecks: emptyPlan()},
		resource.TestStep{ // and on its own node it is gone
			PreConfig: func() { must(t, one.Remove(diskPath)) },
			Config:    providerFor(one) + disk(), PlanOnly: true, ExpectNonEmptyPlan: true,
		},
	)
	compactions(t, one, 1)
	compactions(t, two, 0)
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

// A fleet goes on without a host that is down. Runs that were due stay due.
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
			ConfigPlanChecks: runPlanned("triggers changed: month; grew 8.0 GiB (200 %) since the last compaction"),
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
