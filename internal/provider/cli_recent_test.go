package provider_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// envRecent names a Terraform of at least 1.14, which knows actions and queries.
const envRecent = "HYPERV_TEST_TERRAFORM"

// newRecentCLI is newCLI with a Terraform that knows actions and queries.
func newRecentCLI(t *testing.T) cli {
	t.Helper()
	binary := os.Getenv(envRecent)
	if binary == "" {
		t.Skip(envRecent + " names no Terraform of at least 1.14")
	}
	c := newCLI(t)
	c.binary = binary
	return c
}

func TestCLI_action(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Immediate, v.JobDuration = false, 2*time.Second })))
	c := newRecentCLI(t)
	block := func(attributes string) string {
		return providerFor(sim) + "action \"hyperv_vhd_compact\" \"web01\" {\n  config {\n    path = " + quote(diskPath) + "\n" + attributes + "  }\n}\n"
	}
	invoke := []string{"apply", "-auto-approve", "-input=false", "-invoke=action.hyperv_vhd_compact.web01"}

	c.write(block(""))
	contains(t, c.expect(0, invoke...), " % after ", "compacted: 10.0 GiB before, 4.0 GiB after, 6.0 GiB (60.0 %) reclaimed")
	compactions(t, sim, 1)

	c.write(block("    mode = \"Retrim\"\n    mount_read_only = false\n"))
	contains(t, c.expect(1, "validate"), "works only while the disk is attached read-only")
}

func TestCLI_actionTrigger(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newRecentCLI(t)
	write := func(input string) {
		c.write(providerFor(sim) + `
action "hyperv_vhd_compact" "web01" {
  config {
    path = ` + quote(diskPath) + `
  }
}

resource "terraform_data" "cleaned" {
  input = "` + input + `"
  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.hyperv_vhd_compact.web01]
    }
  }
}
`)
	}
	for i, input := range []string{"monday", "tuesday"} {
		write(input)
		c.expect(0, "apply", "-auto-approve", "-input=false")
		c.expect(0, "plan", "-detailed-exitcode", "-input=false")
		compactions(t, sim, i+1)
	}
}

// What a query finds is imported with the configuration that it writes.
func TestCLI_query(t *testing.T) {
	t.Parallel()
	sim := shelf(t)
	c := newRecentCLI(t)
	c.write(providerFor(sim))
	query := `list "hyperv_vhd_compaction" "all" {
  provider = hyperv
  config {
    directory = "D:\\VMs"
    recurse   = true
  }
}
`
	must(t, os.WriteFile(filepath.Join(c.dir, "all.tfquery.hcl"), []byte(query), 0o600))
	contains(t, c.expect(0, "query"), diskPath+" on 127.0.0.1 (10.0 GiB)", `D:\VMs\web02.vhd`)

	c.expect(0, "query", "-generate-config-out=found.tf")
	found, err := os.ReadFile(filepath.Join(c.dir, "found.tf"))
	must(t, err)
	if n := strings.Count(string(found), "import {"); n != 3 {
		t.Errorf("%d imports, want 3:\n%s", n, found)
	}
	contains(t, c.expect(0, "apply", "-auto-approve", "-input=false"), "3 imported, 0 added, 0 changed, 0 destroyed")
	c.expect(0, "plan", "-detailed-exitcode", "-input=false")
	compactions(t, sim, 0)
}

// The identity in state is what an import block names.
func TestCLI_importByIdentity(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newRecentCLI(t)
	c.write(providerFor(sim) + disk() + "import {\n  to = " + address + "\n  identity = {\n    path = " + quote(diskPath) + "\n  }\n}\n")
	contains(t, c.expect(0, "apply", "-auto-approve", "-input=false"), "1 imported, 0 added, 0 changed")
	c.expect(0, "plan", "-detailed-exitcode", "-input=false")
	contains(t, c.expect(0, "state", "pull"), `"identity": {`, `"host": "127.0.0.1"`)
	compactions(t, sim, 0)
}
