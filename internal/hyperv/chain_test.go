package hyperv_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// child is a differencing disk.
func child(path, parent string, adjust ...func(*hypervsim.VHD)) hypervsim.VHD {
	v := hypervsim.VHD{Path: path, Type: hypervsim.TypeDifferencing, ParentPath: parent, FileSize: gib, ReclaimableMounted: gib / 2, ReclaimableUnmounted: gib / 2}
	for _, a := range adjust {
		a(&v)
	}
	return v
}

// base is a disk that a compaction would shrink.
func base(path string, adjust ...func(*hypervsim.VHD)) hypervsim.VHD {
	v := hypervsim.VHD{Path: path, FileSize: 10 * gib, ReclaimableMounted: 6 * gib, ReclaimableUnmounted: 2 * gib}
	for _, a := range adjust {
		a(&v)
	}
	return v
}

// attempt compacts a disk and returns the result and the error.
func attempt(t *testing.T, host *hyperv.Host, path string, adjust ...func(*hyperv.Order)) (hyperv.CompactResult, error) {
	t.Helper()
	o := hyperv.Order{Path: path, AllowAttach: true, MaxPasses: 1}
	for _, a := range adjust {
		a(&o)
	}
	return host.Compact(t.Context(), o)
}

// chainCase is a world with the expected outcome for each of its disks.
type chainCase struct {
	disks    []hypervsim.VHD
	machines []hypervsim.VM
	// want is the outcome for each disk; nil means compacted.
	want map[string]error
	// says holds the parts of each disk's error.
	says map[string][]string
}

const (
	golden = `D:\Images\golden.vhdx`
	clone  = `D:\VMs\clone01.vhdx`
	web    = `D:\VMs\web01.vhdx`
	webCP  = `D:\VMs\web01_0A1B2C3D.avhdx`
	free   = `D:\VMs\free.vhdx`
	onE    = `E:\VMs\other.vhdx`
)

