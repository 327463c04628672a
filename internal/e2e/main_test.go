package e2e_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	// The tests start a program that they build. Without this import go test would
	// take a cached result for a provider that has changed since.
	_ "github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// parallel is how many tests run at once: they spend more time waiting for jobs
// than computing.
const parallel = "12"

// programs are those that the tests start; empty, with the reason, when they cannot.
var programs struct {
	terraform string
	folder    string // holds the provider
	missing   string
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

// quicken makes the providers wait less than in production before they try a compaction on an
// attachment that a killed one may have left, and keeps the many short commands from collecting
// garbage, which took a third of their processor time.
func quicken() error {
	return errors.Join(
		os.Setenv("HYPERV_TEST_TAKE_OVER_AFTER", "3s"),
		os.Setenv("GOGC", "off"), os.Setenv("GOMEMLIMIT", "1GiB"),
	)
}

// run builds the provider once for all tests.
func run(m *testing.M) int {
	flag.Parse()
	atOnce := parallel
	if onRealHost() {
		atOnce = cmp.Or(os.Getenv(envParallel), "1") // a failure there shall have one cause
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		return fail(err)
	}
	defaultDispositions()
	if err := quicken(); err != nil {
		return fail(err)
	}
	folder, err := os.MkdirTemp("", "hyperv-e2e-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(folder)
	programs.folder = folder
	programs.terraform = os.Getenv("TF_ACC_TERRAFORM_PATH")
	if programs.terraform == "" {
		programs.terraform, err = exec.LookPath("terraform")
	}
	if testing.Short() {
		return m.Run()
	}
	if _, noGo := exec.LookPath("go"); err != nil || noGo != nil {
		programs.missing = "Terraform or Go is not on PATH"
		return m.Run()
	}
	binary := filepath.Join(folder, "terraform-provider-hyperv")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := append([]string{"build", "-buildvcs=false", "-o", binary}, buildFlags...)
	out, err := exec.Command("go", append(build, "../..")...).CombinedOutput()
	if err != nil {
		return fail(fmt.Errorf("build the provider: %w\n%s", err, out))
	}
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
