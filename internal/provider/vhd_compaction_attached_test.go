package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// A run that was killed with its process is in no state. What it left attached is
// seen by the next refresh, and given back by the run that it asks for. A refresh
// alone does not make it ours: a destroy leaves it alone.
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

// A disk that its last run did not attach is attached by somebody else, and one
// with write access is never ours.
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
