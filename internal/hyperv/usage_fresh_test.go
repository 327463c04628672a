package hyperv_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestUsesThatAreNew: a disk or machine that came to depend on a disk after the machines were
// listed keeps a later run from compacting it, long before the list is ten minutes old.
func TestUsesThatAreNew(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*testing.T, *hypervsim.Host)
		path   string
		want   error
	}{
		"a linked clone": {func(_ *testing.T, sim *hypervsim.Host) {
			sim.AddVHD(child(clone, golden))
			sim.AddVM(hypervsim.VM{Name: "clone01", Disks: []string{clone}})
		}, golden, hyperv.ErrDependedOn},
		"a machine that was saved": {func(t *testing.T, sim *hypervsim.Host) {
			t.Helper()
			if err := sim.SetVMState("web01", hypervsim.VMSaved); err != nil {
				t.Fatal(err)
			}
		}, web, hyperv.ErrInUse},
		"a replica": {func(_ *testing.T, sim *hypervsim.Host) {
			sim.AddVM(hypervsim.VM{Name: "copy", Replication: 2, Disks: []string{free}})
		}, free, hyperv.ErrDependedOn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(base(golden), base(web), base(free), base(onE)),
					hypervsim.WithVM(hypervsim.VM{Name: "web01", Disks: []string{web}}))
				got, err := attempt(t, host, onE)
				checkEnd(t, sim, onE, got, err, nil)
				tt.change(t, sim)
				time.Sleep(61 * time.Second)
				got, err = attempt(t, host, tt.path)
				checkEnd(t, sim, tt.path, got, err, tt.want)
				clean(t, sim)
			})
		})
	}
}

// TestMachineComesMeanwhile: a machine that comes to the host while it lists the
// machines, and whose disks were not listed before, is found.
func TestMachineComesMeanwhile(t *testing.T) {
	t.Parallel()
	for name, class := range map[string]string{
		"after the settings": cim.ClassStorageAllocationSettingData, "after the disks": cim.ClassComputerSystem,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(base(golden), child(clone, golden)))
				sim.AddRule(hypervsim.Rule{
					Operation: hypervsim.OperationEnumerate, Class: class, Times: 1,
					Func: func(hypervsim.Request) { sim.AddVM(hypervsim.VM{Name: "clone01", Disks: []string{clone}}) },
				})
				got, err := attempt(t, host, golden)
				checkEnd(t, sim, golden, got, err, hyperv.ErrDependedOn)
				clean(t, sim)
			})
		})
	}
}

// TestListIsShared: the list of one run serves all runs that start within a minute, and a later one
// asks for the machines alone, not for their disks again.
func TestListIsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, hypervsim.WithVHD(base(golden), child(clone, golden), base(web), base(free), base(onE)),
			hypervsim.WithVM(hypervsim.VM{Name: "clone01", Disks: []string{clone}}, hypervsim.VM{Name: "web01", Disks: []string{web}}))
		asked := func(run func()) (lists, disks int) {
			before := len(sim.Requests())
			run()
			for _, r := range sim.Requests()[before:] {
				switch {
				case r.Operation == hypervsim.OperationEnumerate && r.Class != cim.ClassMountedStorageImage:
					lists++
				case r.Method == "GetVirtualHardDiskSettingData":
					disks++
				}
			}
			return lists, disks
		}
		compact := func(path string) func() {
			return func() {
				if _, err := attempt(t, host, path); err != nil {
					t.Error(err)
				}
			}
		}
		for _, step := range []struct {
			after        time.Duration
			path         string
			lists, disks int
		}{
			{0, free, 3, 4}, // the disk itself, two of machines, one parent
			{50 * time.Second, onE, 0, 1},
			{time.Minute, web, 3, 1},
			{10 * time.Minute, free, 3, 4},
		} {
			time.Sleep(step.after)
			if lists, disks := asked(compact(step.path)); lists != step.lists || disks != step.disks {
				t.Errorf("%s: %d lists and %d disks were asked for, want %d and %d", step.path, lists, disks, step.lists, step.disks)
			}
		}
		clean(t, sim)
	})
}

