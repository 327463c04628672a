package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// imports is a step that takes a disk into the state for the steps after it.
func imports(config, id string) resource.TestStep {
	return resource.TestStep{Config: config, ResourceName: address, ImportState: true, ImportStateId: id, ImportStatePersist: true}
}

func TestVHDCompactionResource_importThenNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ prefix, host string }{
		"by path":                {prefix: ""},
		"by host, which is kept": {prefix: "127.0.0.1|", host: `"127.0.0.1"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()))
			config := providerFor(sim) + disk(settings{"host": test.host})
			steps(t,
				imports(config, test.prefix+diskPath),
				resource.TestStep{
					Config: config, ConfigPlanChecks: emptyPlan(),
					ConfigStateChecks: inState("status", "imported", "file_size_bytes", 10*gib, "baseline_file_size_bytes", 10*gib,
						"growth_bytes", 0, "total_reclaimed_bytes", 0, "last_run", nil, "left_attached", false,
						"id", "127.0.0.1|"+diskPath, "if_in_use", "fail", "max_passes", 1),
				},
				resource.TestStep{
					PreConfig: func() { must(t, sim.Grow(diskPath, 4*gib)) },
					Config:    config, ConfigPlanChecks: runPlanned("grew 4.0 GiB (40 %) since the import"),
					ConfigStateChecks: inState("status", "compacted", "baseline_file_size_bytes", 4*gib),
				},
			)
			compactions(t, sim, 1)
		})
	}
}

// The first plan after an import takes the inputs that ask for a run as they
// are; from then on they ask for one.
func TestVHDCompactionResource_importThenInputs(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := func(month string) string {
		return providerFor(sim) + disk(settings{"mode": `"Full"`, "attach_read_only": "true", "triggers": `{ month = ` + quote(month) + ` }`})
	}
	steps(t,
		imports(config("11"), diskPath),
		resource.TestStep{
			Config: config("11"), ConfigPlanChecks: updateWithoutRun(),
			ConfigStateChecks: inState("status", "imported", "mode", "Full", "triggers.month", "11"),
		},
		resource.TestStep{Config: config("11"), ConfigPlanChecks: emptyPlan()},
		resource.TestStep{Config: config("12"), ConfigPlanChecks: runPlanned("triggers changed: month")},
	)
	compactions(t, sim, 1)
}

func TestVHDCompactionResource_importFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ id, host, want string }{
		"missing file":  {id: `D:\VMs\other.vhdx`, host: `"127.0.0.1"`, want: `non-existent`},
		"relative path": {id: `web01.vhdx`, host: `"127.0.0.1"`, want: `relative`},
		"bad host":      {id: `https://hv01|` + diskPath, want: `Remove\s+the\s+scheme`},
		"no host":       {id: diskPath, want: `HYPERV_HOST`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()))
			step := imports(providerFor(sim, settings{"host": test.host})+disk(), test.id)
			step.ExpectError = regexp.MustCompile(test.want)
			step.ImportStatePersist = false
			steps(t, step)
		})
	}
}

// A disk imported without a host belongs to the provider's, by whatever name: its
// growth still counts from the import.
func TestVHDCompactionResource_importThenProviderHostRenamed(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	renamed := providerFor(sim, settings{"host": `"localhost"`}) + disk()
	steps(t,
		imports(providerFor(sim)+disk(), diskPath),
		resource.TestStep{Config: renamed, ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("host", nil)},
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, 4*gib)) },
			Config:    renamed, ConfigPlanChecks: runPlanned("grew 4.0 GiB (40 %) since the import"),
		},
	)
}

// A disk imported with its host stays there, and is refreshed there.
func TestVHDCompactionResource_importThenOwnHostStays(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim, settings{"host": `"hv02.invalid"`}) + disk(settings{"host": `"127.0.0.1"`})
	steps(t,
		imports(config, "127.0.0.1|"+diskPath),
		resource.TestStep{
			PreConfig: func() { must(t, sim.Grow(diskPath, 4*gib)) },
			Config:    config, ConfigPlanChecks: runPlanned("grew 4.0 GiB (40 %) since the import"),
		},
	)
}

// An import learns which disk it is and on which node, so that the name of the host may lead to
// another one later: a file that is absent there is not gone.
func TestVHDCompactionResource_importLearnsTheNode(t *testing.T) {
	t.Parallel()
	const id = "0E5D4F1A-5B0A-4B0E-9F10-2C8D3E5B7A01"
	one := host(t, hypervsim.WithComputerName("NODE1"), hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.VirtualDiskID = id })))
	two := host(t, hypervsim.WithComputerName("NODE2"))
	two.AddDirectory(`D:\VMs`)
	known := inState("status", "imported", "node", "NODE1", "virtual_disk_id", id)
	steps(t,
		imports(providerFor(one)+disk(), diskPath),
		resource.TestStep{Config: providerFor(one) + disk(), ConfigPlanChecks: emptyPlan(), ConfigStateChecks: known},
		resource.TestStep{Config: providerFor(two) + disk(), ConfigPlanChecks: emptyPlan(), ConfigStateChecks: known},
	)
}
