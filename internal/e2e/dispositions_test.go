//go:build linux

package e2e_test

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// defaultDispositions lets the programs that tests start have the default dispositions of signals,
// whatever this process has inherited. Under nohup an ignored SIGHUP would be inherited by
// Terraform, which would then survive a hang-up that has to end it. Go keeps these two signals
// ignored if they were ignored at the start, and no other.
//
// A signal that is caught has its default disposition again in the next
// program. In this program it has no effect, as the caller that ignored it
// wants.
func defaultDispositions() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// The test starts itself as nohup would, and that process starts a shell that a
// hang-up has to end.
func TestInheritedDispositions(t *testing.T) {
	t.Parallel()
	const inner = "HYPERV_TEST_DISPOSITIONS"
	if os.Getenv(inner) != "" {
		for _, name := range []string{"HUP", "INT"} {
			out, err := exec.CommandContext(t.Context(), "sh", "-c", "kill -"+name+" $$; echo it lives").CombinedOutput()
			if err == nil {
				t.Errorf("SIG%s does not end a program that tests start: %s", name, out)
			}
		}
		return
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `trap '' HUP INT; exec "$0" -test.run '^TestInheritedDispositions$'`, os.Args[0])
	cmd.Env = append(os.Environ(), inner+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
