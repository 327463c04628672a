//go:build !windows

package rehearsal_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
)

// steps is a copy of the script beside a kit that writes a page and ends with a code.
type steps struct {
	t   *testing.T
	dir string
}

func newSteps(t *testing.T) steps {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not on PATH")
	}
	script, err := os.ReadFile(filepath.Join(root, rehearsal.StepsScript))
	if err != nil {
		t.Fatal(err)
	}
	s := steps{t, t.TempDir()}
	s.write(rehearsal.StepsScript, string(script))
	for _, name := range []string{"hyperv-conformance", "hyperv-conformance.exe"} {
		s.write("out/"+name, "#!/usr/bin/env bash\nprintf '%s\\n' \"$*\" >>arguments; cat page; exit $(cat code)\n")
	}
	for _, report := range []string{"report/http/report.json", "report/http/recordings.json", "report/rights-both/report.json"} {
		s.write(report, "{}")
	}
	return s
}

func (s steps) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o700)); err != nil {
		s.t.Fatal(err)
	}
}

// run runs a step with a kit that writes page and ends with code.
func (s steps) run(page, code string, step ...string) (log, summary string, exit int) {
	s.t.Helper()
	s.write("page", page)
	s.write("code", code)
	_ = os.Remove(filepath.Join(s.dir, "summary.md"))
	cmd := exec.CommandContext(s.t.Context(), "bash", append([]string{rehearsal.StepsScript}, step...)...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "GITHUB_STEP_SUMMARY="+filepath.Join(s.dir, "summary.md"))
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		s.t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "summary.md"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(out), string(b), cmd.ProcessState.ExitCode()
}

// TestStepsScript: a step fails by what the kit says and by nothing else. Exit code 3 is
// news: from a comparison, that a settled claim is contradicted.
func TestStepsScript(t *testing.T) {
	t.Parallel()
	s := newSteps(t)
	for _, tc := range []struct {
		step, code string
		fails      bool
	}{
		{"ask http", "0", false},
		{"ask http", "3", false},
		{"ask http", "1", true},
		{"ask http", "2", true},
		{"compare", "0", false},
		{"compare", "3", true},
		{"compare", "1", true},
		{"replay", "0", false},
		{"replay", "3", false},
		{"replay", "1", true},
		{"tell", "0", false},
		{"tell", "3", false},
		{"tell", "1", true},
		{"ask gopher", "0", true},
		{"ask-as nobody", "0", true},
		{"ask-rights all", "0", true},
		{"nothing", "0", true},
	} {
		log, summary, exit := s.run("# A page\n", tc.code, strings.Fields(tc.step)...)
		if (exit != 0) != tc.fails {
			t.Errorf("%s with a kit that ends with %s: exit code %d\n%s", tc.step, tc.code, exit, log)
		}
		if word := strings.Fields(tc.step)[0]; (word == "compare" || word == "replay" || word == "tell") && (summary != "# A page\n" || log != summary) {
			t.Errorf("%s: the log is %q, the summary %q", tc.step, log, summary)
		}
	}
}

// TestStepsScript_large: a page that GitHub would drop is cut in the summary, and whole
// in the log.
func TestStepsScript_large(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("| a difference | of a host that has much to say |\n", 60_000)
	log, summary, exit := newSteps(t).run(page, "3", "replay")
	if exit != 0 || log != page {
		t.Errorf("exit code %d, %d of %d bytes in the log", exit, len(log), len(page))
	}
	if len(summary) > 1<<20 || len(summary) < 900_000 || !strings.HasSuffix(summary, "It is in the log of this step.\n") {
		t.Errorf("a summary of %d bytes, which ends with %q", len(summary), summary[max(0, len(summary)-80):])
	}
}
