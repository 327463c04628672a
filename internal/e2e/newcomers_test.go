//go:build linux

package e2e_test

import (
	"archive/zip"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// These tests are the tasks of newcomers. Each command is taken from the pages, with
// nothing changed but names of hosts and folders.

const (
	newcomer         = `EXAMPLE\svc-compact`
	newcomerPassword = "typed by hand"
	exampleHost      = "hv01.example.com"
)

// clone is a copy of the tree.
func clone(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("../../.git"); err != nil {
		t.Skipf("the pages need a repository: %v", err)
	}
	tree := filepath.Join(steady(t, "clone"), "tree")
	anybodys := filepath.Join(t.TempDir(), "gitconfig") // the tree may belong to another user
	must(t, os.WriteFile(anybodys, []byte("[safe]\n\tdirectory = *\n"), 0o600))
	cmd := exec.CommandContext(t.Context(), "git", "clone", "-q", "../..", tree)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+anybodys)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return tree
}

// steady is an empty folder with the same path in each run, so that what Go compiled in it is still
// in its cache. Where that cannot be, or while another run has it, it is some other folder.
func steady(t *testing.T, name string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".cache", "e2e", t.Name(), name))
	must(t, err)
	if os.MkdirAll(filepath.Dir(dir), 0o755) != nil {
		return t.TempDir()
	}
	lock, err := os.Create(dir + ".lock")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = lock.Close() })
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || os.RemoveAll(dir) != nil || os.Mkdir(dir, 0o700) != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// firstHost is the host of the first pages.
func firstHost(t *testing.T) (sim *hypervsim.Host, env []string) {
	t.Helper()
	sim = hypervsim.RunT(t, hypervsim.WithUser(newcomer, newcomerPassword), hypervsim.WithVHD(hypervsim.VHD{
		Path: `D:\VMs\web01.vhdx`, FileSize: 10 * gib, ReclaimableMounted: 6 * gib, JobDuration: 100 * time.Millisecond,
	}))
	return sim, []string{"HYPERV_PORT=" + strconv.Itoa(sim.Port()), "HYPERV_HTTPS=false"}
}

// An administrator installs the provider from source, looks at one disk, compacts it
// and undoes it all.
func TestNewcomer_administrator(t *testing.T) {
	t.Parallel()
	sim, env := firstHost(t)
	p := newPerson(t, env...)
	install := readPage(t, "docs/guides/installation.md")
	p.in(clone(t)).succeeds("", install.section("From source").blocks("sh")...)

	start := readPage(t, "docs/guides/getting-started.md")
	p.write("main.tf", strings.ReplaceAll(start.section("1. The configuration").blocks("terraform")[0], exampleHost, sim.HostName()))
	look := append(start.section("1. The configuration").blocks("sh"), start.section("2. A look without a change").blocks("sh")...)
	contains(t, p.succeeds(newcomerPassword+"\n", look...), "Terraform has been successfully initialized", "Import successful", "No changes.")
	if n := sim.Compactions(`D:\VMs\web01.vhdx`); n != 0 {
		t.Errorf("a look without a change compacted %d times", n)
	}
	p.env = append(p.env, "HYPERV_PASSWORD="+newcomerPassword)
	contains(t, p.succeeds("", start.section("3. The first compaction").blocks("sh")...),
		"1 added, 0 changed, 0 destroyed", `status = "compacted"`, "last_run")
	contains(t, p.succeeds("", readPage(t, "docs/guides/installation.md").section("Did it work?").blocks("sh")...), "provider "+providerSource+" v0.1.0")
	contains(t, p.succeeds("", "terraform destroy"), "1 destroyed", "only forgotten, its file stays")
	if len(sim.VHDs()) != 1 {
		t.Error("the file is gone")
	}
	careful(t, sim)
}

// A user without a network puts an archive of a release into Terraform's folder.
func TestNewcomer_archive(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	install := readPage(t, "docs/guides/installation.md")
	p.write("main.tf", install.section("From the Registry").blocks("terraform")[0])
	archive, err := os.Create(filepath.Join(p.dir, fmt.Sprintf("terraform-provider-hyperv_0.1.0_%s_%s.zip", runtime.GOOS, runtime.GOARCH)))
	must(t, err)
	program, err := os.Open(filepath.Join(programs.folder, "terraform-provider-hyperv"))
	must(t, err)
	defer program.Close()
	z := zip.NewWriter(archive)
	header := &zip.FileHeader{Name: "terraform-provider-hyperv_v0.1.0"}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	must(t, err)
	_, err = io.Copy(w, program)
	must(t, err)
	must(t, z.Close())
	must(t, archive.Close())
	contains(t, p.succeeds("", install.section("From a file, without a network").blocks("sh")...), "Installed hypervcompact/hyperv v0.1.0")
	p.succeeds("", "terraform validate")
}

