package provider_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// envRecent names another Terraform or OpenTofu for the tests of this file, newer than that of the
// other tests.
const envRecent = "HYPERV_TEST_TERRAFORM"

// firstLine is what "terraform version" begins with.
var firstLine = regexp.MustCompile(`^(Terraform|OpenTofu) v1\.(\d+)`)

// recent is a program that may have features which the other tests do not use.
type recent struct {
	cli
	name  string // "Terraform" or "OpenTofu"
	minor int
}

// since holds from which 1.x on Terraform and OpenTofu have a feature; zero means never.
type since struct {
	thing               string
	terraform, openTofu int
}

var (
	knowsChecks    = since{"check blocks", 5, 6}
	knowsRemoved   = since{"removed blocks", 7, 7}
	knowsFunctions = since{"functions of providers", 8, 7}
	knowsEphemeral = since{"ephemeral variables", 10, 11}
	knowsIdentity  = since{"resource identity", 12, 12}
	knowsActions   = since{"actions", 14, 0}
	knowsEvents    = since{"on_failure and destroy events of actions", 16, 0}
	knowsQueries   = since{"queries", 14, 0}
)

func newRecent(t *testing.T) recent {
	t.Helper()
	c := newCLI(t)
	if binary := os.Getenv(envRecent); binary != "" {
		c.binary = binary
	}
	return c.version()
}

// version asks a program for its name and version.
func (c cli) version() recent {
	t := c.t
	t.Helper()
	version := firstLine.FindStringSubmatch(c.expect(0, "version"))
	if version == nil {
		t.Fatalf("%s tells no version", c.binary)
	}
	minor, err := strconv.Atoi(version[2])
	must(t, err)
	return recent{c, version[1], minor}
}

func (r recent) knows(s since) bool {
	if s == (since{}) {
		return true // every program has it
	}
	first := s.terraform
	if r.name == "OpenTofu" {
		first = s.openTofu
	}
	return first != 0 && r.minor >= first
}

// needs skips a test that its program is too old for.
func (r recent) needs(s since) cli {
	r.t.Helper()
	if !r.knows(s) {
		r.t.Skipf("%s 1.%d knows no %s; %s can name a newer program for some tests", r.name, r.minor, s.thing, envRecent)
	}
	return r.cli
}

// A program that lacks a feature says so, and the rest works.
func TestCLI_unknownThings(t *testing.T) {
	t.Parallel()
	const (
		block = "action \"hyperv_vhd_compact\" \"web01\" {\n  config {\n    path = \"D:\\\\VMs\\\\web01.vhdx\"\n  }\n}\n"
		call  = "output \"size\" {\n  value = provider::hyperv::parse_bytes(\"20GiB\")\n}\n"
		imp   = "resource \"hyperv_vhd_compaction\" \"disk\" {\n  path = \"D:\\\\VMs\\\\web01.vhdx\"\n}\n\nimport {\n  to = hyperv_vhd_compaction.disk\n  identity = {\n    path = \"D:\\\\VMs\\\\web01.vhdx\"\n  }\n}\n"
	)
	for _, tc := range []struct {
		since  since
		config string
	}{{knowsActions, block}, {knowsFunctions, call}, {knowsIdentity, imp}} {
		t.Run(tc.since.thing, func(t *testing.T) {
			t.Parallel()
			r := newRecent(t)
			r.write("provider \"hyperv\" {}\n" + tc.config)
			out, code := r.run("validate")
			want := 1
			if r.knows(tc.since) {
				want = 0
			}
			if code != want || code != 0 && !strings.Contains(out, "main.tf line ") || strings.Contains(out, "panic") {
				t.Errorf("%s 1.%d ended with %d, want %d and a line of the configuration:\n%s", r.name, r.minor, code, want, out)
			}
		})
	}
}

func TestCLI_action(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Immediate, v.JobDuration = false, 2*time.Second })))
	c := newRecent(t).needs(knowsActions)
	block := func(attributes string) string {
		return providerFor(sim) + "action \"hyperv_vhd_compact\" \"web01\" {\n  config {\n    path = " + quote(diskPath) + "\n" + attributes + "  }\n}\n"
	}
	invoke := []string{"apply", "-auto-approve", "-input=false", "-invoke=action.hyperv_vhd_compact.web01"}

	c.write(block(""))
	contains(t, c.expect(0, invoke...), " % after ", "compacted: 10.0 GiB before, 4.0 GiB after, 6.0 GiB (60.0 %) reclaimed")
	compactions(t, sim, 1)

	c.write(block("    mode = \"Retrim\"\n    attach_read_only = false\n"))
	contains(t, c.expect(1, "validate"), "works only while the disk is attached read-only")
}