// TestMachineMovesMeanwhile: a machine that moves from one node to another between the requests to
// them is on neither list, and is found all the same.
func TestMachineMovesMeanwhile(t *testing.T) {
	t.Parallel()
	for name, classes := range map[string]string{
		"before the disks are listed":    cim.ClassStorageAllocationSettingData,
		"before the machines are listed": cim.ClassVirtualSystemSettingData,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, move := range [][2]string{{"HV03", "HV02"}, {"HV02", "HV03"}, {"HV01", "HV03"}, {"HV03", "HV01"}} {
				synctest.Test(t, func(t *testing.T) {
					c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
					c.Node("HV01").AddVHD(base(shared("golden.vhdx")))
					c.Node("HV01").AddVHD(child(shared("clone.vhdx"), shared("golden.vhdx")))
					c.Node(move[0]).AddVM(hypervsim.VM{Name: "clone", Disks: []string{shared("clone.vhdx")}})
					c.Node(move[0]).AddRule(hypervsim.Rule{
						Operation: hypervsim.OperationEnumerate, Class: classes, Times: 1,
						Func: func(hypervsim.Request) {
							time.Sleep(20 * time.Second) // the others have answered
							if err := c.MoveVM("clone", move[1]); err != nil {
								t.Error(err)
							}
						},
					})
					got, err := attempt(t, host, shared("golden.vhdx"))
					checkEnd(t, c.Node("HV01"), shared("golden.vhdx"), got, err, hyperv.ErrDependedOn)
				})
			}
		})
	}
}

// TestMachineMovesInTheSecondRound: a machine that its node lists in the first round
// and not in the second has moved to one that was asked for the last time before.
func TestMachineMovesInTheSecondRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
		c.Node("HV01").AddVHD(base(shared("golden.vhdx")))
		c.Node("HV01").AddVHD(child(shared("clone.vhdx"), shared("golden.vhdx")))
		c.Node("HV02").AddVM(hypervsim.VM{Name: "clone", Disks: []string{shared("clone.vhdx")}})
		lists := func(skip int, f func(hypervsim.Request)) hypervsim.Rule {
			return hypervsim.Rule{Operation: hypervsim.OperationEnumerate, Class: cim.ClassVirtualSystemSettingData, Skip: skip, Times: 1, Func: f}
		}
		c.Node("HV03").AddRule(lists(0, func(hypervsim.Request) { time.Sleep(20 * time.Second) }))
		c.Node("HV02").AddRule(lists(1, func(hypervsim.Request) {
			if err := c.MoveVM("clone", "HV03"); err != nil {
				t.Error(err)
			}
		}))
		got, err := attempt(t, host, shared("golden.vhdx"))
		checkEnd(t, c.Node("HV01"), shared("golden.vhdx"), got, err, hyperv.ErrDependedOn)
		if err == nil || !strings.Contains(err.Error(), "clone on HV02") {
			t.Errorf("error = %v, want the machine with the node that told of it", err)
		}
	})
}

// TestMachineMovedSince: the nodes are asked at different times, and the list of the
// one to which a machine moves is the older.
func TestMachineMovedSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const local = `D:\VMs\local.vhdx`
		c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
		c.Node("HV01").AddVHD(base(local))
		c.Node("HV01").AddVHD(base(shared("golden.vhdx")))
		c.Node("HV01").AddVHD(child(shared("clone.vhdx"), shared("golden.vhdx")))
		c.Node("HV03").AddVM(hypervsim.VM{Name: "clone", Disks: []string{shared("clone.vhdx")}})
		got, err := attempt(t, host, local) // HV01 alone is asked
		checkEnd(t, c.Node("HV01"), local, got, err, nil)
		if err := c.MoveVM("clone", "HV01"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		got, err = attempt(t, host, shared("golden.vhdx"))
		checkEnd(t, c.Node("HV01"), shared("golden.vhdx"), got, err, hyperv.ErrDependedOn)
	})
}

// TestNodeComesAndGoes: a node that was down when the cluster was asked, and has
// machines again, is asked; one that went down since is no obstacle.
func TestNodeComesAndGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
		clusterWorld(c)
		hv01 := c.Node("HV01")
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, vm := range c.Node("HV03").VMs() {
			must(c.MoveVM(vm.Name, "HV02"))
		}
		c.SetNode("HV03", hypervsim.NodeDown)
		got, err := attempt(t, host, shared("free.vhdx"))
		checkEnd(t, hv01, shared("free.vhdx"), got, err, nil)
		checkWarning(t, got, hyperv.WarnNodeDown, "HV03")

		c.SetNode("HV03", hypervsim.NodeUp)
		must(c.MoveVM("clone", "HV03"))
		time.Sleep(61 * time.Second)
		must(hv01.Grow(shared("free.vhdx"), gib))
		got, err = attempt(t, host, shared("free.vhdx"))
		checkEnd(t, hv01, shared("free.vhdx"), got, err, nil)
		checkWarning(t, got, "", "")
		time.Sleep(61 * time.Second)
		got, err = attempt(t, host, shared("golden.vhdx"))
		checkEnd(t, hv01, shared("golden.vhdx"), got, err, hyperv.ErrDependedOn)

		must(c.MoveVM("clone", "HV02"))
		c.SetNode("HV03", hypervsim.NodeDown)
		time.Sleep(61 * time.Second)
		must(hv01.Grow(shared("free.vhdx"), gib))
		got, err = attempt(t, host, shared("free.vhdx"))
		checkEnd(t, hv01, shared("free.vhdx"), got, err, nil)
		checkWarning(t, got, hyperv.WarnNodeDown, "HV03")
		got, err = attempt(t, host, shared("golden.vhdx"))
		checkEnd(t, hv01, shared("golden.vhdx"), got, err, hyperv.ErrDependedOn)
	})
}

