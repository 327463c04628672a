package provider_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

const (
	address  = "hyperv_vhd_compaction.disk"
	diskPath = `D:\VMs\web01.vhdx`

	mib = 1 << 20
	gib = 1 << 30
)

// factories serves the provider in this process, with an environment that holds
// only the pace of tests.
func factories() map[string]func() (tfprotov6.ProviderServer, error) {
	env := func(name string) (string, bool) { value, ok := pace[name]; return value, ok }
	return map[string]func() (tfprotov6.ProviderServer, error){
		"hyperv": providerserver.NewProtocol6WithError(provider.NewWithEnv("test", env)()),
	}
}

// steps runs the steps of a test against the real Terraform CLI. Most of the time goes into waiting
// for Terraform, so every fourth test is enough for the race detector.
func steps(t *testing.T, all ...resource.TestStep) {
	t.Helper()
	if !sample.Keeps(4, t.Name()) {
		t.Skip("no part of a sample") // see package sample
	}
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: factories(), Steps: all})
}

// vhd is a disk of 10 GiB of which 6 can be reclaimed while it is attached, and
// on which everything happens at once.
func vhd(change ...func(*hypervsim.VHD)) hypervsim.VHD {
	v := hypervsim.VHD{
		Path: diskPath, FileSize: 10 * gib, ReclaimableMounted: 6 * gib,
		Immediate: true, AttachImmediate: true,
	}
	for _, c := range change {
		c(&v)
	}
	return v
}

// host starts a simulated host and checks at the end that it is clean.
func host(t *testing.T, options ...hypervsim.Option) *hypervsim.Host {
	t.Helper()
	sim := hypervsim.RunT(t, options...)
	t.Cleanup(func() {
		for _, v := range sim.Violations() {
			t.Errorf("the host was treated badly: %s", v)
		}
	})
	return sim
}

// settings are attributes of a block, by name; they replace those of the default.
type settings map[string]string

func (s settings) render() string {
	var b strings.Builder
	for name, value := range s {
		if value != "" {
			fmt.Fprintf(&b, "  %s = %s\n", name, value)
		}
	}
	return b.String()
}

func (s settings) with(other ...settings) settings {
	all := settings{}
	for _, o := range append([]settings{s}, other...) {
		maps.Copy(all, o)
	}
	return all
}

// quote writes a string as HCL does.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// providerFor writes a provider block for a simulated host.
func providerFor(sim *hypervsim.Host, changes ...settings) string {
	all := settings{
		"host":     quote(sim.HostName()),
		"port":     fmt.Sprint(sim.Port()),
		"https":    "false",
		"username": quote(hypervsim.DefaultUser),
		"password": quote(hypervsim.DefaultPassword),
	}.with(changes...)
	return "provider \"hyperv\" {\n" + all.render() + "}\n"
}

// disk writes the resource under test.
func disk(changes ...settings) string {
	return named("disk", changes...)
}

func named(name string, changes ...settings) string {
	all := settings{"path": quote(diskPath)}.with(changes...)
	return "resource \"hyperv_vhd_compaction\" \"" + name + "\" {\n" + all.render() + "}\n"
}

// at returns the path of an attribute or of a member of one.
func at(name string) tfjsonpath.Path {
	first, rest, nested := strings.Cut(name, ".")
	p := tfjsonpath.New(first)
	if nested {
		p = p.AtMapKey(rest)
	}
	return p
}

// exactly turns a Go value into a check for it.
func exactly(value any) knownvalue.Check {
	switch v := value.(type) {
	case nil:
		return knownvalue.Null()
	case string:
		return knownvalue.StringExact(v)
	case bool:
		return knownvalue.Bool(v)
	case int:
		return knownvalue.Int64Exact(int64(v))
	case float64:
		return knownvalue.Float64Exact(v)
	case knownvalue.Check:
		return v
	}
	panic(fmt.Sprintf("no check for %T", value))
}

// inState checks attributes of the state, given as name and value in turn.
func inState(pairs ...any) []statecheck.StateCheck {
	var all []statecheck.StateCheck
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, statecheck.ExpectKnownValue(address, at(pairs[i].(string)), exactly(pairs[i+1])))
	}
	return all
}

// before checks a plan that is about to be applied.
func before(checks ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: checks}
}

// emptyPlan expects that nothing is due.
func emptyPlan() resource.ConfigPlanChecks { return before(plancheck.ExpectEmptyPlan()) }

// runPlanned expects a run in place for a reason that is known in the plan.
func runPlanned(reason string) resource.ConfigPlanChecks {
	return before(
		plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
		plancheck.ExpectKnownValue(address, at("plan_reason"), knownvalue.StringExact(reason)),
		plancheck.ExpectUnknownValue(address, at("status")),
	)
}

// updateWithoutRun expects an update that leaves the outputs as they are.
func updateWithoutRun() resource.ConfigPlanChecks {
	return before(
		plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
		plancheck.ExpectKnownValue(address, at("status"), knownvalue.NotNull()),
	)
}

// created expects a plan to create the resource.
func created() resource.ConfigPlanChecks {
	return before(
		plancheck.ExpectResourceAction(address, plancheck.ResourceActionCreate),
		plancheck.ExpectKnownValue(address, at("plan_reason"), knownvalue.StringExact("first run")),
	)
}

// leaveAttached lets every detach fail until letDetach.
func leaveAttached(t *testing.T, sim *hypervsim.Host) {
	t.Helper()
	sim.AddRule(hypervsim.Rule{Method: "DetachVirtualHardDisk", Times: -1, Effect: hypervsim.Fault(5, hypervsim.FaultFormAny)})
}

// letDetach ends what leaveAttached began.
func letDetach(sim *hypervsim.Host) { sim.ClearRules() }

// compactions checks how often the host was asked to compact.
func compactions(t *testing.T, sim *hypervsim.Host, want int) {
	t.Helper()
	if got := sim.Calls("CompactVirtualHardDisk"); got != want {
		t.Errorf("CompactVirtualHardDisk calls = %d, want %d", got, want)
	}
}

// detached checks that nothing is attached to the host.
func detached(t *testing.T, sim *hypervsim.Host) {
	t.Helper()
	if left := sim.Attachments(); len(left) != 0 {
		t.Errorf("attached: %v, want nothing", left)
	}
}

// must fails the test when arranging something failed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// knownKind expects a run in place whose disk is known to be of a kind.
func knownKind(format, kind string) resource.ConfigPlanChecks {
	return before(
		plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
		plancheck.ExpectUnknownValue(address, at("status")),
		plancheck.ExpectKnownValue(address, at("format"), exactly(format)),
		plancheck.ExpectKnownValue(address, at("vhd_type"), exactly(kind)),
	)
}
