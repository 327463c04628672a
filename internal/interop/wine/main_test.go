//go:build linux

package wine_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/interop/wine"
)

const (
	root     = "../../.."
	domain   = "HYPERV"
	user     = "admin"
	password = "S3cr3t-Pässwörd"

	patience = 15 * time.Minute // for one program: the domain has many tests, on a machine that may be busy
)

// TestMain makes Wine ready, if the tests are asked for.
func TestMain(m *testing.M) {
	if os.Getenv("HYPERV_TEST_WINE") == "1" {
		_ = wine.Setup(root) // tests are skipped if something is missing
	}
	os.Exit(m.Run())
}

// find skips unless the tests of this package are asked for and Wine is ready.
func find(t *testing.T) *wine.Wine {
	t.Helper()
	if os.Getenv("HYPERV_TEST_WINE") != "1" {
		t.Skip("HYPERV_TEST_WINE is not 1")
	}
	w, err := wine.Find(root)
	if err != nil {
		t.Skip(err)
	}
	return w
}

func logon(securityPackage string) wine.Logon {
	return wine.Logon{Package: securityPackage, Domain: domain, User: user, Password: password}
}

// packages are those that Negotiate may choose, and Negotiate itself.
var packages = []string{"NTLM", "Negotiate"}

// program compiles a package for Wine, once for all tests.
func program(t *testing.T, w *wine.Wine, pkg string) string {
	t.Helper()
	built, _ := programs.LoadOrStore(pkg, sync.OnceValues(func() (string, error) {
		dir, err := filepath.Abs(filepath.Join(root, ".cache", "wine", "bin"))
		if err != nil {
			return "", err
		}
		out := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(pkg, "./"), "/", "_")+".exe")
		return out, w.Build(context.Background(), false, pkg, out)
	}))
	build, ok := built.(func() (string, error))
	if !ok {
		t.Fatal("no builder")
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var programs sync.Map // functions that build

// run runs a program under Wine to its end and returns what it wrote and its exit code.
func run(t *testing.T, w *wine.Wine, l wine.Logon, dir string, env []string, arguments ...string) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := w.Command(ctx, l, arguments...)
	c.Dir, c.Env = dir, append(c.Env, env...)
	out, err := c.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// host starts a simulated host on http that knows the user who logs on.
func host(t *testing.T, options ...hypervsim.Option) *hypervsim.Host {
	t.Helper()
	return hypervsim.RunT(t, append(options, hypervsim.WithUser(domain+`\`+user, password))...)
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(90 * time.Second); !condition(); <-again.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}
