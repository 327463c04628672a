package provider_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestExamples_fixedDisk: the example for every disk below a directory survives disks
// that cannot shrink or are in use.
func TestExamples_fixedDisk(t *testing.T) {
	t.Parallel()
	const fixed, used = `D:\VMs\fixed.vhdx`, `D:\VMs\used.vhdx`
	sim := host(t,
		hypervsim.WithVHD(
			vhd(func(v *hypervsim.VHD) { v.FileSize = 30 * gib }),
			vhd(func(v *hypervsim.VHD) { v.Path, v.Type = fixed, hypervsim.TypeFixed }),
			vhd(func(v *hypervsim.VHD) { v.Path, v.FileSize = used, 30*gib })),
		hypervsim.WithVM(hypervsim.VM{Name: "web01", State: hypervsim.VMRunning, Disks: []string{used}}))
	c := newCLI(t)
	text, err := os.ReadFile("../../examples/data-sources/hyperv_vhds/data-source.tf")
	must(t, err)
	c.write(providerFor(sim) + string(text))
	apply := c.expect(0, "apply", "-auto-approve", "-input=false")
	contains(t, apply, "2 added", "Virtual hard disk in use, not compacted")
	if strings.Contains(c.expect(0, "state", "list"), "fixed.vhdx") {
		t.Error("the fixed disk is in state")
	}
	must(t, sim.SetVMState("web01", hypervsim.VMOff))
	c.expect(0, "apply", "-auto-approve", "-input=false")
	c.expect(0, "plan", "-detailed-exitcode", "-input=false")
}

// TestExamples_wordsOfPlans: the table of the first guide translates what Terraform
// says, so Terraform says all of it, in plans of the kinds that the table names.
func TestExamples_wordsOfPlans(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", "getting-started.md"))
	must(t, err)
	_, table, found := strings.Cut(string(page), "\n| Terraform says | It means here |\n")
	if !found {
		t.Fatal("the guide translates nothing")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	first := regexp.MustCompile("(?m)^\\| `([^`]+)`")

	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newCLI(t)
	c.write(providerFor(sim) + disk())
	said := c.expect(0, "plan")
	c.expect(0, "apply", "-auto-approve")
	must(t, sim.Grow(diskPath, 8*gib))
	grown := c.expect(0, "plan")
	if !regexp.MustCompile(`(?m)^ +~ status +=.*\(known after apply\)`).MatchString(grown) {
		t.Errorf("no run shows in the line of status:\n%s", grown)
	}
	c.expect(0, "apply", "-auto-approve")
	c.write(providerFor(sim) + disk(settings{"max_passes": "2"}))
	stored := c.expect(0, "plan")
	if strings.Contains(stored, "known after apply") {
		t.Errorf("a setting that is stored looks like a run:\n%s", stored)
	}
	c.expect(0, "taint", address)
	said += grown + stored + c.expect(0, "plan") + c.expect(0, "plan", "-destroy")
	rows := first.FindAllStringSubmatch(table, -1)
	if len(rows) < 6 {
		t.Errorf("the table has %d rows", len(rows))
	}
	for _, m := range rows {
		if !strings.Contains(said, m[1]) {
			t.Errorf("Terraform never says %q", m[1])
		}
	}
}

// The commands that list due disks and write reports are those of the example, and
// their twins for PowerShell stand beside them.
func TestExamples_twins(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("../../examples/fleet/*.sh")
	must(t, err)
	if len(scripts) < 2 {
		t.Fatalf("%d scripts", len(scripts))
	}
	for _, script := range scripts {
		twin := strings.TrimSuffix(script, ".sh") + ".ps1"
		if _, err := os.Stat(twin); err != nil {
			t.Error(err)
		}
		for _, word := range []string{"hyperv_vhd_compaction", "terraform show -json"} {
			for _, file := range []string{script, twin} {
				text, err := os.ReadFile(file)
				must(t, err)
				if !strings.Contains(string(text), word) {
					t.Errorf("%s lacks %q", file, word)
				}
			}
		}
	}
}
