//go:build linux

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// page is a document whose commands are run as they stand.
type page struct {
	t    *testing.T
	name string
	text string
}

func readPage(t *testing.T, name string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	must(t, err)
	return page{t: t, name: name, text: string(text)}
}

// section is the part of a page below a heading of the second level.
func (p page) section(heading string) page {
	p.t.Helper()
	_, rest, found := strings.Cut(p.text, "\n## "+heading+"\n")
	if !found {
		p.t.Fatalf("%s has no section %q", p.name, heading)
	}
	p.text, _, _ = strings.Cut(rest, "\n## ")
	return p
}

var codeBlock = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// blocks returns the blocks of a language, except those that need the network.
func (p page) blocks(language string) []string {
	p.t.Helper()
	var all []string
	for _, m := range codeBlock.FindAllStringSubmatch(p.text, -1) {
		if m[1] == language && !strings.HasPrefix(m[2], needsNetwork) {
			all = append(all, m[2])
		}
	}
	if len(all) == 0 {
		p.t.Fatalf("%s has no block of %s", p.name, language)
	}
	return all
}

// person is a user at a shell of a separate machine.
type person struct {
	t   *testing.T
	dir string // where they work
	env []string
}

// newPerson returns a user with an empty home and an empty folder, who has Terraform and nothing of
// this provider.
func newPerson(t *testing.T, env ...string) person {
	t.Helper()
	w := newWorkspace(t)
	for _, program := range []string{"bash", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the pages need %s", program)
		}
	}
	bin, home := t.TempDir(), t.TempDir()
	must(t, os.Symlink(programs.terraform, filepath.Join(bin, "terraform")))
	goEnv, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	must(t, err)
	caches := strings.Fields(string(goEnv))
	clean := slices.DeleteFunc(w.env, func(v string) bool {
		return v == withoutTLS || strings.HasPrefix(v, "TF_CLI_CONFIG_FILE=") || strings.HasPrefix(v, "HOME=") || strings.HasPrefix(v, "PATH=")
	})
	clean = append(clean, "HOME="+home, "PATH="+bin+":"+os.Getenv("PATH"), "GOFLAGS=-buildvcs=false",
		"GOCACHE="+caches[0], "GOMODCACHE="+caches[1], "GOPATH="+caches[2],
		"TF_CLI_ARGS=-no-color", "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve")
	return person{t: t, dir: w.dir, env: append(clean, env...)}
}

// has puts the provider of this tree where an installation puts it.
func (p person) has() person {
	p.t.Helper()
	folder := filepath.Join(p.home(), ".terraform.d/plugins", providerSource, "0.1.0", runtime.GOOS+"_"+runtime.GOARCH)
	must(p.t, os.MkdirAll(folder, 0o700))
	must(p.t, os.Link(filepath.Join(programs.folder, "terraform-provider-hyperv"), filepath.Join(folder, "terraform-provider-hyperv_v0.1.0")))
	return p
}

func (p person) home() string {
	for _, v := range p.env {
		if home, ok := strings.CutPrefix(v, "HOME="); ok {
			return home
		}
	}
	p.t.Fatal("no home")
	return ""
}

// in returns the same person in another folder.
func (p person) in(dir string) person {
	p.dir = dir
	return p
}

func (p person) write(name, content string) {
	p.t.Helper()
	must(p.t, os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o600))
}

// types runs commands as typed by a user who stops at the first that fails, and returns the screen
// and the exit code. The answers are typed when commands ask for input.
func (p person) types(answers string, commands ...string) (string, int) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "bash", "-euo", "pipefail", "-c", strings.Join(commands, "\n"))
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.WaitDelay = p.dir, p.env, strings.NewReader(answers), time.Minute
	out, _ := cmd.CombinedOutput()
	return plain(out), cmd.ProcessState.ExitCode()
}

// succeeds is types for commands that must end with 0.
func (p person) succeeds(answers string, commands ...string) string {
	p.t.Helper()
	out, code := p.types(answers, commands...)
	if code != 0 {
		p.t.Fatalf("ended with %d:\n%s\n%s", code, strings.Join(commands, "\n"), out)
	}
	return out
}
