package e2e_test

import (
	"os/exec"
	"strconv"
	"testing"
)

// ofItsOwn has nothing to do: Windows knows who started whom.
func ofItsOwn(*exec.Cmd) {}

// killGroup kills a command with all that it has started, and nothing of it can
// clean up. taskkill is part of Windows.
func killGroup(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if cmd.ProcessState == nil {
		_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
	}
}
