//go:build linux

package wine_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// logsOn names the tests that log the current user on, by package. Only these are run once more
// with Negotiate.
var logsOn = map[string]string{"internal/hyperv": "CurrentUser", "internal/hyperv/wsman/secure": "Windows"}

// The packages of the client pass their tests as programs for Windows, those of the current user's
// logon among them.
func TestPackages(t *testing.T) { //nolint:paralleltest // one program at a time has the machine
	w := find(t)
	for _, pkg := range []string{ //nolint:paralleltest // one program at a time has the machine
		"internal/process", "internal/hyperv/wsman/secure", "internal/hyperv/wsman", "internal/hyperv/winpath", "internal/hyperv/cim",
		"internal/provider/bytesize", "internal/provider/pathtype", "internal/hyperv",
	} {
		for _, securityPackage := range packages {
			every := "."
			if securityPackage != packages[0] {
				if every = logsOn[pkg]; every == "" {
					continue // it logs no user on
				}
			}
			t.Run(pkg+" "+securityPackage, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "package.test.exe")
				if err := w.Build(t.Context(), true, "./"+pkg, out); err != nil {
					t.Fatal(err)
				}
				dir, err := filepath.Abs(filepath.Join(root, pkg))
				if err != nil {
					t.Fatal(err)
				}
				text, code := run(t, w, logon(securityPackage), dir, nil, out, "-test.short", "-test.timeout", (patience - time.Minute).String(), "-test.run", every)
				if lines := strings.Split(text, "\n"); code != 0 {
					t.Errorf("exit code %d\n%s", code, strings.Join(lines[:min(len(lines), 120)], "\n"))
				}
			})
		}
	}
}
