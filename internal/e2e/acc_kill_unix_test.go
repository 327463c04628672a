//go:build !windows

package e2e_test

import (
	"os/exec"
	"syscall"
	"testing"
)

// ofItsOwn makes a command the first of a process group.
func ofItsOwn(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills a command with all processes that it has started, so that
// none of them can clean up.
func killGroup(_ *testing.T, cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
