package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// Format and type stay known in the plan of a later run. A run that finds a disk of
// another kind sends nothing and ends with an error; the state stays, and the next
// plan takes the disk as it is.
func TestVHDCompactionResource_anotherKind(t *testing.T) {
	t.Parallel()
	for name, become := range map[string]func(*hypervsim.VHD){
		"another format": func(v *hypervsim.VHD) { v.Format = hypervsim.FormatVHD },
		"another type":   func(v *hypervsim.VHD) { v.Type, v.ParentPath = hypervsim.TypeDifferencing, `D:\VMs\parent.vhdx` },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd(), vhd(func(v *hypervsim.VHD) { v.Path = `D:\VMs\parent.vhdx` })))
			config := func(month string) string {
				return providerFor(sim) + disk(settings{"triggers": "{ month = " + quote(month) + " }"})
			}
			before := 0
			steps(t,
				resource.TestStep{Config: config("1"), ConfigStateChecks: inState("format", "vhdx", "vhd_type", "dynamic")},
				resource.TestStep{
					PreConfig:        func() { must(t, sim.Change(diskPath, become)); before = sim.Compactions(diskPath) },
					Config:           config("2"),
					ConfigPlanChecks: knownKind("vhdx", "dynamic"),
					ExpectError:      cannotCompact(`nothing\s+was\s+sent[\s\S]*apply\s+again`),
				},
				resource.TestStep{
					PreConfig: func() {
						if got := sim.Compactions(diskPath); got != before {
							t.Errorf("%d compactions, want %d: nothing may be sent", got, before)
						}
					},
					Config:            config("2"),
					ConfigPlanChecks:  runPlanned("the last run failed (see status_detail); triggers changed: month"),
					ConfigStateChecks: inState("last_run.passes", 1),
				},
				resource.TestStep{Config: config("2"), ConfigPlanChecks: emptyPlan()},
			)
		})
	}
}

// The plan says that what Terraform calls a destruction keeps the file.
func TestCLI_destroyOnlyForgets(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newCLI(t)
	c.write(providerFor(sim) + disk())
	c.expect(0, "apply", "-auto-approve")
	const warning = "Warning: Virtual hard disk only forgotten, its file stays"
	contains(t, c.expect(0, "plan", "-destroy"), "1 to destroy", warning)
	c.write(providerFor(sim))
	contains(t, c.expect(0, "plan"), "1 to destroy", warning, diskPath)
	c.expect(0, "apply", "-auto-approve")
	if len(sim.VHDs()) != 1 {
		t.Error("the file is gone")
	}
}

// The plan says that a destroy ends the attachment that a run has left.
func TestCLI_destroyDetaches(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newCLI(t)
	c.write(providerFor(sim) + disk())
	leaveAttached(t, sim)
	c.run("apply", "-auto-approve")
	letDetach(sim)
	if len(sim.Attachments()) != 1 {
		t.Fatalf("attachments %+v, want one that was left", sim.Attachments())
	}
	contains(t, c.expect(0, "plan", "-destroy"), "Warning: Virtual hard disk detached, its file stays")
	c.expect(0, "destroy", "-auto-approve")
	if len(sim.Attachments()) != 0 {
		t.Errorf("attachments %+v, want none", sim.Attachments())
	}
}
