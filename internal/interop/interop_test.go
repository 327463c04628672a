package interop_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	user     = `HYPERV\admin`
	password = "Interop-Passw0rd!"
	patience = time.Minute // for one program
)

// interop skips unless the tests of this package are asked for.
func interop(t *testing.T) {
	t.Helper()
	if os.Getenv("HYPERV_TEST_INTEROP") != "1" {
		t.Skip("HYPERV_TEST_INTEROP is not 1")
	}
}

// needProgram skips if one of the programs is not installed.
func needProgram(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed; see setup.sh", name)
		}
	}
}

// needNTLM skips if MIT libgssapi has no NTLM.
func needNTLM(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/etc/gss/mech.d/mech.ntlmssp.conf"); err != nil {
		t.Skip("gss-ntlmssp is not installed; see setup.sh")
	}
}

// python returns the interpreter that setup.sh made, with the modules.
func python(t *testing.T, modules ...string) string {
	t.Helper()
	path, err := filepath.Abs("../../.cache/interop/venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("no Python environment; run setup.sh")
	}
	for _, m := range modules {
		if err := exec.CommandContext(t.Context(), path, "-c", "import "+m).Run(); err != nil {
			t.Skipf("the Python module %s is not installed; see setup.sh", m)
		}
	}
	return path
}

// run runs a program to its end, and fails the test if it fails.
func run(t *testing.T, env []string, name string, arguments ...string) string {
	t.Helper()
	out, err := try(t, env, name, arguments...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, out)
	}
	return out
}

func try(t *testing.T, env []string, name string, arguments ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, name, arguments...)
	c.Env = append(slices.Clone(os.Environ()), env...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// process is a program that runs in the background until the test ends.
type process struct {
	mu     sync.Mutex
	output []string
	first  chan string // first line of the output, or closed
}

// background starts a program.
func background(t *testing.T, env []string, name string, arguments ...string) *process {
	t.Helper()
	c := exec.Command(name, arguments...)
	c.Env = append(slices.Clone(os.Environ()), env...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{first: make(chan string, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.first)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.add(lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-read
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(name), strings.Join(p.lines(), "\n"))
		}
	})
	return p
}

func (p *process) add(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.output) == 0 {
		p.first <- line
	}
	p.output = append(p.output, line)
}

func (p *process) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.output)
}

// count returns how many lines begin with the word.
func (p *process) count(word string) int {
	n := 0
	for _, line := range p.lines() {
		if line == word || strings.HasPrefix(line, word+" ") {
			n++
		}
	}
	return n
}

// says waits until n lines begin with the word: the output of a program arrives later than its
// messages.
func (p *process) says(t *testing.T, word string, n int) {
	t.Helper()
	eventually(t, func() bool { return p.count(word) >= n })
	if got := p.count(word); got != n {
		t.Errorf("the program says %q %d times, want %d", word, got, n)
	}
}

// eventually waits until the condition holds, or for the end of patience.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !condition() && time.Now().Before(end); {
		<-tick.C
	}
}

// ready waits for the first line.
func (p *process) ready(t *testing.T) string {
	t.Helper()
	select {
	case line := <-p.first:
		if line == "" {
			t.Fatal("the program ended")
		}
		return line
	case <-time.After(patience):
		t.Fatal("the program says nothing")
	}
	return ""
}

// ntlmUserFile is where pyspnego and gss-ntlmssp find the user's password.
func ntlmUserFile(t *testing.T) string {
	t.Helper()
	return "NTLM_USER_FILE=" + write(t, "users", fmt.Sprintf("HYPERV:admin:%s\n", password))
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
