package e2e_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// run runs a command and returns its output and its exit code.
func (w workspace) run(args ...string) (string, int) {
	w.t.Helper()
	cmd := w.command(args...)
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		w.t.Fatal(err)
	}
	return plain(out), cmd.ProcessState.ExitCode()
}

// startGroup starts a command that can be killed with all processes that it starts. Its output goes
// to a file of the workspace.
func (w workspace) startGroup(args ...string) (cmd *exec.Cmd, log string) {
	w.t.Helper()
	log = args[0] + ".log"
	out, err := os.Create(filepath.Join(w.dir, log))
	must(w.t, err)
	defer out.Close()
	cmd = w.command(args...)
	cmd.Stdout, cmd.Stderr = out, out
	ofItsOwn(cmd)
	must(w.t, cmd.Start())
	w.t.Cleanup(func() { killGroup(w.t, cmd) })
	return cmd, log
}

// read returns the text of a file of a workspace.
func read(t *testing.T, w workspace, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, name))
	must(t, err)
	return string(text)
}

// knowsActions reports whether Terraform has actions of providers: from 1.14 on.
func (w workspace) knowsActions() bool {
	w.t.Helper()
	out, err := exec.CommandContext(w.t.Context(), programs.terraform, "version", "-json").Output()
	must(w.t, err)
	var v struct {
		Version string `json:"terraform_version"`
	}
	must(w.t, json.Unmarshal(out, &v))
	parts := strings.Split(v.Version, ".")
	if len(parts) < 2 || strings.Contains(filepath.Base(programs.terraform), "tofu") {
		return false
	}
	major, _ := strconv.Atoi(parts[0])
	minor, _ := strconv.Atoi(parts[1])
	return major > 1 || minor >= 14
}
