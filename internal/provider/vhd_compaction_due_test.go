package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

func TestVHDCompactionResource_growthThresholds(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := func(s settings) string { return providerFor(sim) + disk(s) }
	bytesOnly := settings{"recompact_growth_percent": "0", "recompact_growth_bytes": "104857600"}
	steps(t,
		resource.TestStep{Config: config(nil)},
		resource.TestStep{ // 900 MiB of 4 GiB: 21 %, but less than 1 GiB
			PreConfig: func() { must(t, sim.Grow(diskPath, 900*mib)) },
			Config:    config(nil), ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("growth_bytes", 900*mib),
		},
		resource.TestStep{
			Config: config(bytesOnly), ConfigPlanChecks: runPlanned("grew 900.0 MiB (21 %) since the last compaction"),
		},
		resource.TestStep{ // a file that shrank is never due, whatever the thresholds
			PreConfig: func() { must(t, sim.Change(diskPath, func(v *hypervsim.VHD) { v.FileSize -= mib })) },
			Config:    config(settings{"recompact_growth_percent": "0", "recompact_growth_bytes": "0"}), ConfigPlanChecks: updateWithoutRun(),
			ConfigStateChecks: inState("growth_bytes", -mib),
		},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, 64*gib)) },
			Config:    config(settings{"recompact_on_growth": "false"}), ConfigPlanChecks: updateWithoutRun(),
		},
		resource.TestStep{Config: config(settings{"recompact_on_growth": "false"}), ConfigPlanChecks: emptyPlan()},
	)
	compactions(t, sim, 2)
}

// A disk that cannot shrink is no longer due.
func TestVHDCompactionResource_incompressible(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.ReclaimableMounted = 0 })))
	config := providerFor(sim) + disk()
	steps(t,
		resource.TestStep{Config: config, ConfigStateChecks: inState("status", "unchanged")},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Write(diskPath, 8*gib)) },
			Config:    config, ConfigPlanChecks: runPlanned("grew 8.0 GiB (80 %) since the last compaction"),
			ConfigStateChecks: inState("status", "unchanged", "baseline_file_size_bytes", 18*gib, "total_reclaimed_bytes", 0),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
	compactions(t, sim, 2)
}

func TestVHDCompactionResource_belowMinimum(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk(settings{"min_file_size_bytes": "21474836480"})
	steps(t,
		resource.TestStep{
			Config: config,
			ConfigStateChecks: inState("status", "below_minimum", "last_run", nil, "baseline_file_size_bytes", nil,
				"growth_bytes", nil, "file_size_bytes", 10*gib, "total_reclaimed_bytes", 0),
		},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, 9*gib)) },
			Config:    config, ConfigPlanChecks: emptyPlan(),
		},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, gib)) },
			Config:    config, ConfigPlanChecks: runPlanned("the file has reached the minimum size of 20.0 GiB"),
			ConfigStateChecks: inState("status", "compacted"),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
	compactions(t, sim, 1)
}

func TestVHDCompactionResource_skippedInUse(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{Name: "sql01", State: hypervsim.VMRunning, Disks: []string{diskPath}}))
	config := providerFor(sim) + disk(settings{"if_in_use": `"skip"`})
	steps(t,
		resource.TestStep{
			Config: config, ExpectNonEmptyPlan: true,
			ConfigStateChecks: inState("status", "skipped_in_use", "status_detail", knownvalue.NotNull(), "last_run", nil),
		},
		resource.TestStep{
			PreConfig: func() { must(t, sim.SetVMState("sql01", hypervsim.VMOff)) },
			Config:    config, ConfigPlanChecks: runPlanned("the disk was in use at the last run"),
			ConfigStateChecks: inState("status", "compacted"),
		},
	)
	compactions(t, sim, 1)
}

func TestVHDCompactionResource_allowAttachFalse(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	steps(t, resource.TestStep{
		Config:            providerFor(sim, settings{"allow_attach": "false"}) + disk(),
		ConfigStateChecks: inState("status", "unchanged", "last_run.attached", false),
	})
	if got := sim.Calls("AttachVirtualHardDisk"); got != 0 {
		t.Errorf("AttachVirtualHardDisk calls = %d, want none with allow_attach = false", got)
	}
	compactions(t, sim, 1)
}

func TestVHDCompactionResource_leftAttachedCleanedByNextRun(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk(settings{"timeouts": `{ update = "30s" }`})
	steps(t,
		resource.TestStep{
			PreConfig: func() { leaveAttached(t, sim) },
			Config:    config, ExpectError: cannotCompact(`not\s+detached`),
		},
		resource.TestStep{
			PreConfig:         func() { letDetach(sim) },
			Config:            config,
			ConfigPlanChecks:  before(plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace)),
			ConfigStateChecks: inState("left_attached", false),
		},
		resource.TestStep{
			PreConfig: func() {
				must(t, sim.Grow(diskPath, 8*gib))
				leaveAttached(t, sim)
			},
			Config: config, ExpectError: cannotCompact(`not\s+detached`),
		},
		resource.TestStep{
			PreConfig:         func() { letDetach(sim) },
			Config:            config,
			ConfigPlanChecks:  runPlanned("the last run left the disk attached to the host"),
			ConfigStateChecks: inState("left_attached", false, "status", "unchanged"),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
	detached(t, sim)
}

func TestVHDCompactionResource_leftAttachedCleanedByDestroy(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk()
	steps(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				must(t, sim.Grow(diskPath, 8*gib))
				leaveAttached(t, sim)
			},
			Config: config, ExpectError: cannotCompact(`not\s+detached`),
		},
		resource.TestStep{PreConfig: func() { letDetach(sim) }, Config: config, Destroy: true},
	)
	detached(t, sim)
	compactions(t, sim, 2)
}
