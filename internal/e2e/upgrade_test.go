package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// envUpgrade names the commit that an upgrade begins with; without it, it is the
// last tagged one. What code before the first tag has stored is in testdata.
const envUpgrade = "HYPERV_TEST_UPGRADE_FROM"

const upgradeConfig = `
resource "hyperv_vhd_compaction" "disk" {
  path     = "D:\\VMs\\disk.vhdx"
  triggers = { month = "11" }
}
`

// The state of the last release is read by the current code and nothing is due; a plan that the
// last release saved is carried out, or refused before anything is started.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	before := w.env
	from := lastRelease(t)
	old := olderProvider(t, from)
	sim := hypervsim.RunT(t, hypervsim.WithVHD(hypervsim.VHD{
		Path: `D:\VMs\disk.vhdx`, FileSize: 10 * gib, ReclaimableMounted: 6 * gib, JobDuration: time.Second,
	}))
	w.write("main.tf", storedProvider(sim)+upgradeConfig)

	w.env = append(before, "TF_CLI_CONFIG_FILE="+cliConfig(t, w.dir, old))
	w.expect(0, "apply")
	w.expect(0, "plan", "-detailed-exitcode")
	compactions := sim.Compactions(`D:\VMs\disk.vhdx`)

	w.env = before
	w.expect(0, "plan", "-detailed-exitcode")

	must(t, sim.Change(`D:\VMs\disk.vhdx`, func(v *hypervsim.VHD) { v.FileSize = 12 * gib }))
	w.env = append(before, "TF_CLI_CONFIG_FILE="+cliConfig(t, w.dir, old))
	w.expect(2, "plan", "-detailed-exitcode", "-out=old.plan")
	w.env = before
	apply := w.command("apply", "old.plan")
	out, err := apply.CombinedOutput()
	done := sim.Compactions(`D:\VMs\disk.vhdx`) - compactions
	if err == nil && done == 0 || err != nil && done != 0 {
		t.Errorf("the plan of %s ended with %v after %d compactions:\n%s", from, err, done, plain(out))
	}
	t.Logf("the plan of %s: %v", from, err)
	w.expect(0, "apply")
	w.expect(0, "plan", "-detailed-exitcode")
	careful(t, sim)
}

// lastRelease is the commit of the last tag before this one.
func lastRelease(t *testing.T) string {
	t.Helper()
	if from := os.Getenv(envUpgrade); from != "" {
		return from
	}
	out, err := exec.CommandContext(t.Context(), "git", "describe", "--tags", "--abbrev=0", "--match=v*", "HEAD^").Output()
	if err != nil {
		t.Skipf("no tag to upgrade from; %s can name a commit", envUpgrade)
	}
	return strings.TrimSpace(string(out))
}

// olderProvider builds the provider of a commit and returns its folder.
func olderProvider(t *testing.T, commit string) string {
	t.Helper()
	source, folder := t.TempDir(), t.TempDir()
	// Its modules may have to be fetched, from a proxy that can fail for a moment.
	build := exec.CommandContext(t.Context(), "sh", "-euc",
		`git -C "$0" archive "$1" | tar -x -C "$2"; cd "$2"; go mod download || { sleep 10; go mod download; }; go build -buildvcs=false -o "$3/terraform-provider-hyperv" .`,
		"../..", commit, source, folder)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the provider of %s: %v\n%s", commit, err, out)
	}
	return folder
}

// cliConfig writes a configuration of Terraform's command line that takes the
// provider from a folder.
func cliConfig(t *testing.T, dir, folder string) string {
	t.Helper()
	file := filepath.Join(dir, filepath.Base(folder)+".tfrc")
	must(t, os.WriteFile(file, []byte(devOverride(folder)), 0o600))
	return file
}
