// Package wine runs programs for Windows on Linux, for the tests about what only Windows has: its
// security packages, and how its processes live and die.
//
// Wine is not Windows. It knows NTLM and no Kerberos that seals, no channel binding, no user who is
// logged on and no console that could be closed. Builds for it have the tag wine and log on with
// the account that the environment names.
package wine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Wine is an installation that setup.sh has made ready.
type Wine struct{ root, program string }

// ErrMissing says that setup.sh has not run, or could not do its work.
var ErrMissing = errors.New("no Wine is ready; run internal/interop/wine/setup.sh as root on Debian or Ubuntu")

// Setup runs setup.sh of the source tree at root.
func Setup(root string) error {
	c := exec.Command(filepath.Join(root, "internal/interop/wine/setup.sh")) //nolint:gosec,noctx // a script of the source tree, which bounds itself
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	return c.Run()
}

// Find returns what setup.sh has made in the source tree at root.
func Find(root string) (*Wine, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	w := &Wine{root: root}
	program, err := os.ReadFile(w.cache("ready"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	w.program = strings.TrimSpace(string(program))
	return w, nil
}

func (w *Wine) cache(name string) string { return filepath.Join(w.root, ".cache", "wine", name) }

// Logon is the account with which a build for Wine logs on, and the security package.
type Logon struct{ Package, Domain, User, Password string }

// Environment returns the variables that a program needs in order to run and to log on.
func (w *Wine) Environment(l Logon) []string {
	return []string{
		"WINEPREFIX=" + w.cache("prefix"), "WINEDEBUG=-all",
		"HYPERV_WINE_PACKAGE=" + l.Package, "HYPERV_WINE_DOMAIN=" + l.Domain, "HYPERV_WINE_USER=" + l.User, "HYPERV_WINE_PASSWORD=" + l.Password,
	}
}

// Command returns a program for Windows with its arguments, which has not started yet.
func (w *Wine) Command(ctx context.Context, l Logon, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, w.program, arguments...) //nolint:gosec // the program that setup.sh found
	c.Env = append(os.Environ(), w.Environment(l)...)
	return c
}

// Program returns the path of Wine itself.
func (w *Wine) Program() string { return w.program }

// Build compiles a package for Wine, its tests with test.
func (w *Wine) Build(ctx context.Context, test bool, pkg, out string) error {
	arguments := []string{"build"}
	if test {
		arguments = []string{"test", "-c"}
	}
	// The tree may belong to another user, which Git does not like.
	arguments = append(arguments, "-buildvcs=false", "-tags", "wine", "-overlay", w.cache("overlay.json"), "-o", out, pkg)
	c := exec.CommandContext(ctx, "go", arguments...)
	c.Dir = w.root
	c.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(arguments, " "), err, text)
	}
	return nil
}