// TestLockPasses: a disk that another program has open for a moment while the machines are listed
// does not keep other disks from being compacted, neither now nor for as long as the list is good.
func TestLockPasses(t *testing.T) {
	t.Parallel()
	for name, held := range map[string]struct {
		lasts time.Duration
		limit time.Duration // of the run that finds it held
		want  error
	}{
		"for seconds":           {8 * time.Second, 0, nil},
		"for minutes":           {3 * time.Minute, 0, hyperv.ErrInUse},
		"for longer than a run": {10 * time.Second, 7 * time.Second, hyperv.ErrInUse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(base(web, func(v *hypervsim.VHD) { v.Exclusive = true }), base(free)),
					hypervsim.WithVM(hypervsim.VM{Name: "web01", Disks: []string{web}}))
				released := time.AfterFunc(held.lasts, func() {
					if err := sim.Change(web, func(v *hypervsim.VHD) { v.Exclusive = false }); err != nil {
						t.Error(err)
					}
				})
				defer released.Stop()
				start := time.Now()
				got, err := attempt(t, host, free, func(o *hyperv.Order) { o.Timeout = held.limit })
				checkEnd(t, sim, free, got, err, held.want)
				if took := time.Since(start); took > time.Minute {
					t.Errorf("the gates took %s", took)
				}
				if held.want == nil {
					return
				}
				if !strings.Contains(err.Error(), web) {
					t.Errorf("error = %v, want the disk that is held", err)
				}
				time.Sleep(held.lasts)
				got, err = attempt(t, host, free)
				checkEnd(t, sim, free, got, err, nil)
				clean(t, sim)
			})
		})
	}
}

// TestConsentToWhatWasSeen: consent to machines that are not shown is none to those
// that were shown before the host began to deny.
func TestConsentToWhatWasSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, hypervsim.WithVHD(base(web), base(free)),
			hypervsim.WithVM(hypervsim.VM{Name: "web01", State: hypervsim.VMSaved, Disks: []string{web}}))
		got, err := attempt(t, host, free)
		checkEnd(t, sim, free, got, err, nil)
		time.Sleep(61 * time.Second)
		sim.AddRule(hypervsim.Rule{
			Operation: hypervsim.OperationEnumerate, Class: cim.ClassVirtualSystemSettingData, Times: -1,
			Effect: hypervsim.Fault(2150859014, hypervsim.FaultFormAny),
		})
		consents := func(o *hyperv.Order) { o.AllowUnseen = true }
		got, err = attempt(t, host, web, consents)
		checkEnd(t, sim, web, got, err, hyperv.ErrInUse)
		if err := sim.Grow(free, gib); err != nil {
			t.Fatal(err)
		}
		if got, err = attempt(t, host, free, consents); err != nil || got.Status != hyperv.StatusCompacted {
			t.Errorf("%s, %v", got.Status, err)
		}
		checkWarning(t, got, hyperv.WarnUsageUnknown, "not shown")
		clean(t, sim)
	})
}

// TestDenialPasses: a host or a cluster that has told before and denies once is asked
// again by the next run; what it denied is no knowledge for ten minutes. That a node
// has no cluster any more is no answer either.
func TestDenialPasses(t *testing.T) {
	t.Parallel()
	const denied, missing = 2150859014, 0x8004100E
	for name, tt := range map[string]struct {
		class string
		code  uint32
	}{
		"machines": {cim.ClassVirtualSystemSettingData, denied},
		"cluster":  {cim.ClassCluster, denied},
		"none":     {cim.ClassCluster, missing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
				clusterWorld(c)
				hv01 := c.Node("HV01")
				try := func(want error) {
					t.Helper()
					if err := hv01.Grow(shared("free.vhdx"), gib); err != nil {
						t.Fatal(err)
					}
					got, err := attempt(t, host, shared("free.vhdx"))
					if !errors.Is(err, want) || want == nil && got.Status != hyperv.StatusCompacted {
						t.Errorf("%s, %v, want %v", got.Status, err, want)
					}
				}
				try(nil)
				time.Sleep(61 * time.Second)
				hv01.AddRule(hypervsim.Rule{
					Operation: hypervsim.OperationEnumerate, Class: tt.class, Times: 1, Effect: hypervsim.Fault(tt.code, hypervsim.FaultFormAny),
				})
				try(hyperv.ErrUnseen)
				try(nil)
			})
		})
	}
}
