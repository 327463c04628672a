package hyperv_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// zerosOnly is the order that lets the parent of a VHDX pass.
func zerosOnly(o *hyperv.Order) {
	mode := hyperv.ModePrezeroed
	o.AllowParent, o.Mode = true, &mode
}

// TestConsentToChildren lets a parent pass only in the mode that drops nothing but
// zeros, which was written by the user, and never what a machine has open.
func TestConsentToChildren(t *testing.T) {
	t.Parallel()
	full, attach := hyperv.ModeFull, true
	vhd, vhdChild := `D:\Images\golden.vhd`, `D:\VMs\clone01.vhd`
	off := []hypervsim.VM{{Name: "clone01", Disks: []string{clone, vhdChild}}}
	for name, tt := range map[string]struct {
		path     string
		machines []hypervsim.VM
		order    func(*hyperv.Order)
		want     error
		reason   hyperv.Reason
	}{
		"no consent":       {golden, off, func(*hyperv.Order) {}, hyperv.ErrDependedOn, hyperv.ReasonParent},
		"consent alone":    {golden, off, func(o *hyperv.Order) { o.AllowParent = true }, hyperv.ErrDependedOn, hyperv.ReasonParentMode},
		"another mode":     {golden, off, func(o *hyperv.Order) { o.AllowParent, o.Mode = true, &full }, hyperv.ErrDependedOn, hyperv.ReasonParentMode},
		"attached":         {golden, off, func(o *hyperv.Order) { zerosOnly(o); o.AttachReadOnly = &attach }, hyperv.ErrDependedOn, hyperv.ReasonParentMode},
		"zeros only":       {golden, off, zerosOnly, nil, hyperv.ReasonNone},
		"mode alone":       {golden, off, func(o *hyperv.Order) { zerosOnly(o); o.AllowParent = false }, hyperv.ErrDependedOn, hyperv.ReasonParent},
		"a VHD":            {vhd, off, zerosOnly, hyperv.ErrDependedOn, hyperv.ReasonNone},
		"a running child":  {golden, []hypervsim.VM{{Name: "clone01", State: hypervsim.VMRunning, Disks: []string{clone}}}, zerosOnly, hyperv.ErrInUse, hyperv.ReasonNone},
		"a saved child":    {golden, []hypervsim.VM{{Name: "clone01", State: hypervsim.VMSaved, Disks: []string{clone}}}, zerosOnly, hyperv.ErrInUse, hyperv.ReasonNone},
		"a child to come":  {golden, []hypervsim.VM{{Name: "clone01", Planned: true, Disks: []string{clone}}}, zerosOnly, hyperv.ErrInUse, hyperv.ReasonNone},
		"a replica":        {golden, []hypervsim.VM{{Name: "clone01", Replication: 2, Disks: []string{clone}}}, func(o *hyperv.Order) { zerosOnly(o); o.AllowReplicated = true }, hyperv.ErrDependedOn, hyperv.ReasonNone},
		"a checkpoint":     {web, []hypervsim.VM{{Name: "web01", Disks: []string{webCP}, Checkpoints: []hypervsim.Checkpoint{{Disks: []string{web}}}}}, zerosOnly, nil, hyperv.ReasonNone},
		"a primary":        {free, []hypervsim.VM{{Name: "web01", Replication: 1, Disks: []string{free}}}, func(*hyperv.Order) {}, hyperv.ErrDependedOn, hyperv.ReasonReplicated},
		"primary, consent": {free, []hypervsim.VM{{Name: "web01", Replication: 1, Disks: []string{free}}}, func(o *hyperv.Order) { o.AllowReplicated = true }, nil, hyperv.ReasonNone},
		"replica, consent": {free, []hypervsim.VM{{Name: "web01", Replication: 3, Disks: []string{free}}}, func(o *hyperv.Order) { o.AllowReplicated = true }, hyperv.ErrDependedOn, hyperv.ReasonNone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVM(tt.machines...), hypervsim.WithVHD(
					base(golden), child(clone, golden), base(vhd), child(vhdChild, vhd), base(web), child(webCP, web), base(free)))
				got, err := attempt(t, host, tt.path, tt.order)
				checkEnd(t, sim, tt.path, got, err, tt.want)
				known := hyperv.Explain(err)
				if err != nil && known.Hint == "" {
					t.Error("no hint")
				}
				for _, r := range []hyperv.Reason{hyperv.ReasonParent, hyperv.ReasonParentMode, hyperv.ReasonReplicated} {
					if got := slices.Contains(known.Reasons, r); got != (r == tt.reason) {
						t.Errorf("reasons = %v, want %v alone of the consents", known.Reasons, tt.reason)
					}
				}
				clean(t, sim)
			})
		})
	}
}

