package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

func TestVHDCompactionResource_lifecycle(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk()

	steps(t,
		resource.TestStep{
			Config: config, ConfigPlanChecks: created(),
			ConfigStateChecks: inState(
				"id", sim.HostName()+"|"+diskPath,
				"path", diskPath,
				"host", nil, "node", knownvalue.NotNull(), "virtual_disk_id", knownvalue.NotNull(),
				"mode", nil,
				"attach_read_only", nil,
				"if_in_use", "fail",
				"if_unreachable", "fail",
				"allow_parent", false,
				"min_file_size_bytes", 0,
				"recompact_on_growth", true,
				"recompact_growth_bytes", gib,
				"recompact_growth_percent", 20,
				"max_passes", 1,
				"triggers", nil,
				"timeouts", nil,
				"format", "vhdx",
				"vhd_type", "dynamic",
				"file_size_bytes", 4*gib,
				"baseline_file_size_bytes", 4*gib,
				"growth_bytes", 0,
				"total_reclaimed_bytes", 6*gib,
				"status", "compacted",
				"status_detail", nil,
				"plan_reason", "first run",
				"left_attached", false,
				"last_run.started_at", knownvalue.NotNull(),
				"last_run.completed_at", knownvalue.NotNull(),
				"last_run.duration_seconds", knownvalue.NotNull(),
				"last_run.mode", "Quick",
				"last_run.attached", true,
				"last_run.passes", 1,
				"last_run.job_id", nil,
				"last_run.file_size_before_bytes", 10*gib,
				"last_run.file_size_after_bytes", 4*gib,
				"last_run.reclaimed_bytes", 6*gib,
				"last_run.reclaimed_percent", 60.0,
			),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, 512*mib)) },
			Config:    config, ConfigPlanChecks: emptyPlan(),
		},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, 1536*mib)) },
			Config:    config, ConfigPlanChecks: runPlanned("grew 2.0 GiB (50 %) since the last compaction"),
			ConfigStateChecks: inState(
				"file_size_bytes", 4*gib, "baseline_file_size_bytes", 4*gib, "growth_bytes", 0,
				"total_reclaimed_bytes", 8*gib, "last_run.reclaimed_bytes", 2*gib,
				"plan_reason", "grew 2.0 GiB (50 %) since the last compaction",
			),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Remove(diskPath)) },
			Config:    config, ConfigPlanChecks: created(),
			ExpectError: regexp.MustCompile("Unable to compact virtual hard disk"),
		},
		resource.TestStep{
			PreConfig: func() { sim.AddVHD(vhd()) },
			Config:    config,
		},
	)

	compactions(t, sim, 3)
	if v, ok := sim.VHD(diskPath); !ok || v.FileSize != 4*gib {
		t.Errorf("after destroy the file is there: %t, %d bytes; want it there with 4 GiB", ok, v.FileSize)
	}
	detached(t, sim)
}

// As on a real host: attaching and compacting are jobs that take their time.
func TestVHDCompactionResource_jobs(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) {
		v.Immediate, v.AttachImmediate = false, false
		v.UnlockedByPass = []int64{gib}
	})))
	config := providerFor(sim) + disk(settings{"max_passes": "5", "mode": `"Full"`})
	steps(t,
		resource.TestStep{
			Config: config,
			ConfigStateChecks: inState("status", "compacted", "last_run.passes", 4, "last_run.job_id", knownvalue.NotNull(),
				"last_run.mode", "Full", "last_run.attached", true, "last_run.reclaimed_bytes", 7*gib),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
	compactions(t, sim, 4)
}
