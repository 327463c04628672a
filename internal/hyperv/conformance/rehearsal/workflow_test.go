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
