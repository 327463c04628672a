package interop_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-krb5/krb5/keytab"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// Terraform takes a disk through its life with tickets of a real KDC.
func TestTerraformOverKerberos(t *testing.T) {
	t.Parallel()
	interop(t)
	if os.Getenv("TF_ACC_TERRAFORM_PATH") == "" {
		needProgram(t, "terraform")
	}
	r := startRealm(t)
	keys, err := keytab.Load(r.keytab)
	if err != nil {
		t.Fatal(err)
	}
	for name, credentials := range map[string]string{
		"password": fmt.Sprintf("username = %q\n password = %q\n kerberos = { realm = %q, krb5_conf_path = %q, spn = %q }",
			"admin", password, realmName, r.conf, "HTTP/"+serviceHost),
		"keytab": fmt.Sprintf("username = %q\n kerberos = { realm = %q, krb5_conf_path = %q, spn = %q, keytab_path = %q }",
			"admin", realmName, r.conf, "HTTP/"+serviceHost, r.keytab),
		"ticket cache": fmt.Sprintf("kerberos = { krb5_conf_path = %q, spn = %q, ccache_path = %q }",
			r.conf, "HTTP/"+serviceHost, r.kinit(t)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const path = `D:\VMs\sql01.vhdx`
			sim := hypervsim.RunT(t, hypervsim.WithKerberos(keys), hypervsim.WithSchemes(hypervsim.SchemeKerberos, hypervsim.SchemeNegotiate),
				hypervsim.WithVHD(hypervsim.VHD{Path: path, FileSize: 10 << 30, ReclaimableMounted: 6 << 30, Immediate: true, AttachImmediate: true}))
			config := fmt.Sprintf("provider \"hyperv\" {\n host = \"localhost\"\n port = %d\n https = false\n auth = \"kerberos\"\n %s\n}\n"+
				"resource \"hyperv_vhd_compaction\" \"disk\" {\n path = %q\n}\n", sim.Port(), credentials, path)
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
					"hyperv": providerserver.NewProtocol6WithError(provider.New("test")()),
				},
				Steps: []resource.TestStep{
					{Config: config, Check: resource.TestCheckResourceAttr("hyperv_vhd_compaction.disk", "status", "compacted")},
					{Config: config, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
				},
			})
			if sim.Calls("CompactVirtualHardDisk") != 1 || sim.FailedLogons() != 0 {
				t.Errorf("%d compactions and %d failed logons, want 1 and 0", sim.Calls("CompactVirtualHardDisk"), sim.FailedLogons())
			}
		})
	}
}