const (
	nightHosts  = 40
	nightDisks  = 2
	failingDisk = 3 // hosts whose first disk fails
	nightsDown  = 2 // hosts that go down after the first night
)

// nightFleet sets up the example of a fleet, with many hosts, on a person's machine.
func nightFleet(t *testing.T) ([]*hypervsim.Host, person) {
	t.Helper()
	var options []hypervsim.Option
	for d := range nightDisks {
		options = append(options, hypervsim.WithVHD(hypervsim.VHD{
			Path: diskPath(d), FileSize: 20 * gib, ReclaimableMounted: 6 * gib, JobDuration: 50 * time.Millisecond, AttachImmediate: true,
		}))
	}
	sims := startFleet(t, nightHosts, options...)
	p := newPerson(t, "HYPERV_PORT="+strconv.Itoa(sims[0].Port()), "HYPERV_HTTPS=false",
		"HYPERV_USERNAME="+hypervsim.DefaultUser, "HYPERV_PASSWORD="+hypervsim.DefaultPassword).has()
	must(t, os.CopyFS(p.dir, os.DirFS("../../examples/fleet")))
	hosts := map[string]any{}
	for h := range sims {
		hosts[hostAddress(h)] = []string{diskPath(0), diskPath(1)}
	}
	workspace{t: t, dir: p.dir}.variables(map[string]any{"hosts": hosts})
	return sims, p
}

// A platform engineer brings forty hosts under one configuration: what is due, the
// first night with failures, and a night with hosts that are down, in each pipeline.
func TestNewcomer_fleet(t *testing.T) {
	t.Parallel()
	sims, p := nightFleet(t)
	for _, sim := range sims[:failingDisk] {
		must(t, sim.Change(diskPath(0), func(v *hypervsim.VHD) {
			v.CompactionFailure = &hypervsim.JobFailure{ErrorCode: 32768, CompletionStatus: 0x80070070}
		}))
	}
	guide := readPage(t, "docs/guides/scheduled-applies.md")
	p.succeeds("", "terraform init -input=false")
	due := p.succeeds("", guide.section("What is due, and why").blocks("sh")...)
	if n := strings.Count(due, "first run\thyperv_vhd_compaction.disk["); n != nightHosts*nightDisks || strings.Count(due, "\n") != n {
		t.Errorf("%d disks are due, want a line for each of %d:\n%s", n, nightHosts*nightDisks, due)
	}

	secrets := filepath.Join(p.home(), "hyperv.env")
	must(t, os.WriteFile(secrets, []byte("HYPERV_USERNAME='"+hypervsim.DefaultUser+"'\nHYPERV_PASSWORD='"+hypervsim.DefaultPassword+"'\n"), 0o600))
	cron := strings.NewReplacer("/srv/compaction", p.dir, "/etc/terraform/hyperv.env", secrets).Replace(guide.section("cron").blocks("sh")[0])
	if _, code := p.types("", cron); code != 1 {
		t.Errorf("the first night ended with %d, want 1", code)
	}
	contains(t, p.report(), "| compacted | 77 | 462 GiB |", "| failed | 3 | 0 GiB |", "| error |", "the volume is full", "Free some space on the volume")

	for _, sim := range sims[:failingDisk] {
		must(t, sim.Change(diskPath(0), func(v *hypervsim.VHD) { v.CompactionFailure = nil }))
	}
	due = p.succeeds("", guide.section("What is due, and why").blocks("sh")...)
	if n := strings.Count(due, "\n"); n != failingDisk {
		t.Errorf("%d disks are due, want the %d that failed:\n%s", n, failingDisk, due)
	}
	p.succeeds("", cron)
	contains(t, p.report(), "| compacted | 80 |", "No errors and no warnings.")

	for _, sim := range sims[:nightsDown] {
		must(t, sim.Close())
	}
	for _, system := range []string{"GitHub Actions", "GitLab", "Azure DevOps"} {
		p.pipeline(system)
	}
	_, code := p.types("", guide.section("The report").blocks("sh")...)
	if code != 3 {
		t.Errorf("the commands of the report end with %d, want 3 for a host that was left out", code)
	}
	for _, sim := range sims[nightsDown:] {
		careful(t, sim)
	}
}

func (p person) report() string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "report.md"))
	must(p.t, err)
	return string(text)
}

var (
	yamlRun    = regexp.MustCompile(`(?m)^\s*(?:- )?run: (.+)$`)
	yamlScript = regexp.MustCompile(`(?m)^  (?:after_)?script:\n((?:    - .+\n)+)`)
	yamlBash   = regexp.MustCompile(`(?m)^      - bash: \|\n((?:          .*\n)+)`)
)

