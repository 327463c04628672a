package provider_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// accDisk names a disk of the host under test that no virtual machine uses; its
// content is kept, its file may shrink.
const accDisk = "HYPERV_ACC_VHD"

// TestAccVHDCompactionResource_lifecycle compacts a disk of a real host, which
// the environment names as it does for everybody.
func TestAccVHDCompactionResource_lifecycle(t *testing.T) {
	t.Parallel()
	file := os.Getenv(accDisk)
	if file == "" {
		t.Skip("set " + accDisk + " to a dynamic disk that no virtual machine uses")
	}
	config := func(changes ...settings) string {
		return disk(append([]settings{{"path": quote(file)}}, changes...)...)
	}
	ran := knownvalue.StringRegexp(regexp.MustCompile("^(compacted|unchanged)$"))

	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"hyperv": providerserver.NewProtocol6WithError(provider.New("test")()),
		},
		Steps: []resource.TestStep{
			{
				Config: config(), ConfigPlanChecks: created(),
				ConfigStateChecks: inState(
					"status", ran, "left_attached", false,
					"file_size_bytes", knownvalue.NotNull(), "last_run.file_size_after_bytes", knownvalue.NotNull(),
				),
			},
			{Config: config(), ConfigPlanChecks: emptyPlan()},
			{
				Config: config(settings{"triggers": `{ again = "1" }`}), ConfigPlanChecks: runPlanned("triggers changed"),
				ConfigStateChecks: inState("status", ran, "left_attached", false),
			},
			{
				Config:            config(settings{"triggers": `{ again = "1" }`, "mode": `"Prezeroed"`}),
				ConfigPlanChecks:  before(plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)),
				ConfigStateChecks: inState("status", ran, "last_run.mode", "Prezeroed", "last_run.attached", false),
			},
			{
				ResourceName: address, ImportState: true, ImportStateId: file, ImportStateVerify: true,
				ImportStateVerifyIgnore: []string{
					"baseline_file_size_bytes", "format", "growth_bytes", "last_run", "mode", "plan_reason",
					"status", "status_detail", "total_reclaimed_bytes", "triggers", "vhd_type",
				},
			},
		},
	})
}