func TestCLI_actionTrigger(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newRecent(t).needs(knowsActions)
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

// Disks that a query finds are imported with the configuration that the query writes.
func TestCLI_query(t *testing.T) {
	t.Parallel()
	sim := shelf(t)
	c := newRecent(t).needs(knowsQueries)
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
	c := newRecent(t).needs(knowsIdentity)
	c.write(providerFor(sim) + disk() + "import {\n  to = " + address + "\n  identity = {\n    path = " + quote(diskPath) + "\n  }\n}\n")
	contains(t, c.expect(0, "apply", "-auto-approve", "-input=false"), "1 imported, 0 added, 0 changed")
	c.expect(0, "plan", "-detailed-exitcode", "-input=false")
	if r := c.version(); r.name == "Terraform" { // OpenTofu imports by identity and stores none
		contains(t, c.expect(0, "state", "pull"), `"identity": {`, `"host": null`, `"node": "HYPERV01"`)
	}
	compactions(t, sim, 0)
}

// Functions called in the language: null stays null, unknown values stay unknown, and a value of
// another type is refused with the line of the configuration.
func TestCLI_functionsOfNothing(t *testing.T) {
	t.Parallel()
	c := newRecent(t).needs(knowsFunctions)
	unknown := map[string]string{"format_bytes": "length(terraform_data.later.id)", "parse_bytes": "terraform_data.later.id", "normalize_path": "terraform_data.later.id"}
	all := functions(t)
	config := "provider \"hyperv\" {}\nresource \"terraform_data\" \"later\" {}\n"
	output := func(name, value string) string { return "output " + quote(name) + " {\n  value = " + value + "\n}\n" }
	for name := range all {
		if unknown[name] == "" {
			t.Errorf("the function %s has no unknown argument here", name)
		}
		call := "provider::hyperv::" + name + "("
		config += output(name+"_null", "jsonencode("+call+"null))") +
			output(name+"_unknown", call+unknown[name]+")")
	}
	c.write(config)
	out := c.expect(0, "plan")
	for name := range all {
		contains(t, out, name+"_null = "+quote("null"), name+"_unknown = (known after apply)")
	}
	for name := range all {
		c.write("provider \"hyperv\" {}\n" + output("wrong", "provider::hyperv::"+name+"([])"))
		contains(t, c.expect(1, "plan"), "main.tf line ", "Invalid function argument")
	}
	for _, number := range []string{"1.5", "1e300"} {
		c.write("provider \"hyperv\" {}\n" + output("wrong", "provider::hyperv::format_bytes("+number+")"))
		contains(t, c.expect(1, "plan"), "main.tf line ", "Invalid function argument")
	}
}

// An action that a trigger invokes can end the apply, leave a warning, or mark what
// was just created; and it runs when something is destroyed.
func TestCLI_actionEvents(t *testing.T) {
	t.Parallel()
	trigger := func(sim *hypervsim.Host, events, failure string) string {
		return providerFor(sim) + "action \"hyperv_vhd_compact\" \"web01\" {\n  config {\n    path = " + quote(diskPath) + "\n  }\n}\n" +
			"resource \"terraform_data\" \"guest\" {\n  lifecycle {\n    action_trigger {\n      events = [" + events + "]\n" +
			"      actions = [action.hyperv_vhd_compact.web01]\n      on_failure = " + failure + "\n    }\n  }\n}\n"
	}
	for name, test := range map[string]struct {
		failure     string
		code, after int // exit codes of the apply and of the plan after it
		says        string
	}{
		"halt":     {failure: "halt", code: 1, says: "Error:"},
		"taint":    {failure: "taint", code: 1, after: 2, says: "Error:"},
		"continue": {failure: "continue", says: "Warning:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{Name: "web01", State: hypervsim.VMRunning, Disks: []string{diskPath}}))
			c := newRecent(t).needs(knowsEvents)
			c.write(trigger(sim, "after_create", test.failure))
			contains(t, c.expect(test.code, applying...), test.says, "in use by virtual machine web01")
			c.expect(test.after, planning...)
			compactions(t, sim, 0)
		})
	}
	t.Run("destroyed", func(t *testing.T) {
		t.Parallel()
		sim := host(t, hypervsim.WithVHD(vhd()))
		c := newRecent(t).needs(knowsEvents)
		c.write(trigger(sim, "before_destroy", "halt"))
		c.expect(0, applying...)
		compactions(t, sim, 0)
		contains(t, c.expect(0, "destroy", "-auto-approve", "-input=false"), "compacted: 10.0 GiB before, 4.0 GiB after")
		compactions(t, sim, 1)
	})
}

// Where the client allows it, data on a host that is known only during apply are read later, and
// the plan goes on.
func TestCLI_deferral(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newRecent(t)
	later := "resource \"terraform_data\" \"host\" {\n  input = " + quote(sim.HostName()) + "\n}\n"
	data := "data \"hyperv_vhd\" \"one\" {\n  path = " + quote(diskPath) + "\n}\n"
	c.write(later + providerFor(sim, settings{"host": "terraform_data.host.output"}) + data + disk())
	out, code := c.run("plan", "-allow-deferral", "-input=false")
	if strings.Contains(out, "experimental") || strings.Contains(out, "flag provided but not defined") {
		t.Skipf("%s allows no deferral; %s can name a build that does", c.label(), envRecent)
	}
	if code != 0 {
		t.Fatalf("the plan ended with %d:\n%s", code, out)
	}
	contains(t, out, "data.hyperv_vhd.one: Read complete", "Plan: 2 to add")
	contains(t, c.expect(1, "plan", "-input=false"), "Provider configuration is not known yet")
	if n := sim.Exchanges(); n != 0 {
		t.Errorf("%d exchanges with a host that is not known yet", n)
	}
}
