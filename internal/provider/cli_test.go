package provider_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// cli is the Terraform CLI in a separate folder, with the provider as a
// separate process.
type cli struct {
	t      *testing.T
	binary string
	dir    string
	env    []string
}

const requiredProviders = `terraform {
  required_providers {
    hyperv = { source = "hypervcompact/hyperv" }
  }
}
`

// withoutTLS lets Terraform talk to the provider without TLS, which takes nearly half of the
// processor time of a plan. Terraform has it for such tests. Package e2e has tests with TLS.
const withoutTLS = "TF_DISABLE_PLUGIN_TLS=1"

func newCLI(t *testing.T, env ...string) cli {
	t.Helper()
	switch {
	case runtime.GOOS == "windows":
		t.Skip("the provider is started by a shell script")
	case testing.Short():
		t.Skip("whole programs are no part of a sample") // see package sample
	}
	binary := os.Getenv("TF_ACC_TERRAFORM_PATH")
	if binary == "" {
		found, err := exec.LookPath("terraform")
		if err != nil {
			t.Skip("terraform is not on PATH")
		}
		binary = found
	}
	self, err := os.Executable()
	must(t, err)
	dir := t.TempDir()
	script := "#!/bin/sh\n" + envServe + "=1 exec '" + self + "'\n"
	must(t, os.WriteFile(filepath.Join(dir, "terraform-provider-hyperv"), []byte(script), 0o700))
	rc := filepath.Join(dir, "terraformrc")
	must(t, os.WriteFile(rc, []byte("provider_installation {\n  dev_overrides {\n    \"hypervcompact/hyperv\" = "+quote(dir)+"\n  }\n  direct {}\n}\n"), 0o600))
	clean := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "HYPERV_") || strings.HasPrefix(v, "TF_") })
	return cli{t: t, binary: binary, dir: dir, env: append(append(clean, "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", withoutTLS), env...)}
}

func (c cli) write(config string) {
	c.t.Helper()
	must(c.t, os.WriteFile(filepath.Join(c.dir, "main.tf"), []byte(requiredProviders+config), 0o600))
}

// command is a command that has not started yet.
func (c cli) command(args ...string) *exec.Cmd {
	at := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") && a != "state" && a != "workspace" }) + 1
	cmd := exec.CommandContext(c.t.Context(), c.binary, slices.Insert(slices.Clone(args), at, "-no-color")...)
	cmd.Dir, cmd.Env = c.dir, c.env
	return cmd
}

// run runs a command and returns its output and exit code.
func (c cli) run(args ...string) (string, int) {
	c.t.Helper()
	cmd := c.command(args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// expect runs a command that must end with an exit code.
func (c cli) expect(code int, args ...string) string {
	c.t.Helper()
	out, got := c.run(args...)
	if got != code {
		c.t.Fatalf("terraform %s ended with %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	return out
}

func contains(t *testing.T, out string, parts ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(out)), " ")
	for _, part := range parts {
		if !strings.Contains(flat, part) {
			t.Errorf("the output lacks %q:\n%s", part, out)
		}
	}
}

// A due run, and nothing else, gives -detailed-exitcode 2.
func TestCLI_exitCodes(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newCLI(t)
	c.write(providerFor(sim) + disk() + "output \"status\" {\n  value = hyperv_vhd_compaction.disk.status\n}\n")
	plan := []string{"plan", "-detailed-exitcode", "-input=false"}
	apply := []string{"apply", "-auto-approve", "-input=false"}

	contains(t, c.expect(2, plan...), `plan_reason = "first run"`)
	c.expect(0, apply...)
	c.expect(0, plan...)
	must(t, sim.Grow(diskPath, 512*mib))
	c.expect(0, plan...)
	must(t, sim.Grow(diskPath, gib))
	contains(t, c.expect(2, plan...), "will be updated in-place", "grew 1.5 GiB (37 %) since the last compaction")
	c.expect(0, apply...)
	c.expect(0, plan...)
	c.expect(0, "destroy", "-auto-approve")
	compactions(t, sim, 2)
}

// A fleet with a host that is down gets one folded warning and an empty plan.
func TestCLI_foldedWarnings(t *testing.T) {
	t.Parallel()
	const second = `D:\VMs\web02.vhdx`
	sim := host(t, hypervsim.WithVHD(vhd(), vhd(func(v *hypervsim.VHD) { v.Path = second })))
	skip := settings{"if_unreachable": `"skip"`}
	disks := disk(skip) + named("second", skip, settings{"path": quote(second)})
	c := newCLI(t)
	c.write(providerFor(sim) + disks)
	c.expect(0, "apply", "-auto-approve")

	c.write(providerFor(sim, settings{"port": closedPort(t)}) + disks)
	contains(t, c.expect(0, "plan", "-detailed-exitcode"),
		"Warning: Hyper-V host unreachable, state kept", "(and one more similar warning elsewhere)", "No changes.")

	other := host(t, hypervsim.WithAddress("127.0.0.2:"+fmt.Sprint(sim.Port())), hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.VirtualDiskID = "another" })))
	c.write(providerFor(other) + disks)
	contains(t, c.expect(2, "plan", "-detailed-exitcode"),
		"Warning: Another virtual hard disk under the same path", "(and one more similar warning elsewhere)", "must be replaced")
}

