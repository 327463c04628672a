//go:build linux

package wine_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/interop/wine"
)

const (
	disk   = `D:\VMs\sql01.vhdx`
	source = "registry.terraform.io/hypervcompact/hyperv"
	grace  = 3 * time.Second
)

// workspace is a folder in which the Terraform of this machine works with the provider
// for Windows, under a parent for Windows.
type workspace struct {
	t         *testing.T
	dir       string
	terraform string
	provider  string
}

func newWorkspace(t *testing.T, w *wine.Wine, securityPackage string, sim *hypervsim.Host) *workspace {
	t.Helper()
	ws := &workspace{t: t, dir: t.TempDir(), terraform: os.Getenv("TF_ACC_TERRAFORM_PATH")}
	if ws.terraform == "" {
		var err error
		if ws.terraform, err = exec.LookPath("terraform"); err != nil {
			t.Skip("no terraform: set TF_ACC_TERRAFORM_PATH")
		}
	}
	// A unique name distinguishes this provider from others in the list of processes.
	ws.provider = filepath.Join(ws.dir, "provider.exe")
	t.Cleanup(func() { // of a failed test, because nothing else ends them
		for _, pid := range append(ws.processes("parent.exe"), ws.processes("provider.exe")...) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	link(t, program(t, w, "."), ws.provider)
	link(t, program(t, w, "./internal/interop/wine/testdata/parent"), filepath.Join(ws.dir, "parent.exe"))

	var script strings.Builder
	script.WriteString("#!/bin/sh\n")
	for _, v := range append(w.Environment(logon(securityPackage)), "HYPERV_WINE_GRACE="+grace.String()) {
		name, value, _ := strings.Cut(v, "=")
		fmt.Fprintf(&script, "export %s='%s'\n", name, value)
	}
	fmt.Fprintf(&script, "exec '%s' '%s/parent.exe' '%s' \"$@\"\n", w.Program(), ws.dir, ws.provider)
	plugins := filepath.Join(ws.dir, "plugins")
	files := map[string]string{
		"cli.tfrc": fmt.Sprintf("provider_installation {\n dev_overrides {\n  %q = %q\n }\n direct {}\n}\n", source, plugins),
		"main.tf": fmt.Sprintf("terraform {\n required_providers {\n  hyperv = {\n   source = %q\n  }\n }\n}\n"+
			"provider \"hyperv\" {\n host = \"127.0.0.1\"\n port = %d\n https = false\n auth = \"windows\"\n}\n"+
			"resource \"hyperv_vhd_compaction\" \"disk\" {\n path = %q\n}\n", source, sim.Port(), disk),
		"plugins/terraform-provider-hyperv": script.String(),
	}
	for name, text := range files {
		path := filepath.Join(ws.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return ws
}

func link(t *testing.T, old, name string) {
	t.Helper()
	if err := os.Link(old, name); err != nil {
		b, err := os.ReadFile(old)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, b, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func (ws *workspace) command(arguments ...string) *exec.Cmd {
	c := exec.Command(ws.terraform, append(arguments, "-no-color", "-input=false")...)
	c.Dir = ws.dir
	clean := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "HYPERV_") || strings.HasPrefix(v, "TF_") })
	c.Env = append(clean, "TF_CLI_CONFIG_FILE="+filepath.Join(ws.dir, "cli.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	return c
}

func (ws *workspace) run(arguments ...string) {
	ws.t.Helper()
	if out, err := ws.command(arguments...).CombinedOutput(); err != nil {
		ws.t.Fatalf("terraform %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
}

// processes returns those whose command line begins with a program of the workspace.
func (ws *workspace) processes(name string) []int {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var all []int
	for _, file := range files {
		b, err := os.ReadFile(file)
		text := strings.ReplaceAll(string(b), `\`, "/") // Wine has either
		if err != nil || !strings.Contains(text, ws.dir) {
			continue
		}
		words := strings.Split(text, "\x00")
		if first := words[min(1, len(words)-1)]; strings.HasSuffix(words[0], "/"+name) || strings.HasSuffix(first, "/"+name) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
				all = append(all, pid)
			}
		}
	}
	return all
}

func vhd() hypervsim.VHD {
	return hypervsim.VHD{Path: disk, FileSize: 10 << 30, ReclaimableMounted: 6 << 30, JobDuration: 2 * time.Second, AttachDuration: 100 * time.Millisecond}
}

// A disk goes through its whole life with a provider for Windows and the logon of Windows: created,
// planned anew without changes, compacted again when it has grown, destroyed.
func TestTerraform(t *testing.T) { //nolint:paralleltest // one program at a time has the machine
	w := find(t)
	for _, securityPackage := range packages { //nolint:paralleltest // one program at a time has the machine
		t.Run(securityPackage, func(t *testing.T) {
			sim := host(t, hypervsim.WithVHD(vhd()))
			ws := newWorkspace(t, w, securityPackage, sim)
			ws.run("apply", "-auto-approve")
			ws.run("plan", "-detailed-exitcode")
			sim.Grow(disk, 8<<30)
			ws.run("apply", "-auto-approve")
			ws.run("destroy", "-auto-approve")
			if n := sim.Calls("CompactVirtualHardDisk"); n != 2 || sim.FailedLogons() != 0 || len(sim.Attachments()) != 0 {
				t.Errorf("%d compactions, %d failed logons, attached: %+v", n, sim.FailedLogons(), sim.Attachments())
			}
			eventually(t, "the providers end", func() bool { return len(ws.processes("provider.exe")) == 0 })
		})
	}
}

// Terraform and the parent of its provider, which on Windows are one process, are killed in the
// middle of a run: the provider cancels the job, detaches the disk and ends.
func TestParentKilled(t *testing.T) { //nolint:paralleltest // as above
	w := find(t)
	v := vhd()
	v.JobDuration = 10 * time.Minute
	sim := host(t, hypervsim.WithVHD(v))
	ws := newWorkspace(t, w, "Negotiate", sim)
	apply := ws.command("apply", "-auto-approve")
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the compaction begins", func() bool { return sim.Calls("CompactVirtualHardDisk") == 1 })
	parents := ws.processes("parent.exe")
	if len(parents) == 0 || len(ws.processes("provider.exe")) == 0 {
		t.Fatalf("parents %v, providers %v", parents, ws.processes("provider.exe"))
	}
	_ = apply.Process.Kill()
	_ = apply.Wait()
	for _, pid := range parents {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(t, "the disk is detached", func() bool { return len(sim.Attachments()) == 0 })
	for _, j := range sim.Jobs() {
		if j.EndTime.IsZero() {
			t.Errorf("a job runs: %+v", j)
		}
	}
	eventually(t, "the provider ends", func() bool { return len(ws.processes("provider.exe")) == 0 })
	if bad := sim.Violations(); len(bad) > 0 {
		t.Errorf("violations: %q", bad)
	}
}
