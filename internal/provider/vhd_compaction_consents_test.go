package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// primary is a host with a disk that Hyper-V Replica replicates from there.
func primary(t *testing.T) *hypervsim.Host {
	t.Helper()
	return host(t, hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{Name: "web01", Replication: 1, Disks: []string{diskPath}}))
}

// consentLearned writes a disk whose consent is known only after another resource was applied, and
// that resource.
func consentLearned(answer string, changes ...settings) string {
	return "resource \"terraform_data\" \"consent\" {\n  input = " + quote(answer) + "\n}\n" +
		disk(append(changes, settings{"allow_replicated": `terraform_data.consent.output == "yes"`})...)
}

// reasonUnknown expects an action for a reason that is known only during the apply.
func reasonUnknown(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return before(plancheck.ExpectResourceAction(address, action), plancheck.ExpectUnknownValue(address, at("plan_reason")))
}

// What a run costs a replicated machine belongs to its reason, which is not known before the
// consent is.
func TestVHDCompactionResource_unknownConsent(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	full := settings{"mode": `"Full"`}
	steps(t,
		resource.TestStep{
			Config:            providerFor(sim) + consentLearned("yes"),
			ConfigPlanChecks:  reasonUnknown(plancheck.ResourceActionCreate),
			ConfigStateChecks: inState("plan_reason", "first run; a replicated machine is resynchronised afterwards"),
		},
		resource.TestStep{Config: providerFor(sim) + consentLearned("yes"), ConfigPlanChecks: emptyPlan()},
		resource.TestStep{
			Config:            providerFor(sim) + consentLearned("indeed", full),
			ConfigPlanChecks:  reasonUnknown(plancheck.ResourceActionUpdate),
			ConfigStateChecks: inState("plan_reason", "mode changed from the default to Full"),
		},
		resource.TestStep{ // a consent alone asks for no run
			Config: providerFor(sim) + consentLearned("yes", full), ConfigPlanChecks: updateWithoutRun(),
		},
	)
	compactions(t, sim, 2)
}

// A consent that may be given asks for a run of a disk that was left alone without it, or for none.
func TestVHDCompactionResource_unknownConsentAfterSkip(t *testing.T) {
	t.Parallel()
	sim := primary(t)
	skip := settings{"if_in_use": `"skip"`}
	steps(t,
		resource.TestStep{Config: providerFor(sim) + disk(skip), ConfigStateChecks: inState("status", "skipped_dependents")},
		resource.TestStep{
			Config:            providerFor(sim) + consentLearned("no", skip),
			ConfigPlanChecks:  reasonUnknown(plancheck.ResourceActionUpdate),
			ConfigStateChecks: inState("status", "skipped_dependents", "plan_reason", "first run"),
		},
		resource.TestStep{
			Config:            providerFor(sim) + consentLearned("yes", skip),
			ConfigPlanChecks:  reasonUnknown(plancheck.ResourceActionUpdate),
			ConfigStateChecks: inState("status", "compacted", "plan_reason", "allow_replicated was set; a replicated machine is resynchronised afterwards"),
		},
		resource.TestStep{Config: providerFor(sim) + consentLearned("yes", skip), ConfigPlanChecks: emptyPlan()},
	)
	compactions(t, sim, 1)
}

// A consent that is given while the host is unreachable asks for its run once the host answers. One
// that was withdrawn by then lets nothing through.
func TestVHDCompactionResource_consentWhileUnreachable(t *testing.T) {
	t.Parallel()
	skip, consent := settings{"if_in_use": `"skip"`, "if_unreachable": `"skip"`}, settings{"allow_replicated": "true"}
	for name, test := range map[string]struct {
		then settings
		ends string
		runs int
	}{
		"and kept":      {then: consent, ends: "compacted", runs: 1},
		"and withdrawn": {then: nil, ends: "skipped_dependents", runs: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := primary(t)
			down := providerFor(sim, settings{"port": closedPort(t)})
			steps(t,
				resource.TestStep{Config: providerFor(sim) + disk(skip), ConfigStateChecks: inState("status", "skipped_dependents")},
				resource.TestStep{Config: down + disk(skip, consent), ConfigPlanChecks: updateWithoutRun()},
				resource.TestStep{Config: down + disk(skip, consent), ConfigPlanChecks: emptyPlan()},
				resource.TestStep{Config: providerFor(sim) + disk(skip, test.then), ConfigStateChecks: inState("status", test.ends)},
				resource.TestStep{Config: providerFor(sim) + disk(skip, test.then), ConfigPlanChecks: emptyPlan()},
			)
			compactions(t, sim, test.runs)
		})
	}
}