func chainCases() map[string]chainCase {
	deep, deepWant := chainOf(60)
	return map[string]chainCase{
		"linked clone, off": {
			disks:    []hypervsim.VHD{base(golden), child(clone, golden), base(free)},
			machines: []hypervsim.VM{{Name: "clone01", Disks: []string{clone}}},
			want:     map[string]error{golden: hyperv.ErrDependedOn, clone: nil, free: nil},
			says:     map[string][]string{golden: {"virtual machine clone01 on HYPERV01 (off) through its child " + clone}},
		},
		"linked clone, saved": {
			disks:    []hypervsim.VHD{base(golden), child(clone, golden)},
			machines: []hypervsim.VM{{Name: "clone01", State: hypervsim.VMSaved, Disks: []string{clone}}},
			want:     map[string]error{golden: hyperv.ErrDependedOn, clone: hyperv.ErrInUse},
			says:     map[string][]string{golden: {"clone01", "in saved state"}, clone: {"clone01", "in saved state"}},
		},
		"checkpoint of a linked clone": {
			disks:    []hypervsim.VHD{base(golden), child(clone, golden), child(`D:\VMs\clone01_1.avhdx`, clone)},
			machines: []hypervsim.VM{{Name: "clone01", Disks: []string{`D:\VMs\clone01_1.avhdx`}, Checkpoints: []hypervsim.Checkpoint{{Name: "before", Disks: []string{clone}}}}},
			want:     map[string]error{golden: hyperv.ErrDependedOn, clone: hyperv.ErrInUse},
			says:     map[string][]string{clone: {"clone01", "checkpoint"}},
		},
		"orphan of a backup, off": {
			disks:    []hypervsim.VHD{base(web), child(webCP, web), base(free)},
			machines: []hypervsim.VM{{Name: "web01", Disks: []string{webCP}}},
			want:     map[string]error{web: hyperv.ErrInUse, free: nil},
			says:     map[string][]string{web: {"web01", "off", webCP}},
		},
		"orphan of a backup, saved": {
			disks:    []hypervsim.VHD{base(web), child(webCP, web)},
			machines: []hypervsim.VM{{Name: "web01", State: hypervsim.VMSaved, Disks: []string{webCP}}},
			want:     map[string]error{web: hyperv.ErrInUse},
			says:     map[string][]string{web: {"web01", "in saved state"}},
		},
		"recovery checkpoint": {
			disks:    []hypervsim.VHD{base(web), child(webCP, web)},
			machines: []hypervsim.VM{{Name: "web01", Disks: []string{web}, Checkpoints: []hypervsim.Checkpoint{{Name: "backup", Kind: "Recovery", Disks: []string{web}}}}},
			want:     map[string]error{web: hyperv.ErrInUse},
			says:     map[string][]string{web: {"web01", "checkpoint of a backup"}},
		},
		"planned machine": {
			disks:    []hypervsim.VHD{base(web), base(free)},
			machines: []hypervsim.VM{{Name: "coming", Planned: true, Disks: []string{web}}},
			want:     map[string]error{web: hyperv.ErrInUse, free: nil},
			says:     map[string][]string{web: {"virtual machine coming on HYPERV01 (planned"}},
		},
		"planned machine without a name": {
			disks:    []hypervsim.VHD{base(web)},
			machines: []hypervsim.VM{{ID: "11111111-2222-3333-4444-555555555555", Planned: true, Disks: []string{web}}},
			want:     map[string]error{web: hyperv.ErrInUse},
			says:     map[string][]string{web: {"virtual machine 11111111-2222-3333-4444-555555555555 on"}},
		},
		"recovery point of a replica": {
			disks:    []hypervsim.VHD{base(web)},
			machines: []hypervsim.VM{{Name: "web01", Checkpoints: []hypervsim.Checkpoint{{Name: "point", Kind: "Replica:Standard", Disks: []string{web}}}}},
			want:     map[string]error{web: hyperv.ErrDependedOn},
			says:     map[string][]string{web: {"web01", "recovery point of a replica"}},
		},
		"replica": {
			disks:    []hypervsim.VHD{base(web)},
			machines: []hypervsim.VM{{Name: "web01", Replication: 2, Disks: []string{web}}},
			want:     map[string]error{web: hyperv.ErrDependedOn},
			says:     map[string][]string{web: {"replica", "web01"}},
		},
		"primary of a replication": {
			disks:    []hypervsim.VHD{base(web)},
			machines: []hypervsim.VM{{Name: "web01", Replication: 1, Disks: []string{web}}},
			want:     map[string]error{web: hyperv.ErrDependedOn},
			says:     map[string][]string{web: {"replicated", "web01"}},
		},
		"chain of 60": {
			disks:    deep,
			machines: []hypervsim.VM{{Name: "deep", Disks: []string{`D:\chain\d60.vhdx`}}},
			want:     deepWant,
		},
		"cycle": {
			disks: []hypervsim.VHD{
				child(`D:\VMs\a.vhdx`, `D:\VMs\b.vhdx`), child(`D:\VMs\b.vhdx`, `D:\VMs\a.vhdx`), base(free),
			},
			machines: []hypervsim.VM{{Name: "loop", Disks: []string{`D:\VMs\a.vhdx`}}},
			want:     map[string]error{`D:\VMs\a.vhdx`: hyperv.ErrDependedOn, `D:\VMs\b.vhdx`: hyperv.ErrDependedOn, free: nil},
		},
		"parent that does not exist": {
			disks:    []hypervsim.VHD{child(clone, `D:\Images\gone.vhdx`), base(free), base(golden)},
			machines: []hypervsim.VM{{Name: "broken", Disks: []string{clone}}},
			want:     map[string]error{free: nil, golden: nil},
		},
		"stale path of an off machine": {
			disks:    []hypervsim.VHD{base(free)},
			machines: []hypervsim.VM{{Name: "stale", Disks: []string{`D:\VMs\gone.vhdx`, `Q:\nowhere\gone.vhdx`}}},
			want:     map[string]error{free: nil},
		},
		"share behind the second hop": {
			disks: []hypervsim.VHD{
				base(`\\nas\vms\a.vhdx`, func(v *hypervsim.VHD) { v.Denied = true }), base(`\\nas\vms\b.vhdx`), base(`\\nas\backup\c.vhdx`), base(free),
			},
			machines: []hypervsim.VM{{Name: "sql01", Disks: []string{`\\nas\vms\a.vhdx`}}},
			want:     map[string]error{`\\nas\vms\b.vhdx`: hyperv.ErrUnseen, `\\nas\backup\c.vhdx`: nil, free: nil},
			says:     map[string][]string{`\\nas\vms\b.vhdx`: {"sql01", `\\nas\vms\a.vhdx`, "access denied"}},
		},
		"share behind the second hop, told by a job": {
			disks: []hypervsim.VHD{
				base(`\\nas\vms\a.vhdx`, func(v *hypervsim.VHD) { v.Denied, v.Refusals = true, hypervsim.ViaJob }), base(`\\nas\vms\b.vhdx`), base(free),
			},
			machines: []hypervsim.VM{{Name: "sql01", Disks: []string{`\\nas\vms\a.vhdx`}}},
			want:     map[string]error{`\\nas\vms\b.vhdx`: hyperv.ErrUnseen, free: nil},
			says:     map[string][]string{`\\nas\vms\b.vhdx`: {"sql01", `\\nas\vms\a.vhdx`, "0x80070005"}},
		},
		"locked disk": {
			disks: []hypervsim.VHD{
				base(web, func(v *hypervsim.VHD) { v.Exclusive = true }), base(free), base(onE),
			},
			machines: []hypervsim.VM{{Name: "web01", Disks: []string{web}}},
			want:     map[string]error{free: hyperv.ErrInUse, onE: nil},
			says:     map[string][]string{free: {"web01", web, "cannot be told"}},
		},
		"parent that the host does not name": {
			disks:    []hypervsim.VHD{child(clone, ""), base(free), base(onE)},
			machines: []hypervsim.VM{{Name: "clone01", Disks: []string{clone}}},
			want:     map[string]error{free: hyperv.ErrUnseen, onE: nil},
			says:     map[string][]string{free: {"clone01", clone, "does not name the parent"}},
		},
		"short name of a checkpoint's disk": {
			disks:    []hypervsim.VHD{base(web), child(`D:\VMs\WEB01_~1.AVH`, web)},
			machines: []hypervsim.VM{{Name: "web01", Disks: []string{`D:\VMs\WEB01_~1.AVH`}}},
			want:     map[string]error{web: hyperv.ErrInUse},
		},
		"guest cluster": {
			disks:    []hypervsim.VHD{base(`D:\VMs\quorum.vhds`), base(web), base(free)},
			machines: []hypervsim.VM{{Name: "node1", State: hypervsim.VMRunning, Disks: []string{`D:\VMs\quorum.vhds`, web}}, {Name: "node2", Disks: []string{`D:\VMs\quorum.vhds`, web}}},
			want:     map[string]error{web: hyperv.ErrInUse, free: nil},
			says:     map[string][]string{web: {"node1"}},
		},
		"one machine, running here and coming": {
			disks: []hypervsim.VHD{base(web), base(free)},
			machines: []hypervsim.VM{
				{Name: "web01", ID: "11111111-2222-3333-4444-555555555555", Disks: []string{web}},
				{Name: "web01", ID: "11111111-2222-3333-4444-555555555555", Planned: true, Disks: []string{web}},
			},
			want: map[string]error{web: hyperv.ErrInUse, free: nil},
			says: map[string][]string{web: {"web01", "planned"}},
		},
		"machine without a record": {
			disks:    []hypervsim.VHD{base(web), base(free)},
			machines: []hypervsim.VM{{Name: "web01", Unlisted: true, Disks: []string{web}}},
			want:     map[string]error{web: hyperv.ErrInUse, free: nil},
			says:     map[string][]string{web: {"web01"}},
		},
		"test of a failover": {
			disks:    []hypervsim.VHD{base(web), child(`D:\Replica\web01_test.avhdx`, web)},
			machines: []hypervsim.VM{{Name: "web01 - Test", Replication: 3, Disks: []string{`D:\Replica\web01_test.avhdx`}}},
			want:     map[string]error{web: hyperv.ErrDependedOn},
			says:     map[string][]string{web: {"replica", "web01 - Test"}},
		},
		"optical image": {
			disks:    []hypervsim.VHD{base(free), base(`D:\ISO\setup.iso`, func(v *hypervsim.VHD) { v.Denied = true })},
			machines: []hypervsim.VM{{Name: "web01", Optical: []string{`D:\ISO\setup.iso`}}},
			want:     map[string]error{free: nil},
		},
	}
}