// TestHiddenMachines: an account that is shown no machines is refused, whether by
// a denial or by lists that are empty; consent turns that into one warning.
func TestHiddenMachines(t *testing.T) {
	t.Parallel()
	denied := func(sim *hypervsim.Host) {
		sim.AddRule(hypervsim.Rule{
			Operation: hypervsim.OperationEnumerate, Class: cim.ClassVirtualSystemSettingData, Times: -1,
			Effect: hypervsim.Fault(2150859014, hypervsim.FaultFormAny),
		})
	}
	for name, hide := range map[string]func(*hypervsim.Host){
		"denied": denied,
		"empty":  func(sim *hypervsim.Host) { sim.HideVMs(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(base(free), base(web)))
				hide(sim)
				got, err := attempt(t, host, free, func(o *hyperv.Order) { o.SkipInUse = true })
				checkEnd(t, sim, free, got, err, hyperv.ErrUnseen)
				known := hyperv.Explain(err)
				if !strings.Contains(known.Hint, "Hyper-V Administrators") || !slices.Contains(known.Reasons, hyperv.ReasonUnseen) {
					t.Errorf("hint = %q, reasons %v, want the right that is missing and the consent", known.Hint, known.Reasons)
				}
				if !known.HostWide {
					t.Error("every disk of the host fails so, but it is told for each")
				}
				if uses, hidden, err := host.VisibleUses(t.Context(), free); len(uses) > 0 || !errors.Is(hidden, hyperv.ErrUnseen) || err != nil {
					t.Errorf("uses = %v, hidden %v, %v", uses, hidden, err)
				}
				before := len(sim.Requests())
				got, err = attempt(t, host, web, func(o *hyperv.Order) { o.AllowUnseen = true })
				checkEnd(t, sim, web, got, err, nil)
				if len(got.Warnings) != 1 || got.Warnings[0].Kind != hyperv.WarnUsageUnknown {
					t.Errorf("warnings = %+v, want one", got.Warnings)
				}
				for _, r := range sim.Requests()[before:] {
					if r.Operation == hypervsim.OperationEnumerate && r.Class != cim.ClassMountedStorageImage {
						t.Errorf("asked again within ten minutes: %s %s", r.Operation, r.Class)
					}
				}
				clean(t, sim)
			})
		})
	}
}

// TestOldGenerationIsNotAsked: its inspection decides, and no machines are
// asked for.
func TestOldGenerationIsNotAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		golden, clone := `D:\Images\golden.vhd`, `D:\VMs\clone01.vhd`
		sim, host := simulate(t, hypervsim.WithGenerations(hypervsim.V1), hypervsim.WithVHD(base(golden), child(clone, golden)),
			hypervsim.WithVM(hypervsim.VM{Name: "clone01", State: hypervsim.VMRunning, Disks: []string{clone}}))
		sim.HideVMs(true)
		got, err := attempt(t, host, golden)
		checkEnd(t, sim, golden, got, err, hyperv.ErrInUse)
		for _, r := range sim.Requests() {
			if r.Operation == hypervsim.OperationEnumerate {
				t.Errorf("enumerated %s", r.Class)
			}
		}
		clean(t, sim)
	})
}

