package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// failsToCompact makes every compaction of a disk fail.
func failsToCompact(v *hypervsim.VHD) {
	v.CompactionFailure = &hypervsim.JobFailure{ErrorCode: 32768, CompletionStatus: 0x80070070}
	v.Immediate = false
	v.JobDuration = 1
}

// compactsAgain ends that.
func compactsAgain(v *hypervsim.VHD) { v.CompactionFailure = nil }

func cannotCompact(detail string) *regexp.Regexp {
	return regexp.MustCompile(`Unable to compact virtual hard disk[\s\S]*` + detail)
}

// A create that started nothing on the host leaves no state.
func TestVHDCompactionResource_createStartedNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []hypervsim.Option
		disk    settings
		want    string
	}{
		"missing file": {want: `32779`},
		"fixed disk": {
			options: []hypervsim.Option{hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Type = hypervsim.TypeFixed }))},
			want:    `fixed`,
		},
		"in use": {
			options: []hypervsim.Option{hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{Name: "sql01", State: hypervsim.VMRunning, Disks: []string{diskPath}})},
			want:    `sql01`,
		},
		"checkpoint": {
			options: []hypervsim.Option{hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{
				Name: "sql01", Disks: []string{`D:\VMs\sql01_1.avhdx`}, Checkpoints: []hypervsim.Checkpoint{{Name: "before", Disks: []string{diskPath}}},
			})},
			want: `in\s+use\s+by\s+virtual\s+machine\s+sql01\s+on\s+HYPERV01\s+\(checkpoint\)`,
		},
		"no Hyper-V role": {
			options: []hypervsim.Option{hypervsim.WithGenerations()},
			want:    `Install\s+the\s+Hyper-V\s+role`,
		},
		"mode on an old host": {
			options: []hypervsim.Option{hypervsim.WithGenerations(hypervsim.V1), hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Path = `D:\VMs\old.vhd` }))},
			disk:    settings{"path": quote(`D:\VMs\old.vhd`), "mode": `"Quick"`},
			want:    `takes\s+no\s+mode`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, test.options...)
			config := providerFor(sim) + disk(test.disk)
			steps(t,
				resource.TestStep{Config: config, ConfigPlanChecks: created(), ExpectError: cannotCompact(test.want)},
				resource.TestStep{Config: config, ConfigPlanChecks: created(), ExpectError: cannotCompact(test.want)},
			)
			compactions(t, sim, 0)
		})
	}
}

// A create that started something is in the state, tainted by Terraform; the
// next one takes over what it finds on the host.
func TestVHDCompactionResource_createStartedSomething(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(failsToCompact)))
	config := providerFor(sim) + disk()
	steps(t,
		resource.TestStep{Config: config, ConfigPlanChecks: created(), ExpectError: cannotCompact(`Job:[\s\S]*0x80070070`)},
		resource.TestStep{
			PreConfig:         func() { must(t, sim.Change(diskPath, compactsAgain)) },
			Config:            config,
			ConfigPlanChecks:  before(plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace)),
			ConfigStateChecks: inState("status", "compacted", "total_reclaimed_bytes", 6*gib),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
	compactions(t, sim, 2)
}

func TestVHDCompactionResource_createInterruptedByTimeout(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) {
		v.Immediate, v.JobDuration, v.NotCancellable = false, 4_000_000_000, true
	})))
	config := func(timeout string) string {
		return providerFor(sim) + disk(settings{"timeouts": `{ create = ` + quote(timeout) + ` }`, "attach_read_only": "false", "mode": `"Full"`})
	}
	steps(t,
		resource.TestStep{Config: config("300ms"), ExpectError: cannotCompact(`interrupted`)},
		resource.TestStep{Config: config("1m"), ConfigStateChecks: inState("last_run.passes", 1)},
	)
}

// A failed update keeps the inputs that asked for the run, so that the next plan asks again.
func TestVHDCompactionResource_updateFails(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := func(month string) string {
		return providerFor(sim) + disk(settings{"triggers": `{ month = ` + quote(month) + ` }`, "mode": `"Full"`, "max_passes": `2`})
	}
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk(settings{"triggers": `{ month = "11" }`})},
		resource.TestStep{
			PreConfig:        func() { must(t, sim.Change(diskPath, failsToCompact)) },
			Config:           config("12"),
			ConfigPlanChecks: runPlanned("mode changed from the default to Full; triggers changed: month"),
			ExpectError:      cannotCompact(`0x80070070`),
		},
		resource.TestStep{
			RefreshState: true, ExpectNonEmptyPlan: true,
		},
		resource.TestStep{
			PreConfig:         func() { must(t, sim.Change(diskPath, compactsAgain)) },
			Config:            config("12"),
			ConfigPlanChecks:  runPlanned("the last run failed (see status_detail); mode changed from the default to Full; triggers changed: month"),
			ConfigStateChecks: inState("triggers.month", "12", "mode", "Full", "max_passes", 2, "status", "unchanged"),
		},
		resource.TestStep{Config: config("12"), ConfigPlanChecks: emptyPlan()},
	)
	compactions(t, sim, 4)
}

