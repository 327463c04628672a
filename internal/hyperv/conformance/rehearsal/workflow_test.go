package rehearsal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
)

var root = filepath.Join("..", "..", "..", "..")

// TestSteps: the steps of the workflow that are rehearsed are those that build, ask, accept,
// compare, replay and report; a step that only reports fails nothing.
func TestSteps(t *testing.T) {
	t.Parallel()
	steps, err := rehearsal.Steps(filepath.Join(root, ".github", "workflows", "hyperv.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range steps {
		what := strings.TrimPrefix(s.Run, rehearsal.StepsScript+" ")
		if s.Tells {
			what += " (tells)"
		}
		if s.Name == "" {
			t.Errorf("%s has no name", s.Run)
		}
		got = append(got, what)
	}
	want := []string{
		"build", "ask http", "ask https",
		"ask-rights remote-management (tells)", "ask-rights hyper-v (tells)", "ask-rights both (tells)", "ask-rights namespace (tells)", "ask-rights root (tells)",
		"ask-as basic (tells)", "ask-as certificate (tells)", "ask-as windows (tells)",
		"accept http", "accept https", "compare", "replay", "tell",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// TestSteps_none: a workflow without such steps is an error.
func TestSteps_none(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "workflow.yml")
	if err := os.WriteFile(file, []byte("    steps:\n      - name: Build\n        run: make build\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := rehearsal.Steps(file); err == nil {
		t.Error("a workflow without such steps was taken")
	}
}

// TestWorkflow_forks: what a stranger's pull request runs has no secret, only reads, and leaves no
// token behind; where there are secrets, no pull request and no push gets there.
func TestWorkflow_forks(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(root, ".github", "workflows", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	hosted, lab := read("hyperv.yml"), read("hyperv-lab.yml")
	for name, text := range map[string]string{"hyperv.yml": hosted, "hyperv-lab.yml": lab} {
		for _, want := range []string{"\npermissions:\n  contents: read\n", "persist-credentials: false", "cache: false"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
		for _, bad := range []string{"pull_request_target", "workflow_run", "issue_comment", ": write"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %q", name, bad)
			}
		}
	}
	if strings.Contains(hosted, "secrets.") || strings.Contains(hosted, "environment:") || strings.Contains(hosted, "self-hosted") {
		t.Error("hyperv.yml runs for forks, and has a secret or a machine that stays")
	}
	if strings.Contains(lab, "pull_request:") || strings.Contains(lab, "push:") || strings.Contains(lab, "schedule:") || !strings.Contains(lab, "environment: hyperv-lab") {
		t.Error("hyperv-lab.yml has secrets, and is started by more than a hand or without its reviewers")
	}
	// Values that a person types reach no shell as code.
	for line := range strings.Lines(lab) {
		if strings.Contains(line, "run:") && strings.Contains(line, "${{") {
			t.Errorf("an expression in a command: %s", line)
		}
	}
}
