package main

import (
	"io"
	"log/slog"
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

// TestResults: the files of a run are compared and replayed; both exit codes say what was found.
func TestResults(t *testing.T) {
	t.Parallel()
	const password = "a password"
	sim := hypervsim.RunT(t, hypervsim.WithUser(`HYPERV\who`, password), hypervsim.WithLogger(slog.New(slog.DiscardHandler)))
	dir := t.TempDir()
	none := environment(nil)
	if code := run(t.Context(), []string{"-https", "false", "-out", dir}, environment(map[string]string{
		"HYPERV_HOST": sim.HostName(), "HYPERV_PORT": strconv.Itoa(sim.Port()), "HYPERV_USER": `HYPERV\who`, "HYPERV_PASSWORD": password,
	}), io.Discard, io.Discard); code != 0 {
		t.Fatalf("run() = %d", code)
	}
	report, recordings := filepath.Join(dir, "report.json"), filepath.Join(dir, "recordings.json")
	root := filepath.Join("..", "..", "..", "..", "..")
	spoil := func(name, from, to string) {
		t.Helper()
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(content), from, to, 1)
		if changed == string(content) {
			t.Fatalf("%s has no %s", name, from)
		}
		if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name     string
		before   func()
		args     []string
		want     int
		contains string
	}{
		{"compare", nil, []string{"-compare", "-source", root, report}, 0, "take the mark away"},
		{"without a source tree", nil, []string{"-compare", "-source", dir, report}, 0, "No source tree"},
		{"replay", nil, []string{"-replay", recordings}, 0, "do not differ"},
		{"an open claim contradicted", func() {
			spoil(report, `"evidence": "open",
      "result": "held"`, `"evidence": "open",
      "result": "contradicted"`)
		}, []string{"-compare", "-source", root, report}, 0, "open before"},
		{"a settled claim contradicted", func() {
			spoil(report, `"evidence": "documented",
      "result": "held"`, `"evidence": "documented",
      "result": "contradicted"`)
		}, []string{"-compare", "-source", root, report}, exitContradicted, "taken for settled"},
		{"another answer", func() { spoil(recordings, "Code=\\\"2150858752", "Code=\\\"2150858753") }, []string{"-replay", recordings}, exitContradicted, "counted once: 1."},
		{"no report", nil, []string{"-compare", recordings}, exitFailed, ""},
		{"no file", nil, []string{"-replay", filepath.Join(dir, "none")}, exitFailed, ""},
	} {
		if step.before != nil {
			step.before()
		}
		var stdout, stderr strings.Builder
		if code := run(t.Context(), step.args, none, &stdout, &stderr); code != step.want || !strings.Contains(stdout.String(), step.contains) {
			t.Errorf("%s: run() = %d, want %d: %s%s", step.name, code, step.want, stdout.String(), stderr.String())
		}
	}
}

// TestUsage: settings that cannot work are refused before anything is sent.
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
		"long timeout":          {[]string{"-host", "h"}, map[string]string{"HYPERV_TIMEOUT": "2562047h47m16s"}},
		"authority":             {[]string{"-host", "h", "-cacert-path", "/does/not/exist"}, nil},
		"password by flag":      {[]string{"-host", "h", "-password", "x"}, nil},
		"argument":              {[]string{"-host", "h", "more"}, nil},
		"rights":                {[]string{"-host", "h", "-rights", "all"}, nil},
		"only":                  {[]string{"-host", "h", "-only", "identify,kerberos-ec-rotation"}, nil},
		"fixtures":              {[]string{"-host", "h", "-fixtures", "/does/not/exist"}, nil},
		"compare nothing":       {[]string{"-compare"}, nil},
		"replay two":            {[]string{"-replay", "a", "b"}, nil},
		"compare and replay":    {[]string{"-compare", "-replay", "a"}, nil},
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
