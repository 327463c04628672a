//go:build windows

package process

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// TestMain plays the parts of the tests below: this program starts itself.
func TestMain(m *testing.M) {
	part := os.Getenv("PROCESS_TEST_PART")
	if part == "" {
		os.Exit(m.Run())
	}
	if err := parts[part](); err != nil {
		_ = note("failed " + err.Error())
		os.Exit(1)
	}
}

// parts of processes. They leave notes in a file, because their output is not read.
var parts = map[string]func() error{
	"watched":     func() error { return begin("watcher") },
	"watcher":     watch,
	"terraform":   func() error { return strike("provider") },
	"unprotected": func() error { return strike("bystander") },
	"provider":    func() error { ignoreSignals(); return beat() },
	"bystander":   beat,
}

const patience = 30 * time.Second

// begin starts another part, as go-plugin does, and waits to be killed.
func begin(part string) error {
	if _, err := start(part, nil); err != nil {
		return err
	}
	time.Sleep(2 * patience)
	return nil
}

func start(part string, attributes *syscall.SysProcAttr) (*exec.Cmd, error) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "PROCESS_TEST_PART="+part)
	c.SysProcAttr = attributes
	c.Stdout, c.Stderr = new(bytes.Buffer), new(bytes.Buffer) // pipes
	return c, c.Start()
}

func watch() error {
	if err := note("watching"); err != nil {
		return err
	}
	return note("gone " + strconv.FormatBool(parentGone()))
}

// strike starts a part and does to the console that both share what the environment says.
func strike(part string) error {
	if _, err := start(part, nil); err != nil {
		return err
	}
	if !noted("beat") {
		return os.ErrDeadlineExceeded
	}
	if err := note("struck"); err != nil {
		return err
	}
	if err := blows[os.Getenv("PROCESS_TEST_BLOW")](); err != nil {
		return err
	}
	time.Sleep(patience)
	return nil
}

var blows = map[string]func() error{
	"Ctrl-Break": func() error { return windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, 0) },
	"console closed": func() error {
		window, _, _ := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetConsoleWindow").Call()
		const wmClose = 0x10
		posted, _, err := windows.NewLazySystemDLL("user32.dll").NewProc("PostMessageW").Call(window, wmClose, 0, 0)
		if window == 0 || posted == 0 {
			return err
		}
		return nil
	},
}

// beat lives for a while and notes it.
func beat() error {
	for range 100 {
		if err := note("beat"); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return note("lived")
}

func note(s string) error {
	f, err := os.OpenFile(os.Getenv("PROCESS_TEST_NOTES"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(s + "\n")
	return errors.Join(err, f.Close())
}

// noted waits for a note.
func noted(s string) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if b, _ := os.ReadFile(os.Getenv("PROCESS_TEST_NOTES")); bytes.Contains(b, []byte(s)) {
			return true
		}
	}
	return false
}

// livesOn waits until beats end, and reports whether that was their proper end.
func livesOn() bool {
	const silence = 3 * time.Second
	size, since := 0, time.Now()
	for time.Since(since) < silence {
		b, _ := os.ReadFile(os.Getenv("PROCESS_TEST_NOTES"))
		if bytes.Contains(b, []byte("lived")) {
			return true
		}
		if len(b) != size {
			size, since = len(b), time.Now()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func notes(t *testing.T) {
	t.Helper()
	t.Setenv("PROCESS_TEST_NOTES", filepath.Join(t.TempDir(), "notes"))
}

// The end of the parent is noticed at once.
func TestParentGone(t *testing.T) { //nolint:paralleltest // its parts share an environment
	notes(t)
	parent, err := start("watched", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !noted("watching") {
		t.Fatal("nobody watches")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	if !noted("gone true") {
		t.Fatal("nobody noticed that the parent has gone")
	}
	if late := time.Since(killed); late > 5*time.Second {
		t.Errorf("noticed after %v", late)
	}
}

// A process that began after us is not our parent, whatever its number: we neither wait for it nor
// end with it.
func TestEndOf_younger(t *testing.T) { //nolint:paralleltest // its parts share an environment
	notes(t)
	younger, err := start("bystander", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = younger.Process.Kill(); _ = younger.Wait() }()
	if !noted("beat") {
		t.Fatal("nothing has started")
	}
	ours, err := birth(windows.CurrentProcess())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if endOf(uint32(younger.Process.Pid), ours) || time.Since(began) > 3*time.Second {
		t.Errorf("a process that is younger than we are counts as our parent, after %v", time.Since(began))
	}
}

// A number that no process has is that of a process which has ended.
func TestEndOf_nobody(t *testing.T) {
	t.Parallel()
	const nobody = 0x7FFFFFF0
	if !endOf(nobody, time.Now().UnixNano()) {
		t.Error("a process that has ended counts as one that nobody knows about")
	}
}

// An event on the console that Terraform and its providers share ends neither a provider nor its
// work. Another process on that console shows that it would otherwise have done so.
func TestConsole(t *testing.T) {
	for blow := range blows {
		t.Run(blow, func(t *testing.T) {
			t.Setenv("PROCESS_TEST_BLOW", blow)
			lives := func(part string) bool {
				notes(t)
				terraform, err := start(part, &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_CONSOLE})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = terraform.Process.Kill() }()
				if !noted("struck") {
					t.Skip("processes of this session have no console of their own")
				}
				return livesOn()
			}
			if lives("unprotected") {
				t.Skip("the console of this session cannot do that")
			}
			if !lives("terraform") {
				t.Error("the provider ended")
			}
		})
	}
}
