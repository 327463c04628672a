package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

func TestVHDCompactionResource_spellingOfPath(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk()},
		resource.TestStep{
			Config:           providerFor(sim) + disk(settings{"path": quote(`d:/vms//WEB01.VHDX`)}),
			ConfigPlanChecks: emptyPlan(), ConfigStateChecks: inState("path", diskPath),
		},
	)
	compactions(t, sim, 1)
}

func TestVHDCompactionResource_otherPathReplaces(t *testing.T) {
	t.Parallel()
	const other = `D:\VMs\web02.vhdx`
	sim := host(t, hypervsim.WithVHD(vhd(), vhd(func(v *hypervsim.VHD) { v.Path = other })))
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk()},
		resource.TestStep{
			Config:            providerFor(sim) + disk(settings{"path": quote(other)}),
			ConfigPlanChecks:  before(plancheck.ExpectResourceAction(address, plancheck.ResourceActionReplace)),
			ConfigStateChecks: inState("path", other, "id", sim.HostName()+"|"+other),
		},
	)
	compactions(t, sim, 2)
}

func TestVHDCompactionResource_inputsThatRun(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := func(s settings) string { return providerFor(sim) + disk(s) }
	steps(t,
		resource.TestStep{Config: config(settings{"mode": `"Full"`}), ConfigStateChecks: inState("last_run.mode", "Full")},
		resource.TestStep{
			Config:            config(nil),
			ConfigPlanChecks:  runPlanned("mode changed from Full to the default"),
			ConfigStateChecks: inState("mode", nil, "status", "unchanged", "last_run.mode", "Quick"),
		},
		resource.TestStep{
			Config:            config(settings{"attach_read_only": "false"}),
			ConfigPlanChecks:  runPlanned("attach_read_only changed"),
			ConfigStateChecks: inState("last_run.attached", false),
		},
		resource.TestStep{
			Config:           config(settings{"attach_read_only": "false", "triggers": `{ month = "2026-11" }`}),
			ConfigPlanChecks: runPlanned("triggers changed: month"),
		},
		resource.TestStep{
			Config:           config(settings{"attach_read_only": "false", "triggers": `{ month = "2026-12" }`, "mode": `"Prezeroed"`}),
			ConfigPlanChecks: runPlanned("mode changed from the default to Prezeroed; triggers changed: month"),
		},
		resource.TestStep{
			Config:           config(nil),
			ConfigPlanChecks: runPlanned("mode changed from Prezeroed to the default; attach_read_only changed; triggers changed: month"),
		},
	)
	compactions(t, sim, 6)
}

func TestVHDCompactionResource_inputsThatDoNotRun(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	other := settings{
		"if_in_use": `"skip"`, "if_unreachable": `"skip"`, "allow_replicated": "true", "max_passes": "3",
		"min_file_size_bytes": "1024", "recompact_on_growth": "false", "recompact_growth_bytes": "1",
		"recompact_growth_percent": "1", "timeouts": `{ create = "1h", update = "2h", read = "1m" }`,
	}
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk()},
		resource.TestStep{
			Config: providerFor(sim) + disk(other), ConfigPlanChecks: updateWithoutRun(),
			ConfigStateChecks: inState("timeouts.update", "2h", "status", "compacted", "plan_reason", "first run"),
		},
		resource.TestStep{Config: providerFor(sim) + disk(other), ConfigPlanChecks: emptyPlan()},
		resource.TestStep{Config: providerFor(sim) + disk(), ConfigPlanChecks: updateWithoutRun()},
	)
	compactions(t, sim, 1)
}