// chainOf makes a chain of n disks, d1 to dn, of which all but the last are
// parents.
func chainOf(n int) (disks []hypervsim.VHD, want map[string]error) {
	name := func(i int) string { return fmt.Sprintf(`D:\chain\d%02d.vhdx`, i) }
	disks, want = []hypervsim.VHD{base(name(1))}, map[string]error{name(1): hyperv.ErrDependedOn, name(n): nil}
	for i := 2; i <= n; i++ {
		disks = append(disks, child(name(i), name(i-1)))
		if i < n {
			want[name(i)] = hyperv.ErrDependedOn
		}
	}
	return disks, want
}

// TestChains checks for each world which disks are left alone and which are
// compacted.
func TestChains(t *testing.T) {
	t.Parallel()
	for name, tt := range chainCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(tt.disks...), hypervsim.WithVM(tt.machines...))
				for path, want := range tt.want {
					got, err := attempt(t, host, path)
					checkEnd(t, sim, path, got, err, want)
					for _, text := range tt.says[path] {
						if err == nil || !strings.Contains(err.Error(), text) {
							t.Errorf("%s: error = %v, want %q in it", path, err, text)
						}
					}
				}
				clean(t, sim)
			})
		})
	}
}

// checkEnd compares how a disk ended with the error that it should have ended
// with, and makes sure that one that was refused was not touched.
func checkEnd(t *testing.T, sim *hypervsim.Host, path string, got hyperv.CompactResult, err, want error) {
	t.Helper()
	switch {
	case want == nil && (err != nil || got.Status != hyperv.StatusCompacted):
		t.Errorf("%s: %s, %v, want compacted", path, got.Status, err)
	case want != nil && (!errors.Is(err, want) || got.Run != nil || sim.CompactionRequests(path) != 0):
		t.Errorf("%s: %s, %v, %d requests, want %v and none", path, got.Status, err, sim.CompactionRequests(path), want)
	}
}