// TestCopiesOfOneTemplate: forty disks with one identifier and one name are forty
// files; one of them is saved.
func TestCopiesOfOneTemplate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		copies := sample.Of(40, 8)
		const id = "AAAAAAAA-0000-4000-8000-000000000001"
		var disks []hypervsim.VHD
		var machines []hypervsim.VM
		for i := range copies {
			path := fmt.Sprintf(`D:\VMs\vm%02d\disk.vhdx`, i)
			disks = append(disks, base(path, func(v *hypervsim.VHD) {
				v.VirtualDiskID, v.FileSize, v.JobDuration = id, v.FileSize+int64(i)*mib, time.Minute
			}))
			machines = append(machines, hypervsim.VM{Name: fmt.Sprintf("vm%02d", i), Disks: []string{path}})
		}
		machines[copies/2].State = hypervsim.VMSaved
		sim, host := simulate(t, hypervsim.WithVHD(disks...), hypervsim.WithVM(machines...))
		results := make([]error, copies)
		var all sync.WaitGroup
		for i, d := range disks {
			all.Go(func() { _, results[i] = attempt(t, host, d.Path) })
		}
		all.Wait()
		for i, err := range results {
			if saved := i == copies/2; saved != errors.Is(err, hyperv.ErrInUse) || !saved && err != nil {
				t.Errorf("%s: %v", disks[i].Path, err)
			}
		}
		if peak := sim.PeakCompactions(); peak != 2 {
			t.Errorf("%d at once, want 2", peak)
		}
		clean(t, sim)
	})
}

// TestOtherSpelling finds the machine behind another path of the same file, and
// does not take a copy for that file.
func TestOtherSpelling(t *testing.T) {
	t.Parallel()
	const id = "AAAAAAAA-0000-4000-8000-000000000001"
	long := `D:\Virtual Machines\web01.vhdx`
	for name, tt := range map[string]struct {
		path   string // as it is ordered, a file that is in itself not named by the machine
		adjust func(*hypervsim.VHD)
		want   error
	}{
		"8.3 directory":     {`D:\VIRTUA~1\web01.vhdx`, func(*hypervsim.VHD) {}, hyperv.ErrInUse},
		"share":             {`\\hyperv01\vms\WEB01.VHDX`, func(*hypervsim.VHD) {}, hyperv.ErrInUse},
		"8.3 name":          {`D:\VIRTUA~1\WEB01~1.VHD`, func(v *hypervsim.VHD) { v.Format = hypervsim.FormatVHDX }, hyperv.ErrInUse},
		"copy, other name":  {`D:\Copies\web02.vhdx`, func(*hypervsim.VHD) {}, nil},
		"copy, other size":  {`D:\Copies\web01.vhdx`, func(v *hypervsim.VHD) { v.FileSize += mib }, nil},
		"copy, other time":  {`D:\Copies\web01.vhdx`, func(v *hypervsim.VHD) { v.Changed = v.Changed.Add(time.Minute) }, nil},
		"other disk":        {`D:\Copies\web01.vhdx`, func(v *hypervsim.VHD) { v.VirtualDiskID = "BBBBBBBB-0000-4000-8000-000000000001" }, nil},
		"host tells no id":  {`D:\Copies\web01.vhdx`, func(v *hypervsim.VHD) { v.Optional = hypervsim.OptionalAbsent }, nil},
		"cluster by volume": {`\\?\Volume{11111111-2222-3333-4444-555555555555}\web01.vhdx`, func(*hypervsim.VHD) {}, hyperv.ErrInUse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				v := base(tt.path, func(v *hypervsim.VHD) { v.VirtualDiskID, v.Changed = id, time.Now() })
				tt.adjust(&v)
				sim, host := simulate(t, hypervsim.WithVHD(v, base(long, func(v *hypervsim.VHD) { v.VirtualDiskID = id })),
					hypervsim.WithVM(hypervsim.VM{Name: "web01", State: hypervsim.VMSaved, Disks: []string{long}}))
				got, err := attempt(t, host, tt.path)
				checkEnd(t, sim, tt.path, got, err, tt.want)
				if tt.want != nil && !strings.Contains(err.Error(), "where the disk is "+long) {
					t.Errorf("error = %v, want the path that the machine names", err)
				}
				uses, hidden, err := host.VisibleUses(t.Context(), tt.path)
				if err != nil || hidden != nil || (len(uses) == 1) != (tt.want != nil) {
					t.Errorf("uses = %v, hidden %v, %v", uses, hidden, err)
				}
				clean(t, sim)
			})
		})
	}
}

