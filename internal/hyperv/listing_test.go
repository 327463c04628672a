package hyperv_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// listed collects the paths of a listing, sorted.
func listed(ctx context.Context, host *hyperv.Host, l hyperv.Listing) (paths []string, err error) {
	for disk, err := range host.List(ctx, l) {
		if err != nil {
			return paths, err
		}
		paths = append(paths, disk.Path)
	}
	slices.Sort(paths)
	return paths, nil
}

func files(paths ...string) hypervsim.Option {
	var all []hypervsim.VHD
	for i, path := range paths {
		all = append(all, hypervsim.VHD{Path: path, FileSize: int64(i+1) * gib})
	}
	return hypervsim.WithVHD(all...)
}

func TestListDirectory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		listing hyperv.Listing
		want    []string
	}{
		"one level":       {hyperv.Listing{Directory: `D:\VMs`}, []string{`D:\VMs\a.vhdx`, `D:\VMs\b.vhd`}},
		"other spelling":  {hyperv.Listing{Directory: `d:/vms/`}, []string{`D:\vms\a.vhdx`, `D:\vms\b.vhd`}},
		"recurse":         {hyperv.Listing{Directory: `D:\VMs`, Recurse: true}, []string{`D:\VMs\a.vhdx`, `D:\VMs\b.vhd`, `D:\VMs\old\deep\d.vhdx`}},
		"one format":      {hyperv.Listing{Directory: `D:\VMs`, Formats: []hyperv.Format{hyperv.FormatVHD}}, []string{`D:\VMs\b.vhd`}},
		"at least 2 GiB":  {hyperv.Listing{Directory: `D:\VMs`, Recurse: true, MinFileSizeBytes: 2 * gib}, []string{`D:\VMs\b.vhd`, `D:\VMs\old\deep\d.vhdx`}},
		"root":            {hyperv.Listing{Directory: `D:\`}, []string{`D:\root.vhdx`}},
		"root, recurse":   {hyperv.Listing{Directory: `D:\`, Recurse: true}, []string{`D:\root.vhdx`, `D:\vms2\e.vhdx`, `D:\vms\a.vhdx`, `D:\vms\b.vhd`, `D:\vms\old\deep\d.vhdx`}},
		"empty":           {hyperv.Listing{Directory: `D:\VMs\old`}, nil},
		"machine":         {hyperv.Listing{Machine: "WEB01"}, []string{`D:\VMs\a.vhdx`, `D:\VMs\missing.vhdx`}},
		"machine by GUID": {hyperv.Listing{Machine: "11111111-2222-3333-4444-555555555555"}, []string{`D:\VMs\a.vhdx`, `D:\VMs\missing.vhdx`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, host := simulate(t,
					files(`D:\VMs\a.vhdx`, `D:\VMs\b.vhd`, `D:\VMs\old\deep\d.vhdx`, `D:\VMs2\e.vhdx`, `D:\root.vhdx`, `E:\VMs\f.vhdx`),
					hypervsim.WithVM(hypervsim.VM{
						Name: "web01", ID: "11111111-2222-3333-4444-555555555555",
						Disks:       []string{`D:\VMs\a.avhdx`, `D:\VMs\missing.vhdx`},
						Checkpoints: []hypervsim.Checkpoint{{Name: "before", Disks: []string{`D:\VMs\a.vhdx`}}, {Name: "later", Disks: []string{`d:\vms\A.vhdx`}}},
					}))
				got, err := listed(t.Context(), host, tt.listing)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("listing %+v (-want +got):\n%s", tt.listing, diff)
				}
			})
		})
	}
}

// TestListNames finds files and directories whose names mean something in a
// query or a pattern, and only those.
func TestListNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`it's`, `100%`, `a_b`, `a[bc]`, `über straße`, `仮想ディスク`, `x'' or 1=1`, `&amp;<!`, `[^a]%_`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == `&amp;<!` {
				name = `&amp;!` // Windows forbids < in names
			}
			synctest.Test(t, func(t *testing.T) {
				want := []string{`D:\` + name + `\` + name + `.vhdx`, `D:\` + name + `\` + name + `\x.vhd`}
				_, host := simulate(t, files(append([]string{
					`D:\aXb\decoy.vhdx`, `D:\100 and more\decoy.vhdx`, `D:\ab\decoy.vhdx`, `D:\its\decoy.vhdx`, `D:\uber strasse\decoy.vhdx`,
				}, want...)...))
				got, err := listed(t.Context(), host, hyperv.Listing{Directory: `D:\` + name, Recurse: true})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestListMachine_plainPaths: each path that is listed can be ordered, however the machine
// names the disk.
func TestListMachine_plainPaths(t *testing.T) {
	t.Parallel()
	for name, tt := range spellings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, host := simulate(t, append([]hypervsim.Option{
					hypervsim.WithVHD(base(web)),
					hypervsim.WithVM(hypervsim.VM{Name: "web01", State: tt.state, Disks: []string{tt.named}}),
				}, tt.opts...)...)
				got, err := listed(t.Context(), host, hyperv.Listing{Machine: "web01"})
				if err != nil || len(got) != 1 || winpath.Check(got[0]) != nil {
					t.Errorf("listed %q, %v for %q, want one path that can be ordered", got, err, tt.named)
				}
			})
		})
	}
}

func TestListFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		listing hyperv.Listing
		options []hypervsim.Option
		want    error
	}{
		"share":          {hyperv.Listing{Directory: `\\nas\vms`}, nil, hyperv.ErrNotSupported},
		"volume":         {hyperv.Listing{Directory: `\\?\Volume{11111111-2222-3333-4444-555555555555}\VMs`}, nil, hyperv.ErrNotSupported},
		"missing":        {hyperv.Listing{Directory: `D:\nothing`}, nil, hyperv.ErrPathNotFound},
		"offline":        {hyperv.Listing{Directory: `X:\VMs`}, nil, hyperv.ErrPathNotFound},
		"no machine":     {hyperv.Listing{Machine: "nobody"}, nil, hyperv.ErrNoMachine},
		"old generation": {hyperv.Listing{Machine: "web01"}, []hypervsim.Option{hypervsim.WithGenerations(hypervsim.V1)}, hyperv.ErrNotSupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, host := simulate(t, tt.options...)
				if got, err := listed(t.Context(), host, tt.listing); !errors.Is(err, tt.want) {
					t.Errorf("listing %+v = %q, %v, want %v", tt.listing, got, err, tt.want)
				}
			})
		})
	}
}

// TestUsesGuessesNoGeneration: a host whose services are starting up has no
// namespace yet. It is not taken for one of the older generation from then on.
func TestUsesGuessesNoGeneration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		sim.AddRule(hypervsim.Rule{
			Operation: hypervsim.OperationEnumerate, Class: cim.ClassStorageAllocationSettingData,
			Effect: hypervsim.Fault(2147749902, hypervsim.FaultFormAny), // WBEM_E_INVALID_NAMESPACE
		})
		if got, hidden, err := host.VisibleUses(t.Context(), diskPath); err == nil && hidden == nil {
			t.Errorf("uses = %v, want them hidden", got)
		}
		if got, err := host.Compact(t.Context(), order()); err != nil || got.Status != hyperv.StatusCompacted {
			t.Errorf("compaction on the newer generation: %+v, %v", got, err)
		}
		clean(t, sim)
	})
}

// TestListVolumeGoesOffline never takes what a volume answered before it went
// offline for everything there is.
func TestListVolumeGoesOffline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, files(`D:\VMs\a\a.vhdx`, `D:\VMs\b\b.vhdx`))
		sim.AddRule(hypervsim.Rule{
			Operation: hypervsim.OperationEnumerate, Skip: 5, Times: 1, Func: func(hypervsim.Request) { sim.RemoveVolume("D:") },
		})
		if got, err := listed(t.Context(), host, hyperv.Listing{Directory: `D:\VMs`, Recurse: true}); !errors.Is(err, hyperv.ErrPathNotFound) {
			t.Errorf("listing = %q, %v, want ErrPathNotFound", got, err)
		}
	})
}

// TestListLoop ends in a tree without a bottom.
func TestListLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t)
		path := `D:\loop`
		for range 40 {
			path += `\loop`
		}
		sim.AddDirectory(path)
		if _, err := listed(t.Context(), host, hyperv.Listing{Directory: `D:\loop`, Recurse: true}); !errors.Is(err, hyperv.ErrNotSupported) {
			t.Errorf("error = %v, want ErrNotSupported", err)
		}
	})
}

const manyFiles = 5000

// manyDisks spreads files over directories: half of them in one.
func manyDisks() []hypervsim.VHD {
	all := make([]hypervsim.VHD, 0, manyFiles)
	for i := range manyFiles {
		directory := `D:\VMs\all`
		if i%2 == 1 {
			directory = fmt.Sprintf(`D:\VMs\m%02d`, i%50)
		}
		all = append(all, hypervsim.VHD{Path: fmt.Sprintf(`%s\disk%04d.vhdx`, directory, i), FileSize: gib})
	}
	return all
}

// maxHeld is how much more may be live while 5,000 files are listed than before,
// the records of the simulated host included.
const maxHeld = 8 << 20

// TestListMany lists 5,000 files by pages and in bounded memory, as a user who
// may have one operation at a time: an enumeration beside another is a fault.
//
//nolint:paralleltest // it measures the heap of the process
func TestListMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, hypervsim.WithVHD(manyDisks()...), hypervsim.WithMaxBatchItems(100), hypervsim.WithQuota(1))
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		count, most := 0, uint64(0)
		for _, err := range host.List(t.Context(), hyperv.Listing{Directory: `D:\VMs`, Recurse: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if count++; count%1000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
			}
		}
		if count != manyFiles {
			t.Errorf("%d disks, want %d", count, manyFiles)
		}
		checkPages(t, sim.Requests())
		if n := sim.Connections(); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
		if most > maxHeld {
			t.Errorf("%d KiB live above the start, want at most %d", most>>10, maxHeld>>10)
		}
	})
}

// checkPages finds the pages of the large directory, and no enumeration that was
// abandoned.
func checkPages(t *testing.T, requests []hypervsim.Request) {
	t.Helper()
	pulls := 0
	for _, r := range requests {
		if r.Operation == hypervsim.OperationPull {
			pulls++
		}
		if r.Operation == hypervsim.OperationRelease {
			t.Error("an enumeration was abandoned")
		}
	}
	if want := manyFiles/2/100 - 1; pulls < want {
		t.Errorf("%d pulls, want at least %d", pulls, want)
	}
}

// TestListCancelled ends within a second, whatever the host does, and gives the
// enumeration back.
func TestListCancelled(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]hypervsim.Effect{"slow host": hypervsim.Delay(30 * time.Second), "hung host": hypervsim.Hang()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(manyDisks()...), hypervsim.WithMaxBatchItems(100))
				sim.AddRule(hypervsim.Rule{Operation: hypervsim.OperationPull, Skip: 3, Effect: effect})
				if name == "hung host" {
					sim.AddRule(hypervsim.Rule{Operation: hypervsim.OperationRelease, Effect: effect})
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				start := time.Now()
				_, err := listed(ctx, host, hyperv.Listing{Directory: `D:\VMs`, Recurse: true})
				if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 6*time.Second {
					t.Errorf("ended after %s with %v, want within a second of 5s", took, err)
				}
				last := sim.Requests()[len(sim.Requests())-1]
				if last.Operation != hypervsim.OperationRelease {
					t.Errorf("the last request was %s, want Release", last.Operation)
				}
			})
		})
	}
}

// TestListAbandoned asks for nothing more once a caller has enough.
func TestListAbandoned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, files(`D:\VMs\a.vhdx`, `D:\VMs\sub\b.vhdx`))
		for range host.List(t.Context(), hyperv.Listing{Directory: `D:\VMs`, Recurse: true}) {
			break
		}
		if n := len(sim.Requests()); n != 3 {
			t.Errorf("%d requests, want 3: the directory, and one for each extension", n)
		}
	})
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk(), hypervsim.WithVM(hypervsim.VM{Name: "sql01", State: hypervsim.VMRunning, Disks: []string{diskPath}}))
		got, err := host.Describe(t.Context(), diskPath)
		if err != nil {
			t.Fatal(err)
		}
		if got.FileSizeBytes != 10*gib || got.Attachment != hyperv.AttachedNone || got.UsesHidden != nil ||
			!slices.Equal(got.Uses, []hyperv.Use{{Machine: "sql01", Node: "HYPERV01", Kind: hyperv.UseRunning}}) {
			t.Errorf("description = %+v", got)
		}
		if n := len(sim.Requests()); n > 8 {
			t.Errorf("%d requests, want at most 8", n)
		}
	})
}

func TestDescribeOldGeneration(t *testing.T) {
	t.Parallel()
	const path = `D:\VMs\old.vhd`
	for name, tt := range map[string]struct {
		state hypervsim.VMState
		want  []hyperv.Use
	}{
		"running": {hypervsim.VMRunning, []hyperv.Use{{Kind: hyperv.UseUnnamed}}},
		"saved":   {hypervsim.VMSaved, []hyperv.Use{{Kind: hyperv.UseSaved}}},
		"off":     {hypervsim.VMOff, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, host := simulate(t, hypervsim.WithGenerations(hypervsim.V1), files(path),
					hypervsim.WithVM(hypervsim.VM{Name: "old", State: tt.state, Disks: []string{path}}))
				got, err := host.Describe(t.Context(), path)
				if err != nil || !slices.Equal(got.Uses, tt.want) || got.UsesHidden != nil {
					t.Errorf("uses = %v, hidden %v, %v, want %v", got.Uses, got.UsesHidden, err, tt.want)
				}
				if uses, hidden, err := host.VisibleUses(t.Context(), path); len(uses) != 0 || !errors.Is(hidden, hyperv.ErrNotSupported) || err != nil {
					t.Errorf("uses without an inspection = %v, %v, %v, want hidden", uses, hidden, err)
				}
			})
		})
	}
}