// TestChainsSkip: disks on which others depend for good end with another status
// than uses that pass.
func TestChainsSkip(t *testing.T) {
	t.Parallel()
	status := map[error]hyperv.Status{hyperv.ErrInUse: hyperv.StatusSkippedInUse, hyperv.ErrDependedOn: hyperv.StatusSkippedDependents, nil: hyperv.StatusCompacted}
	for name, tt := range chainCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(tt.disks...), hypervsim.WithVM(tt.machines...))
				for path, want := range tt.want {
					got, err := attempt(t, host, path, func(o *hyperv.Order) { o.SkipInUse = true })
					if want == hyperv.ErrUnseen { //nolint:errorlint // the sentinel of the table
						if !errors.Is(err, want) || got.Status != hyperv.StatusFailed {
							t.Errorf("%s: %s, %v, want an error: what cannot be told does not pass", path, got.Status, err)
						}
						continue
					}
					if err != nil || got.Status != status[want] {
						t.Errorf("%s: %s, %v, want %s", path, got.Status, err, status[want])
					}
					if want != nil && len(got.Warnings) != 1 {
						t.Errorf("%s: warnings %+v, want one", path, got.Warnings)
					}
				}
				clean(t, sim)
			})
		})
	}
}

// TestChainTooLong: beyond the bound nothing is known, which is reported for
// the volume on which the chain breaks off.
func TestChainTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disks, _ := chainOf(300)
		sim, host := simulate(t, hypervsim.WithVHD(append(disks, base(free), base(onE))...),
			hypervsim.WithVM(hypervsim.VM{Name: "deep", Disks: []string{`D:\chain\d300.vhdx`}}))
		for path, want := range map[string]error{`D:\chain\d299.vhdx`: hyperv.ErrDependedOn, `D:\chain\d01.vhdx`: hyperv.ErrUnseen, free: hyperv.ErrUnseen, onE: nil} {
			got, err := attempt(t, host, path)
			checkEnd(t, sim, path, got, err, want)
		}
		clean(t, sim)
	})
}