// TestUsesInOrder: the order is that of names, whatever the host's, and a machine
// that refers to a disk twice is named once: nothing changes from plan to plan.
func TestUsesInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, host := simulate(t, hypervsim.WithVHD(base(web), child(webCP, web)), hypervsim.WithVM(
			hypervsim.VM{Name: "web02", State: hypervsim.VMSaved, Disks: []string{webCP}},
			hypervsim.VM{Name: "web01", Disks: []string{web, web}, Checkpoints: []hypervsim.Checkpoint{{Disks: []string{web}}, {Disks: []string{web}}}},
		))
		want := []hyperv.Use{
			{Machine: "web01", Node: "HYPERV01", Kind: hyperv.UseCheckpoint},
			{Machine: "web01", Node: "HYPERV01", Kind: hyperv.UseOff},
			{Machine: "web02", Node: "HYPERV01", Kind: hyperv.UseSaved, Child: webCP},
		}
		got, hidden, err := host.VisibleUses(t.Context(), web)
		if diff := cmp.Diff(want, got); diff != "" || hidden != nil || err != nil {
			t.Errorf("hidden %v, %v (-want +got):\n%s", hidden, err, diff)
		}
	})
}

// TestEnumerationExchanges counts what an enumeration asks, for hosts of
// several sizes: three enumerations, each named disk once, and each parent that
// no machine names.
func TestEnumerationExchanges(t *testing.T) {
	t.Parallel()
	for _, machines := range []int{0, 1, 10, 40, 200} {
		t.Run(fmt.Sprint(machines), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				disks, vms := []hypervsim.VHD{base(free), base(golden)}, []hypervsim.VM{}
				for i := range machines {
					own, shared, cp := fmt.Sprintf(`D:\VMs\vm%03d.vhdx`, i), fmt.Sprintf(`D:\VMs\clone%03d.vhdx`, i), fmt.Sprintf(`D:\VMs\vm%03d_1.avhdx`, i)
					disks = append(disks, base(own), child(shared, golden), child(cp, own))
					vms = append(vms, hypervsim.VM{Name: fmt.Sprint(i), Disks: []string{cp, shared}, Checkpoints: []hypervsim.Checkpoint{{Disks: []string{own}}}})
				}
				sim, host := simulate(t, hypervsim.WithVHD(disks...), hypervsim.WithVM(vms...))
				if _, _, err := host.VisibleUses(t.Context(), free); err != nil {
					t.Fatal(err)
				}
				got := exchanges(sim)
				want := 3 + 3*machines // each machine names three disks
				if machines > 0 {
					want++ // the parent that no machine names
				}
				if got != want {
					t.Errorf("%d exchanges, want %d", got, want)
				}
				if _, _, err := host.VisibleUses(t.Context(), golden); err != nil || exchanges(sim) != got {
					t.Errorf("a second disk cost %d exchanges more, %v", exchanges(sim)-got, err)
				}
				t.Logf("%d machines with %d disks and %d parents beside them: %d exchanges", machines, 3*machines, min(machines, 1), got)
			})
		})
	}
}

// exchanges counts requests, but for the pages of an enumeration.
func exchanges(sim *hypervsim.Host) int {
	return len(slices.DeleteFunc(sim.Requests(), func(r hypervsim.Request) bool { return r.Operation == hypervsim.OperationPull }))
}

// TestListMachineWithCheckpoint lists the base disk of a machine that runs from
// the disk of a checkpoint, and goes on after a disk that cannot be read.
func TestListMachineWithCheckpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, host := simulate(t, hypervsim.WithVHD(base(golden), child(clone, golden), child(`D:\VMs\clone01_1.avhdx`, clone),
			base(web, func(v *hypervsim.VHD) { v.Exclusive = true }), base(free, func(v *hypervsim.VHD) { v.Denied = true }), base(onE)),
			hypervsim.WithVM(hypervsim.VM{Name: "m", State: hypervsim.VMRunning, Disks: []string{`D:\VMs\clone01_1.avhdx`, web, free, onE}}))
		got, err := listed(t.Context(), host, hyperv.Listing{Machine: "m"})
		if diff := cmp.Diff([]string{clone, free, web, onE}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