// A value that is known only during apply may or may not ask for a run. The plan
// says that it does not know.
func TestVHDCompactionResource_unknownInputs(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := func(value string) string {
		return providerFor(sim) + "resource \"terraform_data\" \"version\" {\n  input = " + quote(value) + "\n}\n" +
			disk(settings{"triggers": "{ version = terraform_data.version.output }"})
	}
	steps(t,
		resource.TestStep{Config: config("1"), ConfigPlanChecks: created()},
		resource.TestStep{Config: config("1"), ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			Config: config("2"),
			ConfigPlanChecks: before(
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
				plancheck.ExpectUnknownValue(address, at("plan_reason")),
			),
			ConfigStateChecks: inState("plan_reason", "triggers changed: version"),
		},
	)
	compactions(t, sim, 2)
}

func TestVHDCompactionResource_unknownThatStaysTheSame(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := func(value string) string {
		return providerFor(sim) + "resource \"terraform_data\" \"version\" {\n  input = " + quote(value) + "\n}\n" +
			disk(settings{"triggers": "{ length = tostring(length(terraform_data.version.output)) }"})
	}
	steps(t,
		resource.TestStep{Config: config("1")},
		resource.TestStep{Config: config("2"), ConfigStateChecks: inState("plan_reason", "first run")},
	)
	compactions(t, sim, 1)
}

func TestVHDCompactionResource_unknownPathAndHost(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := providerFor(sim, settings{"host": ""}) + `
resource "terraform_data" "vm" {
  input = { path = ` + quote(diskPath) + `, host = ` + quote(sim.HostName()) + ` }
}
` + disk(settings{"path": "terraform_data.vm.output.path", "host": "terraform_data.vm.output.host"})
	steps(t,
		resource.TestStep{
			Config: config,
			ConfigPlanChecks: before(
				plancheck.ExpectUnknownValue(address, at("id")),
				plancheck.ExpectKnownValue(address, at("plan_reason"), knownvalue.StringExact("first run")),
			),
			ConfigStateChecks: inState("id", sim.HostName()+"|"+diskPath),
		},
		resource.TestStep{Config: config, ConfigPlanChecks: emptyPlan()},
	)
}

// A provider block may depend on a resource that does not exist yet.
func TestVHDCompactionResource_unknownProviderConfiguration(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	config := func(generation string) string {
		return `
resource "terraform_data" "host" {
  input            = { name = ` + quote(sim.HostName()) + `, password = ` + quote(hypervsim.DefaultPassword) + `, attach = true, generation = ` + quote(generation) + ` }
}
` + providerFor(sim, settings{
			"host":         "terraform_data.host.output.name",
			"password":     "terraform_data.host.output.password",
			"allow_attach": "terraform_data.host.output.attach",
		}) + disk()
	}
	steps(t,
		resource.TestStep{
			Config:            config("1"),
			ConfigPlanChecks:  before(plancheck.ExpectUnknownValue(address, at("id"))),
			ConfigStateChecks: inState("host", nil, "id", sim.HostName()+"|"+diskPath, "status", "compacted"),
		},
		resource.TestStep{Config: config("1"), ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			Config:           config("2"),
			ConfigPlanChecks: before(plancheck.ExpectResourceAction(address, plancheck.ResourceActionNoop)),
		},
	)
	compactions(t, sim, 1)
}

