package provider_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestExamples_fleet applies the example as it is, to two names of one host: a
// disk in use waits without keeping the other from its turn, the report adds up,
// and a night on which nothing is due ends with 0.
func TestExamples_fleet(t *testing.T) {
	t.Parallel()
	const used = `E:\VMs\sql01.vhdx`
	sim := host(t,
		hypervsim.WithVHD(
			vhd(func(v *hypervsim.VHD) { v.FileSize = 30 * gib }),
			vhd(func(v *hypervsim.VHD) { v.Path, v.FileSize = used, 20*gib })),
		hypervsim.WithVM(hypervsim.VM{Name: "sql01", State: hypervsim.VMRunning, Disks: []string{used}}))
	hosts, err := json.Marshal(map[string][]string{"127.0.0.1": {diskPath}, "localhost": {used}})
	must(t, err)
	c := newCLI(t,
		fmt.Sprintf("HYPERV_PORT=%d", sim.Port()), "HYPERV_HTTPS=false",
		"HYPERV_USERNAME="+hypervsim.DefaultUser, "HYPERV_PASSWORD="+hypervsim.DefaultPassword,
		"TF_VAR_hosts="+string(hosts))
	c.version().needs(knowsChecks)
	copyExample(t, "fleet", c.dir)
	apply := []string{"apply", "-auto-approve", "-input=false"}
	plan := []string{"plan", "-detailed-exitcode", "-input=false"}

	contains(t, c.expect(0, apply...), "Virtual hard disk in use, not compacted")
	checkTotals(t, c, map[string]any{
		"disks": 2.0, "before_bytes": 30.0 * gib, "after_bytes": 24.0 * gib, "reclaimed_bytes": 6.0 * gib, "total_reclaimed_bytes": 6.0 * gib,
	})
	c.expect(2, plan...)

	must(t, sim.SetVMState("sql01", hypervsim.VMOff))
	c.expect(0, apply...)
	checkTotals(t, c, map[string]any{
		"disks": 2.0, "before_bytes": 50.0 * gib, "after_bytes": 38.0 * gib, "reclaimed_bytes": 12.0 * gib, "total_reclaimed_bytes": 12.0 * gib,
	})
	must(t, sim.Grow(diskPath, gib))
	c.expect(0, plan...)
	compactions(t, sim, 2)
}

// copyExample copies the configuration of an example. The example holds the
// full address of the provider, as users must write it; in the tests it is that
// of any registry.
func copyExample(t *testing.T, name, to string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../examples", name, "*.tf"))
	must(t, err)
	if len(files) == 0 {
		t.Fatalf("the example %s has no files", name)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		local := strings.ReplaceAll(string(text), "registry.terraform.io/hypervcompact", "hypervcompact")
		must(t, os.WriteFile(filepath.Join(to, filepath.Base(file)), []byte(local), 0o600))
	}
}

// checkTotals compares the output totals.
func checkTotals(t *testing.T, c cli, want map[string]any) {
	t.Helper()
	var got map[string]any
	must(t, json.Unmarshal([]byte(c.expect(0, "output", "-json", "totals")), &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("totals differ (-want +got):\n%s", diff)
	}
}

// TestExamples_waysOut tries the ways out that the guide offers when the host
// of a disk is gone for good.
func TestExamples_waysOut(t *testing.T) {
	t.Parallel()
	const forget = "removed {\n  from = hyperv_vhd_compaction.disk\n  lifecycle {\n    destroy = false\n  }\n}\n"
	apply := []string{"apply", "-auto-approve", "-input=false"}
	for name, out := range map[string]func(t *testing.T, c cli, provider string){
		"plan without a refresh": func(t *testing.T, c cli, _ string) {
			t.Helper()
			contains(t, c.expect(0, "plan", "-detailed-exitcode", "-refresh=false"), "No changes")
		},
		"take it out and forget it": func(t *testing.T, c cli, provider string) {
			t.Helper()
			c.write(provider)
			c.expect(1, apply...)
			contains(t, c.expect(0, append(apply, "-refresh=false")...), "1 destroyed")
		},
		"a removed block": func(t *testing.T, c cli, provider string) {
			t.Helper()
			c.version().needs(knowsRemoved)
			c.write(provider + forget)
			contains(t, c.expect(0, append(apply, "-refresh=false")...), "0 destroyed")
			if left := c.expect(0, "state", "list"); strings.Contains(left, address) {
				t.Errorf("still in state: %s", left)
			}
		},
		"state rm": func(t *testing.T, c cli, _ string) {
			t.Helper()
			contains(t, c.expect(0, "state", "rm", address), "Successfully removed 1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := ending(t)
			c := newCLI(t)
			c.write(providerFor(sim) + disk())
			c.expect(0, apply...)
			must(t, sim.Close())
			contains(t, c.expect(1, "plan"), "Unable to read virtual hard disk")
			out(t, c, providerFor(sim))
		})
	}
}

// TestExamples_gettingStarted follows the guide of that name: a look without a
// change, then the first run.
func TestExamples_gettingStarted(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newCLI(t)
	c.write(providerFor(sim) + disk())
	contains(t, c.expect(0, "plan"), `plan_reason = "first run"`)
	if n := len(sim.Requests()); n != 0 {
		t.Errorf("the plan of a new disk asked the host %d times", n)
	}
	c.expect(0, "import", address, diskPath)
	contains(t, c.expect(0, "plan", "-detailed-exitcode"), "No changes")
	c.expect(0, "state", "rm", address)
	compactions(t, sim, 0)

	c.expect(0, "apply", "-auto-approve", "-target="+address)
	contains(t, c.expect(0, "state", "show", address), "last_run", "file_size_after_bytes = 4294967296", `status = "compacted"`)
	compactions(t, sim, 1)
}
