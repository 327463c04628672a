package replay_test

import (
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/replay"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// record asks a simulated host about everything and returns the recordings.
func record(t *testing.T, disk string, opts ...hypervsim.Option) *conformance.Recordings {
	t.Helper()
	var rec *conformance.Recordings
	dir := t.TempDir()
	there, machines := rehearsal.Machines(`D:\machines`, "lab ")
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, append([]hypervsim.Option{
			hypervsim.WithoutListener(), hypervsim.WithLogger(slog.New(slog.DiscardHandler)), hypervsim.WithDirectory(`D:\scratch`, `C:\Documents and Settings`),
			hypervsim.WithVHD(hypervsim.VHD{Path: disk, FileSize: 123 << 20, BlockSize: 1 << 20}),
			hypervsim.WithVM(hypervsim.VM{Name: "sql01", Disks: []string{disk}, State: hypervsim.VMSaved}),
		}, append(there, opts...)...)...)
		report, err := conformance.Run(t.Context(), conformance.Options{
			Host: sim.HostName(), Disk: disk, Write: true, Scratch: `D:\scratch`, Version: "test", Fixtures: &conformance.Fixtures{Machines: machines},
			Config: hyperv.Config{
				Auth: hyperv.AuthNTLM, HTTPS: sim.CACertificate() != nil, CACertificate: sim.CACertificate(), Username: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword,
				Port: sim.Port(), RequestTimeout: time.Minute, Dial: sim.Dial,
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Write(dir); err != nil {
			t.Fatal(err)
		}
	})
	rec, err := conformance.ReadRecordings(filepath.Join(dir, "recordings.json"))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func play(t *testing.T, rec *conformance.Recordings) *replay.Result {
	t.Helper()
	r, err := replay.Run(t.Context(), rec, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestUnchanged: the recordings of a simulated host, of any kind, are what the
// simulated host answers.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	type kind struct {
		disk string
		opts []hypervsim.Option
	}
	for name, tc := range sample.EveryNamed(100, map[string]kind{
		"2022": {`D:\VMs\a.vhdx`, nil},
		"slow, in Japanese": {`D:\VMs\a.vhdx`, []hypervsim.Option{
			hypervsim.WithLocale("ja-JP"), hypervsim.WithCreatedVHD(hypervsim.VHD{JobDuration: 17 * time.Second, CancelDelay: 3 * time.Second}),
		}},
		"2022, over https": {`D:\VMs\a.vhdx`, []hypervsim.Option{hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding()}},
		"2012 R2":          {`D:\VMs\a.vhdx`, []hypervsim.Option{hypervsim.WithRelease(hypervsim.Server2012R2)}},
		"2008":             {`D:\VMs\a.vhd`, []hypervsim.Option{hypervsim.WithRelease(hypervsim.Server2008)}},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := record(t, tc.disk, tc.opts...)
			r := play(t, rec)
			for _, d := range r.Differences {
				t.Errorf("%d %s: %s: %s: %q, simulated %q", d.Exchange, d.Subject, d.Path, d.Kind, d.Recorded, d.Simulated)
			}
			if r.Sent < 100 || r.Recorded != len(rec.Exchanges) {
				t.Errorf("%d of %d requests were sent", r.Sent, r.Recorded)
			}
		})
	}
}

// TestOtherHosts: a host that differs in one point gives differences about that
// point alone, not about all that comes after it.
func TestOtherHosts(t *testing.T) {
	t.Parallel()
	const service = " of Msvm_ImageManagementService"
	type other struct {
		opt  hypervsim.Option
		want []string
	}
	for name, tc := range sample.EveryNamed(100, map[string]other{
		"refuses by a job": {
			hypervsim.WithCreatedVHD(hypervsim.VHD{Refusals: hypervsim.ViaJob}), []string{"AttachVirtualHardDisk" + service, "CompactVirtualHardDisk" + service},
		},
		"tells of missing files by a job": {hypervsim.WithMissingViaJob(), []string{"CompactVirtualHardDisk" + service, "GetVirtualHardDiskState" + service}},
		"compacts without a job":          {hypervsim.WithCreatedVHD(hypervsim.VHD{Immediate: true}), []string{"CompactVirtualHardDisk" + service}},
		"does not cancel": {
			hypervsim.WithCreatedVHD(hypervsim.VHD{NotCancellable: true}), []string{
				"Enumerate Msvm_StorageJob", "Get Msvm_StorageJob", "RequestStateChange of Msvm_StorageJob", "WQL about Msvm_StorageJob",
			},
		},
		"leaves properties out": {
			hypervsim.WithCreatedVHD(hypervsim.VHD{Optional: hypervsim.OptionalAbsent}), []string{
				"GetVirtualHardDiskSettingData" + service, "GetVirtualHardDiskState" + service,
			},
		},
		"takes clear text": {hypervsim.WithAllowUnencrypted(true), []string{"HTTP POST /wsman"}},
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := play(t, record(t, `D:\VMs\a.vhdx`, tc.opt))
			subjects := map[string]bool{}
			for _, d := range r.Differences {
				subjects[d.Subject] = true
			}
			if diff := cmp.Diff(tc.want, slices.Sorted(maps.Keys(subjects))); diff != "" {
				t.Errorf("subjects (-want +got):\n%s\n%s", diff, r.Markdown())
			}
		})
	}
}