func TestVHDCompactionResource_failedThenFixedWithoutChange(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk()
	steps(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				must(t, sim.Grow(diskPath, 4*gib))
				must(t, sim.Change(diskPath, failsToCompact))
			},
			Config: config, ExpectError: cannotCompact(`0x80070070`),
		},
		resource.TestStep{
			PreConfig:        func() { must(t, sim.Change(diskPath, compactsAgain)) },
			Config:           config,
			ConfigPlanChecks: runPlanned("the last run failed (see status_detail)"), // the baseline has moved
		},
	)
}

// Only a proven absence of the file removes the resource.
func TestVHDCompactionResource_volumeGone(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk()
	steps(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() { sim.RemoveVolume("D:") },
			Config:    config, ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("file_size_bytes", 4*gib, "status", "compacted"),
		},
		resource.TestStep{
			PreConfig: func() { sim.RestoreVolume("D:") },
			Config:    config, ConfigPlanChecks: emptyPlan(),
		},
	)
	compactions(t, sim, 1)
}

// The directory in which a volume is mounted answers while the volume is offline: that does not
// prove that the file in it is gone. A refresh keeps the disk, and a run reports the cause.
func TestVHDCompactionResource_mountedVolumeGone(t *testing.T) {
	t.Parallel()
	const mount = `D:\Mounts\fast`
	sim := host(t)
	sim.MountVolume(mount)
	sim.AddVHD(vhd(func(v *hypervsim.VHD) { v.Path = mount + `\web01.vhdx` }))
	config := func(trigger string) string {
		return providerFor(sim) + disk(settings{"path": quote(mount + `\web01.vhdx`), "triggers": "{ now = " + quote(trigger) + " }"})
	}
	steps(t,
		resource.TestStep{Config: config("1")},
		resource.TestStep{
			PreConfig: func() { sim.SetMountOnline(mount, false) },
			Config:    config("1"), ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("file_size_bytes", 4*gib, "status", "compacted"),
		},
		resource.TestStep{Config: config("2"), ExpectError: cannotCompact(`that\s+it\s+is\s+gone\s+is\s+not\s+proven`)},
		resource.TestStep{
			PreConfig: func() { sim.SetMountOnline(mount, true) },
			Config:    config("2"), ConfigPlanChecks: runPlanned("the last run failed (see status_detail); triggers changed: now"),
		},
	)
	compactions(t, sim, 2)
}

// A host that does not answer delays a refresh no longer than timeouts.read.
func TestVHDCompactionResource_refreshTimeout(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim) + disk(settings{"timeouts": `{ read = "3s" }`})
	steps(t,
		resource.TestStep{Config: config},
		resource.TestStep{
			PreConfig: func() {
				sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskState", Effect: hypervsim.Hang()})
			},
			Config: config, ExpectError: regexp.MustCompile(`Unable to read virtual hard disk[\s\S]*time\s+limit\s+of\s+timeouts.read\s+\(3s\)\s+is\s+over`),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
}

func TestVHDCompactionResource_wrongPassword(t *testing.T) {
	t.Parallel()
	disks := []hypervsim.VHD{vhd(), vhd(func(v *hypervsim.VHD) { v.Path = `D:\VMs\b.vhdx` }), vhd(func(v *hypervsim.VHD) { v.Path = `D:\VMs\c.vhdx` })}
	sim := host(t, hypervsim.WithVHD(disks...))
	config := providerFor(sim, settings{"password": `"not the password"`}) + disk() +
		named("b", settings{"path": quote(`D:\VMs\b.vhdx`)}) + named("c", settings{"path": quote(`D:\VMs\c.vhdx`)})
	steps(t, resource.TestStep{
		Config:      config,
		ExpectError: regexp.MustCompile(`Unable to compact virtual hard disk[\s\S]*first\s+error\s+for\s+this\s+host[\s\S]*says\s+more`),
	})
	if got := sim.FailedLogons(); got != 1 {
		t.Errorf("failed logons = %d, want 1 for three disks", got)
	}
}

func TestVHDCompactionResource_wrongPasswordAtRefresh(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(), vhd(func(v *hypervsim.VHD) { v.Path = `D:\VMs\b.vhdx` })))
	config := func(password string) string {
		return providerFor(sim, settings{"password": quote(password)}) + disk() + named("b", settings{"path": quote(`D:\VMs\b.vhdx`)})
	}
	steps(t,
		resource.TestStep{Config: config(hypervsim.DefaultPassword)},
		resource.TestStep{
			Config:      config("not the password"),
			ExpectError: regexp.MustCompile(`Unable to read virtual hard disk[\s\S]*first\s+error\s+for\s+this\s+host`),
		},
		resource.TestStep{Config: config(hypervsim.DefaultPassword), ConfigPlanChecks: emptyPlan()},
	)
	if got := sim.FailedLogons(); got != 1 {
		t.Errorf("failed logons = %d, want 1 for two disks", got)
	}
}
