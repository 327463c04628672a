package e2e_test

import (
	"os/exec"
	"strconv"
	"testing"
)

// ofItsOwn has nothing to do, because Windows keeps track of which process
// started which.
func ofItsOwn(*exec.Cmd) {}

// killGroup kills a command with all processes that it has started, so that
// none of them can clean up. taskkill is part of Windows.
func killGroup(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if cmd.ProcessState == nil {
		_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run()
	}
}
