package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// A run that was killed with its process is in no state. The disk that it left attached is seen by
// the next refresh, and detached by the run for which that asks. A refresh alone does not make the
// attachment ours: a destroy leaves it alone.
func TestVHDCompactionResource_attachedByAKilledRun(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk()
	steps(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig:         func() { must(t, sim.Attach(diskPath, true)) },
			Config:            config,
			ConfigPlanChecks:  runPlanned("the disk is attached read-only to the host, as a run that was killed leaves it"),
			ConfigStateChecks: inState("status", "unchanged", "left_attached", false),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			PreConfig: func() {
				detached(t, sim)
				must(t, sim.Attach(diskPath, true))
			},
			Config: config, Destroy: true,
		},
	)
	if got := len(sim.Attachments()); got != 1 {
		t.Errorf("attachments = %d, want the one that nobody here is known to have made", got)
	}
}

// A disk that a killed run left attached is detached although the file is below the minimum size by
// now, and asks for no other run.
func TestVHDCompactionResource_attachedBelowTheMinimum(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk(settings{"min_file_size_bytes": "6442450944"})
	steps(t,
		resource.TestStep{Config: config, ConfigStateChecks: inState("status", "compacted", "file_size_bytes", 4*gib)},
		resource.TestStep{
			PreConfig:         func() { must(t, sim.AttachFor("killed", diskPath)) },
			Config:            config,
			ConfigPlanChecks:  runPlanned("the disk is attached read-only to the host, as a run that was killed leaves it"),
			ConfigStateChecks: inState("status", "unchanged", "left_attached", false),
		},
		resource.TestStep{
			PreConfig: func() { detached(t, sim) },
			Config:    config, ConfigPlanChecks: emptyPlan(),
		},
	)
}

// A disk on which others depend is compacted by no run, so that no run can find out which client
// holds an attachment of it: that is reported once, and not planned forever.
func TestVHDCompactionResource_attachedAndDependedOn(t *testing.T) {
	t.Parallel()
	const clone = `D:\VMs\clone01.vhdx`
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk(settings{"if_in_use": `"skip"`})
	steps(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				must(t, sim.AttachFor("killed", diskPath))
				sim.AddVHD(hypervsim.VHD{Path: clone, Type: hypervsim.TypeDifferencing, ParentPath: diskPath})
				sim.AddVM(hypervsim.VM{Name: "clone01", Disks: []string{clone}})
			},
			Config:            config,
			ConfigPlanChecks:  runPlanned("the disk is attached read-only to the host, as a run that was killed leaves it"),
			ConfigStateChecks: inState("status", "skipped_dependents", "left_attached", false),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
	if got := len(sim.Attachments()); got != 1 {
		t.Errorf("attachments = %d, want the one that nobody here is known to have made", got)
	}
}

// A disk that its last run did not attach is attached by another client, and
// one with write access is never ours.
func TestVHDCompactionResource_attachedBySomebodyElse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		disk     settings
		readOnly bool
	}{
		"last run unattached": {disk: settings{"attach_read_only": "false"}, readOnly: true},
		"with write access":   {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()))
			config := providerFor(sim) + disk(test.disk)
			steps(t,
				resource.TestStep{Config: config},
				resource.TestStep{
					PreConfig: func() { must(t, sim.Attach(diskPath, test.readOnly)) },
					Config:    config, ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("left_attached", false),
				},
			)
			if got := len(sim.Attachments()); got != 1 {
				t.Errorf("attachments = %d, want somebody's one", got)
			}
		})
	}
}