func TestVHDCompactionResource_invalidInputs(t *testing.T) {
	t.Parallel()
	path := func(s string) settings { return settings{"path": quote(s)} }
	for name, test := range map[string]struct {
		provider, disk settings
		want           string
	}{
		"relative path":       {disk: path(`VMs\web01.vhdx`), want: `relative`},
		"drive without root":  {disk: path(`D:web01.vhdx`), want: `relative`},
		"wildcard":            {disk: path(`D:\VMs\*.vhdx`), want: `wildcard`},
		"forbidden character": {disk: path(`D:\VMs\web<01.vhdx`), want: `forbids`},
		"avhdx":               {disk: path(`D:\VMs\web01.avhdx`), want: `checkpoint`},
		"vhds":                {disk: path(`D:\VMs\web01.vhds`), want: `VHD\s+Set`},
		"iso":                 {disk: path(`D:\VMs\web01.iso`), want: `disc\s+image`},
		"empty path":          {disk: path(``), want: `is\s+empty`},
		"unknown mode":        {disk: settings{"mode": `"Thorough"`}, want: `mode is "Thorough"\. Allowed: one of\s+Full`},
		"mode in lower case":  {disk: settings{"mode": `"full"`}, want: `Write Full`},
		"if_in_use":           {disk: settings{"if_in_use": `"wait"`}, want: `if_in_use is "wait"\. Allowed: one of\s+fail,\s+skip`},
		"if_unreachable":      {disk: settings{"if_unreachable": `"ignore"`}, want: `if_unreachable is\s+"ignore"`},
		"Retrim unattached":   {disk: settings{"mode": `"Retrim"`, "attach_read_only": "false"}, want: `attach_read_only is "false"`},
		"parent, no mode":     {disk: settings{"allow_parent": "true"}, want: `allow_parent is "true"`},
		"parent, Full":        {disk: settings{"allow_parent": "true", "mode": `"Full"`}, want: `mode = "Prezeroed"`},
		"parent attached":     {disk: settings{"allow_parent": "true", "mode": `"Prezeroed"`, "attach_read_only": "true"}, want: `allow_parent is "true"`},
		"node with a port":    {provider: settings{"cluster_nodes": `{ HV02 = "hv02:5986" }`}, want: `cluster_nodes\["HV02"\] is "hv02:5986"[\s\S]*Remove the port`},
		"node without a name": {provider: settings{"cluster_nodes": `{ "" = "hv02" }`}, want: `name\s+of\s+a\s+node`},
		"one node twice":      {provider: settings{"cluster_nodes": `{ HV02 = "hv02", "hv02.example.com" = "192.0.2.2" }`}, want: `one\s+node`},
		"attach forbidden":    {provider: settings{"allow_attach": "false"}, disk: settings{"attach_read_only": "true"}, want: `attach_read_only is true`},
		"Retrim, no attach":   {provider: settings{"allow_attach": "false"}, disk: settings{"mode": `"Retrim"`}, want: `mode is Retrim`},
		"negative minimum":    {disk: settings{"min_file_size_bytes": "-1"}, want: `min_file_size_bytes`},
		"negative growth":     {disk: settings{"recompact_growth_bytes": "-1"}, want: `recompact_growth_bytes`},
		"negative percent":    {disk: settings{"recompact_growth_percent": "-1"}, want: `recompact_growth_percent`},
		"no pass":             {disk: settings{"max_passes": "0"}, want: `max_passes`},
		"six passes":          {disk: settings{"max_passes": "6"}, want: `max_passes`},
		"no host":             {provider: settings{"host": ""}, want: `HYPERV_HOST`},
		"path with quotes":    {disk: path(`"D:\VMs\web01.vhdx"`), want: `without the quotes`},
		"path with a mark":    {disk: path("\u202aD:\\VMs\\web01.vhdx"), want: `U\+202A`},
		"two hosts":           {disk: settings{"host": `"hv01,hv02"`}, want: `U\+002C`},
		"host with scheme":    {disk: settings{"host": `"https://hv01"`}, want: `Remove the scheme`},
		"host with port":      {disk: settings{"host": `"hv01:5986"`}, want: `Remove the port`},
		"bad duration":        {disk: settings{"timeouts": `{ create = "8 hours" }`}, want: `timeouts\.create is "8 hours"`},
		"negative duration":   {disk: settings{"timeouts": `{ update = "-8h" }`}, want: `timeouts\.update is "-8h"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()))
			refused(t, sim, test.provider, test.want, func(s server) []*tfprotov6.Diagnostic {
				return s.planned(written(t, settings{"path": quote(diskPath)}.with(test.disk), s.schema.ResourceSchemas[compactionName]))
			})
			if got := sim.Exchanges(); got != 0 {
				t.Errorf("%d exchanges with the host, want none before an apply", got)
			}
		})
	}
}