// A password is nowhere but in the configuration: not in a log at any level, not
// in the state, not in a saved plan, not in an error.
func TestCLI_secretsStaySecret(t *testing.T) {
	t.Parallel()
	const canary = "c4nary-Pässwörd-0815"
	for name, test := range map[string]struct {
		options  []hypervsim.Option
		provider settings
		code     int
		logged   string // proof that the log holds lines of this provider
	}{
		"NTLM": {
			options: []hypervsim.Option{hypervsim.WithUser(`HYPERV\operator`, canary)}, logged: "GetVirtualHardDiskState",
		},
		"Basic": {
			options:  []hypervsim.Option{hypervsim.WithUser("operator", canary), hypervsim.WithBasic(), hypervsim.WithTLS()},
			provider: settings{"auth": `"basic"`, "https": "true", "cacert_path": `"ca.pem"`}, logged: "GetVirtualHardDiskState",
		},
		"refused": {
			options: []hypervsim.Option{hypervsim.WithUser(`HYPERV\operator`, "another")}, code: 1, logged: "GetVirtualHardDiskSettingData",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, append(test.options, hypervsim.WithVHD(vhd()))...)
			c := newCLI(t, "TF_LOG=TRACE", "TF_LOG_PATH=trace.log", "HYPERV_USER=operator", "HYPERV_PASSWORD="+canary)
			c.write(providerFor(sim, settings{"username": "", "password": ""}, test.provider) + disk())
			must(t, os.WriteFile(filepath.Join(c.dir, "ca.pem"), sim.CACertificate(), 0o600))
			out := c.expect(0, "plan", "-out=saved.plan")
			out += c.expect(test.code, "apply", "-input=false", "saved.plan")
			if test.code == 0 && sim.Calls("CompactVirtualHardDisk") != 1 {
				t.Error("the disk was not compacted")
			}
			assertSecret(t, c.dir, out, canary, test.logged)
		})
	}
}

// assertSecret looks for a secret, plain and encoded, in everything written.
func assertSecret(t *testing.T, dir, out, secret, logged string) {
	t.Helper()
	written := map[string]string{"output": out}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err == nil {
			written[filepath.Base(file)] = string(content)
		}
	}
	log := written["trace.log"]
	if !strings.Contains(log, logged) {
		t.Errorf("the log at level TRACE lacks %s: the search proves nothing", logged)
	}
	for name, text := range written {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("operator:" + secret))} {
			if strings.Contains(text, form) {
				t.Errorf("%s holds the password", name)
			}
		}
	}
}

// Events on the host between plan and apply change neither.
func TestCLI_savedPlan(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newCLI(t)
	c.write(providerFor(sim) + disk())
	c.expect(0, "apply", "-auto-approve")
	must(t, sim.Grow(diskPath, 2*gib))
	c.expect(2, "plan", "-detailed-exitcode", "-out=saved.plan")
	must(t, sim.Grow(diskPath, 5*gib))
	c.expect(0, "apply", "saved.plan")
	c.expect(0, "plan", "-detailed-exitcode")
	contains(t, c.expect(0, "state", "show", address), "grew 2.0 GiB (50 %) since the last compaction")
}

// An interrupt cancels the job, detaches the disk and keeps the state; the next
// apply goes on.
func TestCLI_interrupt(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	c := newCLI(t, "TF_LOG_PROVIDER=INFO", "TF_LOG_PATH=provider.log")
	c.write(providerFor(sim) + disk())
	c.expect(0, "apply", "-auto-approve")

	must(t, sim.Grow(diskPath, 8*gib))
	must(t, sim.Change(diskPath, func(v *hypervsim.VHD) { v.Immediate, v.JobDuration = false, time.Hour }))
	polled := make(chan struct{})
	sim.AddRule(hypervsim.Rule{Class: "Msvm_StorageJob", Operation: hypervsim.OperationGet, Func: func(hypervsim.Request) { close(polled) }})
	cmd := c.command("apply", "-auto-approve")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	select {
	case <-polled:
	case <-t.Context().Done():
		t.Fatal("the job was never polled")
	}
	must(t, cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err == nil {
		t.Fatalf("the interrupted apply succeeded:\n%s", &out)
	}
	contains(t, out.String(), "Unable to compact virtual hard disk", "interrupted")
	contains(t, c.expect(0, "state", "show", address), `status = "interrupted"`, "left_attached = false")
	detached(t, sim)
	progress, err := os.ReadFile(filepath.Join(c.dir, "provider.log"))
	must(t, err)
	contains(t, string(progress), "compaction attaching", "compaction compacting", "compaction cancelling", "compaction detaching")

	must(t, sim.Change(diskPath, func(v *hypervsim.VHD) { v.Immediate = true }))
	contains(t, c.expect(0, "apply", "-auto-approve"), "the last run was interrupted")
	c.expect(0, "plan", "-detailed-exitcode")
}

// A read-only attachment that a killed run left is used, detached and named.
func TestCLI_takesOverAttachment(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()))
	must(t, sim.Attach(diskPath, true))
	c := newCLI(t)
	c.write(providerFor(sim) + disk())
	contains(t, c.expect(0, "apply", "-auto-approve"), "Warning: Attachment of an earlier run taken over", "Path: "+diskPath)
	detached(t, sim)
}