// steps are the commands of each step of a pipeline.
func (p person) steps(system string) []string {
	p.t.Helper()
	yaml := readPage(p.t, "docs/guides/ci-pipelines.md").section(system).blocks("yaml")[0]
	var all []string
	switch system {
	case "GitHub Actions":
		for _, m := range yamlRun.FindAllStringSubmatch(yaml, -1) {
			all = append(all, m[1])
		}
	case "GitLab":
		for _, m := range yamlScript.FindAllStringSubmatch(yaml, -1) {
			all = append(all, strings.ReplaceAll(m[1], "    - ", ""))
		}
	default:
		for _, m := range yamlBash.FindAllStringSubmatch(yaml, -1) {
			all = append(all, strings.ReplaceAll(m[1], "          ", ""))
		}
	}
	if len(all) < 2 {
		p.t.Fatalf("%s has %d steps", system, len(all))
	}
	return all
}

// pipeline runs the steps of a pipeline on a night on which hosts are down: one step fails and
// names them, the report is made, and an alert is sent where the pipeline can.
func (p person) pipeline(system string) {
	p.t.Helper()
	summary := filepath.Join(p.home(), "summary.md")
	alerts := filepath.Join(p.home(), "alerts")
	bin := filepath.Join(p.home(), "bin")
	must(p.t, os.MkdirAll(bin, 0o700))
	must(p.t, os.WriteFile(filepath.Join(bin, "gh"), []byte("#!/bin/sh\necho \"$@\" >>'"+alerts+"'\n"), 0o700))
	for _, old := range []string{summary, alerts, filepath.Join(p.dir, "report.md"), filepath.Join(p.dir, "apply.jsonl")} {
		_ = os.Remove(old)
	}
	p.env = append(p.env, "GITHUB_STEP_SUMMARY="+summary, "GITHUB_RUN_ID=1")
	failed, screen := 0, ""
	for _, step := range p.steps(system) {
		out, code := p.types("", "PATH='"+bin+"':$PATH", step)
		screen += out
		if code != 0 {
			failed++
		}
	}
	if failed != 1 {
		p.t.Errorf("%s: %d steps failed, want one:\n%s", system, failed, screen)
	}
	contains(p.t, screen, "left out: "+hostAddress(0)+", "+hostAddress(1))
	contains(p.t, p.report(), "| compacted | 80 |", "Hyper-V host unreachable, state kept", hostAddress(0))
	if system == "GitHub Actions" {
		alert, _ := os.ReadFile(alerts)
		contains(p.t, string(alert), "issue create", "--body-file report.md")
		shown, _ := os.ReadFile(summary)
		contains(p.t, string(shown), "## Compaction")
	}
}

// A reviewer tries what the page on security says: no request goes to a proxy, and no password is
// in state, plan or log.
func TestNewcomer_reviewer(t *testing.T) {
	t.Parallel()
	contains(t, readPage(t, "docs/guides/least-privilege.md").section("At a glance").text, "No proxy is used", "No credentials", "They are in no log, at no level")
	sim, env := firstHost(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	var proxied atomic.Int64
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			proxied.Add(1)
			_ = conn.Close()
		}
	}()
	proxy := "http://" + l.Addr().String()
	p := newPerson(t, append(env, "HYPERV_PASSWORD="+newcomerPassword, "TF_LOG=TRACE", "TF_LOG_PATH=trace.log",
		"HTTP_PROXY="+proxy, "HTTPS_PROXY="+proxy, "http_proxy="+proxy, "https_proxy="+proxy)...).has()
	start := readPage(t, "docs/guides/getting-started.md")
	p.write("main.tf", strings.ReplaceAll(start.section("1. The configuration").blocks("terraform")[0], exampleHost, sim.HostName()))
	p.succeeds("", "terraform init", "terraform plan -out=tfplan", "terraform apply tfplan")
	if n := proxied.Load(); n != 0 {
		t.Errorf("%d connections went to the proxy", n)
	}
	for _, name := range []string{"terraform.tfstate", "tfplan", "trace.log"} {
		text, err := os.ReadFile(filepath.Join(p.dir, name))
		must(t, err)
		if len(text) == 0 || strings.Contains(string(text), newcomerPassword) {
			t.Errorf("%s is empty or holds the password", name)
		}
	}
}

// A contributor comes from a fork to a branch with a test that passes, as the page says.
func TestNewcomer_contributor(t *testing.T) {
	t.Parallel()
	const fork = "https://github.com/YOU/terraform-provider-hyperv"
	first := readPage(t, "CONTRIBUTING.md").section("From the clone to the first change").blocks("sh")[0]
	if !strings.Contains(first, fork) {
		t.Fatalf("the page clones no fork: %s", first)
	}
	p := newPerson(t, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*").in(steady(t, "fork"))
	contains(t, p.succeeds("", strings.ReplaceAll(first, fork, "'"+clone(t)+"' terraform-provider-hyperv")),
		"ok github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv", "my-fix")
}