// TestLockedDiskKeepsItsPlace: a disk that a compaction has open when the
// machines are listed again keeps the parent that was read before.
func TestLockedDiskKeepsItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, hypervsim.WithVHD(base(golden), child(clone, golden), base(free)),
			hypervsim.WithVM(hypervsim.VM{Name: "clone01", Disks: []string{clone}}))
		for range 2 {
			for path, want := range map[string]error{golden: hyperv.ErrDependedOn, free: nil} {
				if err := sim.Grow(path, gib); err != nil {
					t.Fatal(err)
				}
				got, err := attempt(t, host, path)
				checkEnd(t, sim, path, got, err, want)
			}
			time.Sleep(11 * time.Minute) // an enumeration is good for ten
			if err := sim.Change(clone, func(v *hypervsim.VHD) { v.Exclusive = true }); err != nil {
				t.Fatal(err)
			}
		}
		clean(t, sim)
	})
}

// TestSilentDiskHoldsUpItsVolumeOnly: a disk about which the host never answers
// costs a minute, once, and concerns its own volume.
func TestSilentDiskHoldsUpItsVolumeOnly(t *testing.T) {
	t.Parallel()
	for name, silence := range map[string]func(*hypervsim.Host){
		"no answer": func(sim *hypervsim.Host) {
			sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskSettingData", Path: "silent", Times: -1, Effect: hypervsim.Hang()})
		},
		"a job without end": func(sim *hypervsim.Host) {
			if err := sim.Change(`E:\VMs\silent.vhdx`, func(v *hypervsim.VHD) { v.InspectionJobs = -1 }); err != nil {
				panic(err)
			}
			sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskSettingData", Path: "silent", Func: func(hypervsim.Request) { sim.NextJobLasts(24 * time.Hour) }})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(base(`E:\VMs\silent.vhdx`), base(onE), base(free)),
					hypervsim.WithVM(hypervsim.VM{Name: "sql01", Disks: []string{`E:\VMs\silent.vhdx`}}))
				silence(sim)
				start := time.Now()
				got, err := attempt(t, host, free)
				checkEnd(t, sim, free, got, err, nil)
				if took := time.Since(start); took > 2*time.Minute {
					t.Errorf("the disk of another volume took %s", took)
				}
				got, err = attempt(t, host, onE)
				checkEnd(t, sim, onE, got, err, hyperv.ErrUnseen)
				clean(t, sim)
			})
		})
	}
}

// TestMuteShareIsAskedOnce: a share whose server does not answer costs one
// time-out, not one for each disk of a machine.
func TestMuteShareIsAskedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var disks []hypervsim.VHD
		var paths []string
		for i := range 20 {
			paths = append(paths, fmt.Sprintf(`\\dead\vms\d%02d.vhdx`, i))
			disks = append(disks, base(paths[i]))
		}
		sim, host := simulate(t, hypervsim.WithVHD(append(disks, base(free))...), hypervsim.WithVM(hypervsim.VM{Name: "sql01", Disks: paths}))
		sim.AddRule(hypervsim.Rule{
			Method: "GetVirtualHardDiskSettingData", Path: paths[0], Times: -1,
			Effect: hypervsim.Fault(2150858793, hypervsim.FaultFormAny), // ERROR_WSMAN_OPERATION_TIMEDOUT
		})
		got, err := attempt(t, host, free)
		checkEnd(t, sim, free, got, err, nil)
		got, err = attempt(t, host, paths[7])
		checkEnd(t, sim, paths[7], got, err, hyperv.ErrUnseen)
		asked := map[string]bool{}
		for _, r := range sim.Requests() {
			i := slices.IndexFunc(r.Parameters, func(p hypervsim.Parameter) bool {
				return p.Name == "Path" && strings.HasPrefix(p.Value, `\\dead`)
			})
			if i >= 0 {
				asked[r.Parameters[i].Value] = true
			}
		}
		if len(asked) != 2 { // by the enumeration, and the one that is to be compacted
			t.Errorf("asked for %d disks of the share, want 2", len(asked))
		}
		clean(t, sim)
	})
}
