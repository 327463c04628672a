package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// Canaries: none of these texts may appear in a report or a recording.
const (
	canaryDomain   = "CANARYDOM"
	canaryUser     = "canary.user"
	canaryPassword = `canary"pass<word&`
	canaryComputer = "CANARYHOST"
	canaryCluster  = "CANARYCLUSTER"
	canaryMachine  = "canary machine"
	canaryFolder   = "canary folder"

	scratch = `D:\canary scratch`
)

func diskPath(extension string) string { return `D:\` + canaryFolder + `\canary disk` + extension }

// fixtures returns machines in every state, and the observations that a set-up would have made.
func fixtures() ([]hypervsim.Option, *conformance.Fixtures) {
	opts, machines := rehearsal.Machines(`D:\`+canaryFolder+` of machines`, canaryMachine+" ")
	formatted := `D:\` + canaryFolder + `\canary formatted.vhdx`
	opts = append(opts, hypervsim.WithVHD(hypervsim.VHD{Path: formatted}))
	refused := true
	return opts, &conformance.Fixtures{Machines: machines, Formatted: formatted, PlugIn: rehearsal.PlugIn, ChannelBinding: "Strict", FilteredTokenRefused: &refused}
}

// arrange returns the options of a host with everything that the kit can ask about.
func arrange(extension string, opts ...hypervsim.Option) []hypervsim.Option {
	machines, _ := fixtures()
	opts = append(machines, opts...)
	return append([]hypervsim.Option{
		hypervsim.WithUser(canaryDomain+`\`+canaryUser, canaryPassword), hypervsim.WithComputerName(canaryComputer),
		hypervsim.WithDirectory(scratch, `C:\Documents and Settings`, `C:\Windows`),
		hypervsim.WithVHD(hypervsim.VHD{Path: diskPath(extension)}),
		hypervsim.WithFailover(hypervsim.Failover{
			Name: canaryCluster, FQDN: canaryCluster + "." + canaryDNS, Nodes: map[string]hypervsim.NodeState{canaryComputer: hypervsim.NodeUp},
			Volumes: map[string]uint32{`C:\ClusterStorage\Volume1`: 0},
		}),
		hypervsim.WithDirectory(`C:\ClusterStorage\Volume1\System Volume Information`),
		hypervsim.WithVM(hypervsim.VM{Name: canaryMachine, Disks: []string{diskPath(extension)}}),
	}, opts...)
}

func options(sim *hypervsim.Host, extension string) conformance.Options {
	_, there := fixtures()
	return conformance.Options{
		Host: sim.HostName(), Disk: diskPath(extension), Write: true, Scratch: scratch, Version: "test", Fixtures: there,
		Config: hyperv.Config{
			Auth: hyperv.AuthNTLM, Username: canaryDomain + `\` + canaryUser, Password: canaryPassword,
			Port: sim.Port(), RequestTimeout: time.Minute, Dial: sim.Dial,
		},
	}
}

// emptyHanded fails the test if the kit left anything on the host.
func emptyHanded(t *testing.T, sim *hypervsim.Host) {
	t.Helper()
	for _, v := range sim.VHDs() {
		if strings.Contains(v.Path, "hyperv-conformance-") {
			t.Errorf("left on the host: %s", v.Path)
		}
	}
	for _, j := range sim.Jobs() {
		if j.EndTime.IsZero() {
			t.Errorf("a job is left: %+v", j)
		}
	}
	if a := sim.Attachments(); len(a) > 0 {
		t.Errorf("left attached: %+v", a)
	}
	// A disk of the kit's own may be detached beneath the kit's own compaction: it
	// is deleted next.
	for _, v := range sim.TakeViolations() {
		if !strings.Contains(v, "hyperv-conformance-") {
			t.Errorf("violation: %s", v)
		}
	}
}

// written reads the files that Write wrote.
func written(t *testing.T, r *conformance.Report) string {
	t.Helper()
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range []string{"report.txt", "report.json", "recordings.json"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

// TestSimulatedHosts: the simulated host behaves as the claims say, for every
// claim that can be asked of its generation, and nothing stays behind.
func TestSimulatedHosts(t *testing.T) {
	t.Parallel()
	for name, tc := range sample.EveryNamed(3, map[string]struct {
		release   hypervsim.Release
		extension string
		untested  []string
	}{
		"newer": {hypervsim.Server2022, ".vhdx", []string{
			"access-denied-code", "inspection-after-job", "kerberos-raw-token", "v1-on-2012r2", "storage-jobs-of-other-users",
			"binding-missing-refused", "binding-wrong-refused", "utf16-answer",
			"rights-both", "rights-hyper-v", "rights-namespace", "rights-remote-management", "rights-root",
		}},
		"2012 R2": {hypervsim.Server2012R2, ".vhdx", []string{
			"access-denied-code", "inspection-after-job", "kerberos-raw-token", "state-timestamp", "storage-jobs-of-other-users",
			"binding-missing-refused", "binding-wrong-refused", "utf16-answer",
			"rights-both", "rights-hyper-v", "rights-namespace", "rights-remote-management", "rights-root",
			"find-mounted", "find-mounted-nothing", "parameter-type",
		}},
		"older": {hypervsim.Server2008, ".vhd", []string{
			"access-denied-code", "inspection-after-job", "kerberos-raw-token", "v1-on-2012r2", "storage-jobs-of-other-users",
			"binding-missing-refused", "binding-wrong-refused", "utf16-answer",
			"rights-both", "rights-hyper-v", "rights-namespace", "rights-remote-management", "rights-root",
			"address-reuse", "attached-device-path", "attached-lun-order", "attachment-name", "partition-access-paths", "checkpoint-disks", "checkpoint-kind", "compact-running",
			"inspect-attached", "inspect-running", "inspect-saved", "machine-disk-named", "notes-unset", "replication-mode-none",
			"state-number-off", "state-number-paused", "state-number-running", "state-number-saved", "too-large-code",
			"affected-element", "attach-attached", "attach-listed", "cancel-answer", "cancelled-disk-opens", "cancelled-state",
			"compact-attached-read-only", "compact-detached", "compact-detached-retrim", "compact-fixed-vhdx", "compact-in-use",
			"compact-unknown-mode", "compact-without-mode", "delete-in-use", "detach", "find-mounted", "find-mounted-nothing", "inspect-compacting",
			"parameter-type", "refusal-way", "state-change-ended-job", "state-timestamp",
		}},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := hypervsim.RunT(t, arrange(tc.extension,
					hypervsim.WithoutListener(), hypervsim.WithRelease(tc.release), hypervsim.WithDomain(canaryDomain, canaryDNS))...)
				r, err := conformance.Run(t.Context(), options(sim, tc.extension))
				if err != nil {
					t.Fatal(err)
				}
				untested := map[string]bool{}
				for _, id := range tc.untested {
					untested[id] = true
				}
				if len(r.Findings) != len(claims.All()) {
					t.Errorf("%d findings for %d claims", len(r.Findings), len(claims.All()))
				}
				for _, f := range r.Findings {
					claim, _ := claims.Find(f.ID)
					want := conformance.Held
					if untested[f.ID] || claim.Untestable != "" {
						want = conformance.NotTested
					}
					if f.Result != want {
						t.Errorf("%s: %s, want %s: %s%s", f.ID, f.Result, want, f.Seen, f.Why)
					}
				}
				emptyHanded(t, sim)
				content := strings.ToLower(written(t, r))
				for _, canary := range []string{canaryDomain, canaryUser, canaryPassword, canaryComputer, canaryMachine, canaryFolder, "canary", sim.HostName()} {
					if strings.Contains(content, strings.ToLower(canary)) {
						t.Errorf("%q is in the report", canary)
					}
				}
				if !strings.Contains(content, "compactvirtualharddisk_output") {
					t.Error("the recordings hold no compaction: nothing was searched")
				}
			})
		})
	}
}
