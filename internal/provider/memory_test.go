package provider_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// envBenchMemory lets the benchmark build both providers and drive Terraform.
const envBenchMemory = "HYPERV_BENCH_MEMORY"

const (
	memoryDisks = 1000
	memoryBound = 160.0 // MiB
	memoryOver  = 25.0  // MiB above the empty provider
	memoryJob   = 60.0  // MiB while one job runs
)

// BenchmarkPlanMemory measures the peak resident memory of the provider's
// process for a plan over a thousand resources, and that of a provider that
// does nothing, which is the share of the framework.
func BenchmarkPlanMemory(b *testing.B) {
	if os.Getenv(envBenchMemory) == "" {
		b.Skip(envBenchMemory + " is not set: make bench sets it")
	}
	for range b.N {
		empty := newMemoryCLI(b, "empty", "./cmd/emptyprovider")
		empty.write("resource \"empty_thing\" \"disk\" {\n  count = " + strconv.Itoa(memoryDisks) + "\n  path = \"D:\\\\VMs\\\\${count.index}.vhdx\"\n}\n")
		floor := empty.planned()

		own := newMemoryCLI(b, "hyperv", "../..")
		var disks []hypervsim.VHD
		for i := range memoryDisks {
			disks = append(disks, vhd(func(v *hypervsim.VHD) { v.Path = fmt.Sprintf(`D:\VMs\%d.vhdx`, i) }))
		}
		sim := hypervsim.RunT(b, hypervsim.WithVHD(disks...))
		own.write(providerFor(sim, settings{"max_concurrent_compactions": "10"}) +
			"resource \"hyperv_vhd_compaction\" \"disk\" {\n  count = " + strconv.Itoa(memoryDisks) + "\n  path = \"D:\\\\VMs\\\\${count.index}.vhdx\"\n  mode = \"Prezeroed\"\n}\n")
		peak := own.planned()

		b.ReportMetric(floor, "MiB-empty")
		b.ReportMetric(peak, "MiB-plan")
		b.ReportMetric(peak-floor, "MiB-over")
		if peak > memoryBound || peak > floor+memoryOver {
			b.Errorf("%.0f MiB, the empty provider %.0f: want at most %.0f, and %.0f above it", peak, floor, memoryBound, memoryOver)
		}
	}
}

// BenchmarkJobMemory measures the resident memory of the provider's process
// while it follows a job. The growth over hours is measured in virtual time.
func BenchmarkJobMemory(b *testing.B) {
	if os.Getenv(envBenchMemory) == "" {
		b.Skip(envBenchMemory + " is not set: make bench sets it")
	}
	for range b.N {
		sim := hypervsim.RunT(b, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Immediate, v.JobDuration = false, 20*time.Second })))
		own := newMemoryCLI(b, "hyperv", "../..")
		own.write(providerFor(sim) + disk())
		own.run("apply", "-auto-approve", "-input=false")
		peak := own.peak
		b.ReportMetric(peak, "MiB-job")
		if peak > memoryJob {
			b.Errorf("%.0f MiB, want at most %.0f", peak, memoryJob)
		}
	}
}

// memoryCLI is the Terraform CLI with a real provider whose memory is watched.
type memoryCLI struct {
	b           *testing.B
	binary, dir string
	env         []string
	name        string
	peak        float64 // MiB
}

func newMemoryCLI(b *testing.B, name, source string) *memoryCLI {
	b.Helper()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("there is no /proc to read the memory of a process from")
	}
	binary := os.Getenv("TF_ACC_TERRAFORM_PATH")
	if binary == "" {
		var err error
		if binary, err = exec.LookPath("terraform"); err != nil {
			b.Skip("terraform is not on PATH")
		}
	}
	dir := b.TempDir()
	program := filepath.Join(dir, "provider")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, source).CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	script := "#!/bin/sh\necho $$ >>'" + filepath.Join(dir, "pids") + "'\nexec '" + program + "'\n"
	rc := "provider_installation {\n  dev_overrides {\n    \"hypervcompact/" + name + "\" = " + quote(dir) + "\n  }\n  direct {}\n}\n"
	for file, text := range map[string]string{"terraform-provider-" + name: script, "terraformrc": rc} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o700); err != nil {
			b.Fatal(err)
		}
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(v, "HYPERV_") || strings.HasPrefix(v, "TF_") || pace[name] != ""
	})
	env = append(env, "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraformrc"), "CHECKPOINT_DISABLE=1")
	return &memoryCLI{b: b, binary: binary, dir: dir, env: env, name: name}
}

func (c *memoryCLI) write(config string) {
	c.b.Helper()
	required := "terraform {\n  required_providers {\n    " + c.name + " = { source = \"hypervcompact/" + c.name + "\" }\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(c.dir, "main.tf"), []byte(required+config), 0o600); err != nil {
		c.b.Fatal(err)
	}
}

// planned applies, and returns the peak of a plan that then finds nothing to do.
func (c *memoryCLI) planned() float64 {
	c.b.Helper()
	c.run("apply", "-auto-approve", "-input=false")
	c.peak = 0
	c.run("plan", "-detailed-exitcode", "-input=false")
	return c.peak
}

// run runs a command that must succeed, and watches the provider meanwhile.
func (c *memoryCLI) run(args ...string) {
	c.b.Helper()
	cmd := exec.CommandContext(c.b.Context(), c.binary, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		c.b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case err := <-done:
			if err != nil {
				c.b.Fatalf("terraform %s: %v\n%s", args[0], err, tail(out.String()))
			}
			return
		case <-time.After(5 * time.Millisecond):
			c.look()
		}
	}
}

// look reads the peaks that the kernel keeps of the processes that live.
func (c *memoryCLI) look() {
	pids, _ := os.ReadFile(filepath.Join(c.dir, "pids"))
	for pid := range strings.FieldsSeq(string(pids)) {
		status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
		if err != nil {
			continue // it has ended
		}
		for line := range strings.Lines(string(status)) {
			if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kib, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 64)
				c.peak = max(c.peak, kib/1024)
			}
		}
	}
}

func tail(s string) string { return s[max(0, len(s)-2000):] }
