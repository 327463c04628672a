package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const (
	mib = int64(1) << 20
	gib = int64(1) << 30

	providerSource = "registry.terraform.io/hypervcompact/hyperv"
	resourceType   = "hyperv_vhd_compaction"
)

// withoutTLS lets Terraform talk to the provider without TLS, which takes nearly half of the
// processor time of a plan. Terraform has it for such tests. The commands of the pages, and what
// is done to a real host, keep TLS, as users do.
const withoutTLS = "TF_DISABLE_PLUGIN_TLS=1"

// workspace is a folder in which Terraform works with the provider of this tree.
type workspace struct {
	t   *testing.T
	dir string
	env []string
}

func newWorkspace(t *testing.T, env ...string) workspace {
	t.Helper()
	switch {
	case programs.missing != "":
		t.Skip(programs.missing)
	case testing.Short():
		t.Skip("whole programs are no part of a sample") // see package sample
	}
	dir := t.TempDir()
	rc := filepath.Join(dir, "cli.tfrc")
	must(t, os.WriteFile(rc, []byte(devOverride(programs.folder)), 0o600))
	clean := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "HYPERV_") && !strings.HasPrefix(v, "HYPERV_TEST_") || strings.HasPrefix(v, "TF_") || strings.HasPrefix(v, "KRB5")
	})
	if !onRealHost() {
		clean = append(clean, withoutTLS)
	}
	return workspace{t: t, dir: dir, env: append(append(clean, "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"), env...)}
}

// devOverride is a configuration of Terraform's command line that takes the provider
// from a folder.
func devOverride(folder string) string {
	return fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", providerSource, filepath.ToSlash(folder))
}

// write puts a file into the folder.
func (w workspace) write(name, content string) {
	w.t.Helper()
	must(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600))
}

// command is a command that has not started yet. Every command runs without
// questions and colours.
func (w workspace) command(args ...string) *exec.Cmd {
	extra := []string{"-no-color"}
	if slices.Contains([]string{"plan", "apply", "destroy"}, args[0]) {
		extra = append(extra, "-input=false")
	}
	if args[0] == "apply" || args[0] == "destroy" {
		extra = append(extra, "-auto-approve")
	}
	cmd := exec.CommandContext(w.t.Context(), programs.terraform, slices.Insert(slices.Clone(args), 1, extra...)...)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd
}

// expect runs a command that must end with an exit code and returns its output
// without the boxes around diagnostics.
func (w workspace) expect(code int, args ...string) string {
	w.t.Helper()
	cmd := w.command(args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	text := plain(out)
	if got := cmd.ProcessState.ExitCode(); got != code {
		w.t.Fatalf("terraform %s ended with %d, want %d:\n%s", strings.Join(args, " "), got, code, text)
	}
	return text
}

// plain removes the boxes around diagnostics.
func plain(out []byte) string {
	return strings.NewReplacer("│ ", "", "│", "", "╷", "", "╵", "").Replace(string(out))
}

// change is what a plan wants to do to one resource, as terraform show -json
// shows it.
type change struct {
	Address string `json:"address"`
	Change  struct {
		Actions      []string       `json:"actions"`
		Before       map[string]any `json:"before"`
		After        map[string]any `json:"after"`
		AfterUnknown map[string]any `json:"after_unknown"`
	} `json:"change"`
}

// plan makes a plan that must end with an exit code of -detailed-exitcode, and
// returns its output and its changes by address.
func (w workspace) plan(code int, args ...string) (string, map[string]change) {
	w.t.Helper()
	out := w.expect(code, append([]string{"plan", "-detailed-exitcode", "-out=saved.plan"}, args...)...)
	var shown struct {
		Changes []change `json:"resource_changes"`
	}
	w.show(&shown, "saved.plan")
	changes := map[string]change{}
	for _, c := range shown.Changes {
		changes[c.Address] = c
	}
	return out, changes
}

// show decodes what terraform show -json prints.
func (w workspace) show(into any, args ...string) {
	w.t.Helper()
	cmd := w.command(append([]string{"show", "-json"}, args...)...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("terraform show: %v\n%s", err, &complaints)
	}
	must(w.t, json.Unmarshal(out, into))
}

// attributes holds the attributes of a resource in the state.
type attributes map[string]any

// text is an attribute that is a string; empty when it is null.
func (a attributes) text(name string) string { s, _ := a[name].(string); return s }

// number is an attribute, or a member of an object as in last_run.passes; -1
// when it is null.
func (a attributes) number(name string) int64 {
	first, rest, nested := strings.Cut(name, ".")
	if nested {
		object, _ := a[first].(map[string]any)
		return attributes(object).number(rest)
	}
	if n, ok := a[name].(float64); ok {
		return int64(n)
	}
	return -1
}

// state reads the state file: attributes by address. It starts no process.
func (w workspace) state() map[string]attributes {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	if errors.Is(err, os.ErrNotExist) {
		return map[string]attributes{}
	}
	must(w.t, err)
	var file struct {
		Resources []struct {
			Type, Name string
			Instances  []struct {
				Key        *string    `json:"index_key"`
				Attributes attributes `json:"attributes"`
			}
		}
	}
	must(w.t, json.Unmarshal(text, &file))
	all := map[string]attributes{}
	for _, r := range file.Resources {
		for _, i := range r.Instances {
			address := r.Type + "." + r.Name
			if i.Key != nil {
				address += fmt.Sprintf("[%q]", *i.Key)
			}
			all[address] = i.Attributes
		}
	}
	return all
}

// providerBlock is the configuration of the provider, for hosts that listen on
// this port.
func providerBlock(port int, extra ...string) string {
	return fmt.Sprintf(`terraform {
  required_providers {
    hyperv = { source = %q }
  }
}
provider "hyperv" {
  port     = %d
  https    = false
  username = %q
  password = %q
%s
}
`, providerSource, port, hypervsim.DefaultUser, hypervsim.DefaultPassword, strings.Join(extra, "\n"))
}

// careful fails the test if the host has recorded a violation or is not left
// clean.
func careful(t *testing.T, sim *hypervsim.Host) {
	t.Helper()
	for _, v := range sim.Violations() {
		t.Errorf("the host was treated badly: %s", v)
	}
	if left := sim.Attachments(); len(left) != 0 {
		t.Errorf("attached to the host: %+v, want nothing", left)
	}
}

// contains fails the test if parts are missing, however the lines are broken.
func contains(t *testing.T, out string, parts ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(out), " ")
	for _, part := range parts {
		if !strings.Contains(flat, part) {
			t.Errorf("the output lacks %q:\n%s", part, out)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
