package main

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// environment is one that a test brings.
func environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// TestRun: the program asks a host, says what it found and writes three files.
func TestRun(t *testing.T) {
	t.Parallel()
	const password = "canary password"
	sim := hypervsim.RunT(t, hypervsim.WithUser(`CANARYDOM\who`, password))
	dir := filepath.Join(t.TempDir(), "report")
	var stdout, stderr strings.Builder
	code := run(t.Context(), []string{"-https", "false", "-out", dir}, environment(map[string]string{
		"HYPERV_HOST": sim.HostName(), "HYPERV_PORT": strconv.Itoa(sim.Port()), "HYPERV_USER": `CANARYDOM\who`, "HYPERV_PASSWORD": password,
	}), &stdout, &stderr)
	if code != 0 && code != exitContradicted || !strings.Contains(stdout.String(), " held, ") {
		t.Errorf("run() = %d: %s%s", code, stdout.String(), stderr.String())
	}
	if strings.Contains(stdout.String()+stderr.String(), password) {
		t.Error("the password was printed")
	}
	for _, name := range []string{"report.txt", "report.json", "recordings.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if sim.FailedLogons() != 0 {
		t.Errorf("%d logons failed", sim.FailedLogons())
	}
}

// TestUsage: what cannot work is refused before anything is sent.
func TestUsage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
	}{
		"no host":               {nil, nil},
		"write without scratch": {[]string{"-host", "h", "-write"}, nil},
		"scratch without write": {[]string{"-host", "h", "-scratch", `D:\x`}, nil},
		"port":                  {[]string{"-host", "h"}, map[string]string{"HYPERV_PORT": "http"}},
		"https":                 {[]string{"-host", "h", "-https", "maybe"}, nil},
		"auth":                  {[]string{"-host", "h", "-auth", "magic"}, nil},
		"timeout":               {[]string{"-host", "h"}, map[string]string{"HYPERV_TIMEOUT": "soon"}},
		"authority":             {[]string{"-host", "h", "-cacert-path", "/does/not/exist"}, nil},
		"password by flag":      {[]string{"-host", "h", "-password", "x"}, nil},
		"argument":              {[]string{"-host", "h", "more"}, nil},
	} {
		if code := run(t.Context(), tc.args, environment(tc.env), io.Discard, io.Discard); code != exitUsage {
			t.Errorf("%s: run() = %d, want %d", name, code, exitUsage)
		}
	}
	shares := []string{"-host", "h", "-username", "u", "-write", "-scratch", `\\server\share`}
	if code := run(t.Context(), shares, environment(nil), io.Discard, io.Discard); code != exitFailed {
		t.Errorf("a share for scratch disks: run() = %d, want %d", code, exitFailed)
	}
}
