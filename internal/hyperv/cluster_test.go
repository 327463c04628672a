package hyperv_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// shared names a disk on the cluster shared volume.
func shared(name string) string { return `C:\ClusterStorage\Volume1\VMs\` + name }

// simulateCluster starts three nodes and connects to the first.
func simulateCluster(t *testing.T, config hypervsim.ClusterConfig, opts []hypervsim.Option, adjust ...func(*hyperv.Config)) (*hypervsim.Cluster, *hyperv.Host) {
	t.Helper()
	c, fleet := simulateNodes(t, config, opts, adjust...)
	host, err := fleet.Host("hv01.lab.example")
	if err != nil {
		t.Fatal(err)
	}
	return c, host
}

// simulateNodes starts three nodes and connects to none.
func simulateNodes(t *testing.T, config hypervsim.ClusterConfig, opts []hypervsim.Option, adjust ...func(*hyperv.Config)) (*hypervsim.Cluster, *hyperv.Fleet) {
	t.Helper()
	c := hypervsim.RunClusterT(t, config, append([]hypervsim.Option{
		hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(),
	}, opts...), "HV01", "HV02", "HV03")
	cfg := hyperv.Config{
		Auth: hyperv.AuthNTLM, Username: testUser, Password: testPassword, RequestTimeout: time.Minute,
		MaxConcurrentCompactions: 2, MaxConcurrentRequests: 5, Dial: c.Dial,
	}
	for _, a := range adjust {
		a(&cfg)
	}
	fleet, err := hyperv.NewFleet(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	return c, fleet
}

// clusterWorld puts disks on the shared volume and machines on two nodes.
func clusterWorld(c *hypervsim.Cluster) {
	hv01, hv02, hv03 := c.Node("HV01"), c.Node("HV02"), c.Node("HV03")
	for _, v := range []hypervsim.VHD{
		base(shared("running.vhdx")), base(shared("saved.vhdx")), base(shared("off.vhdx")), base(shared("free.vhdx")),
		base(shared("golden.vhdx")), child(shared("clone.vhdx"), shared("golden.vhdx")),
		base(shared("backup.vhdx")), child(shared("backup_1.avhdx"), shared("backup.vhdx")),
	} {
		hv01.AddVHD(v)
	}
	hv02.AddVM(hypervsim.VM{Name: "running", State: hypervsim.VMRunning, Disks: []string{shared("running.vhdx")}})
	hv02.AddVM(hypervsim.VM{Name: "saved", State: hypervsim.VMSaved, Disks: []string{shared("saved.vhdx")}})
	hv02.AddVM(hypervsim.VM{Name: "off", Disks: []string{shared("off.vhdx")}})
	hv03.AddVM(hypervsim.VM{Name: "clone", Disks: []string{shared("clone.vhdx")}})
	hv03.AddVM(hypervsim.VM{Name: "orphan", Disks: []string{shared("backup_1.avhdx")}})
}

// clusterEnds returns the outcomes for the disks of that world when every node has shown its
// machines.
func clusterEnds() map[string]error {
	return map[string]error{
		"running.vhdx": hyperv.ErrInUse, "saved.vhdx": hyperv.ErrInUse, "off.vhdx": nil, "free.vhdx": nil,
		"golden.vhdx": hyperv.ErrDependedOn, "clone.vhdx": nil, "backup.vhdx": hyperv.ErrInUse,
	}
}

// TestClusterAsksEveryNode: a machine is found on any node on which it is registered, and the error
// names that node.
func TestClusterAsksEveryNode(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]hypervsim.ClusterConfig{"short and long names": {}, "long names only": {OnlyQualified: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, host := simulateCluster(t, config, nil)
				clusterWorld(c)
				says := map[string]string{
					"saved.vhdx": "saved on HV02 (in saved state)", "golden.vhdx": "clone on HV03 (off) through its child " + shared("clone.vhdx"),
					"backup.vhdx": "orphan on HV03 (off) through its child " + shared("backup_1.avhdx"),
				}
				for disk, want := range clusterEnds() {
					got, err := attempt(t, host, shared(disk))
					checkEnd(t, c.Node("HV01"), shared(disk), got, err, want)
					if text := says[disk]; text != "" && !strings.Contains(err.Error(), text) {
						t.Errorf("%s: %v, want %q in it", disk, err, text)
					}
					if len(got.Warnings) != 0 {
						t.Errorf("%s: warnings %+v", disk, got.Warnings)
					}
				}
			})
		})
	}
}

// TestClusterNodesThatDoNotTell: a node that is down is named; a node that is
// up and does not answer keeps disks on cluster volumes, and no others, from
// being compacted.
func TestClusterNodesThatDoNotTell(t *testing.T) {
	t.Parallel()
	const local = `D:\VMs\local.vhdx`
	other := func(c *hypervsim.Cluster) { c.Point("hv03.lab.example", c.Node("HV01")) }
	for name, tt := range map[string]struct {
		silence func(*hypervsim.Cluster)
		adjust  func(*hyperv.Config)
		want    error // of a disk that no machine of another node names
		warns   hyperv.WarningKind
		says    string
	}{
		"down":             {silence: func(c *hypervsim.Cluster) { c.SetNode("HV03", hypervsim.NodeDown) }, warns: hyperv.WarnNodeDown, says: "HV03"},
		"joining":          {silence: func(c *hypervsim.Cluster) { c.SetNode("HV03", hypervsim.NodeJoining) }, warns: hyperv.WarnNodeDown, says: "HV03"},
		"paused":           {silence: func(c *hypervsim.Cluster) { c.SetNode("HV03", hypervsim.NodePaused) }},
		"of unknown state": {silence: func(c *hypervsim.Cluster) { c.SetNode("HV03", hypervsim.NodeUnknown) }},
		"up, unreachable":  {silence: func(c *hypervsim.Cluster) { c.Node("HV03").SetDown(true) }, want: hyperv.ErrUnseen, says: "node HV03 at HV03.lab.example"},
		"denies":           {silence: func(c *hypervsim.Cluster) { c.Node("HV03").Deny("", cim.NamespaceVirtualizationV2) }, want: hyperv.ErrUnseen, says: "HV03"},
		"lists nothing":    {silence: func(c *hypervsim.Cluster) { c.Node("HV03").HideVMs(true) }, want: hyperv.ErrUnseen, says: "HV03"},
		"does not resolve": {silence: func(c *hypervsim.Cluster) { c.Forget("hv03.lab.example") }, want: hyperv.ErrUnseen, says: "HV03"},
		"another computer": {silence: other, want: hyperv.ErrUnseen, says: "HV03.lab.example is the address of HV01"},
		"named elsewhere": {
			silence: func(c *hypervsim.Cluster) {
				c.Forget("hv03.lab.example")
				c.Point("mgmt3.example.net", c.Node("HV03"))
			},
			adjust: func(cfg *hyperv.Config) { cfg.ClusterNodes = map[string]string{"hv03": "mgmt3.example.net"} },
		},
		"named elsewhere, wrongly": {
			silence: func(c *hypervsim.Cluster) { c.Point("mgmt3.example.net", c.Node("HV01")) },
			adjust:  func(cfg *hyperv.Config) { cfg.ClusterNodes = map[string]string{"HV03": "mgmt3.example.net"} },
			want:    hyperv.ErrUnseen, says: "mgmt3.example.net is the address of HV01",
		},
		"cluster denied": {silence: func(c *hypervsim.Cluster) { c.Node("HV01").Deny("", cim.NamespaceCluster) }, want: hyperv.ErrUnseen, says: "the other nodes of its cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				adjust := func(cfg *hyperv.Config) {
					if tt.adjust != nil {
						tt.adjust(cfg)
					}
				}
				c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil, adjust)
				clusterWorld(c)
				c.Node("HV01").AddVHD(base(local))
				tt.silence(c)
				got, err := attempt(t, host, shared("free.vhdx"))
				checkEnd(t, c.Node("HV01"), shared("free.vhdx"), got, err, tt.want)
				if tt.want != nil && !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error = %v, want %q in it", err, tt.says)
				}
				known := hyperv.Explain(err)
				addressHelps := tt.want != nil && (strings.HasPrefix(name, "up,") || name == "does not resolve" || name == "another computer")
				if got := slices.Contains(known.Reasons, hyperv.ReasonNodeAddress); got != addressHelps {
					t.Errorf("another address is offered: %v, want %v", got, addressHelps)
				}
				if errors.Is(err, hyperv.ErrUnreachable) || errors.Is(err, hyperv.ErrUnauthenticated) {
					t.Errorf("what another node does passes for a failure of this host: %v", err)
				}
				checkWarning(t, got, tt.warns, tt.says)
				consents := func(o *hyperv.Order) { o.AllowUnseen = true }
				if tt.want != nil {
					got, err = attempt(t, host, shared("free.vhdx"), consents)
					checkEnd(t, c.Node("HV01"), shared("free.vhdx"), got, err, nil)
					checkWarning(t, got, hyperv.WarnUsageUnknown, tt.says)
				}
				got, err = attempt(t, host, shared("saved.vhdx"), consents)
				if name != "cluster denied" {
					checkEnd(t, c.Node("HV01"), shared("saved.vhdx"), got, err, hyperv.ErrInUse)
				} else {
					c.Node("HV01").TakeViolations() // no client could have known
				}
				got, err = attempt(t, host, local)
				checkEnd(t, c.Node("HV01"), local, got, err, nil)
				checkWarning(t, got, "", "")
			})
		})
	}
}

// checkWarning wants one warning of that kind, or none.
func checkWarning(t *testing.T, got hyperv.CompactResult, kind hyperv.WarningKind, says string) {
	t.Helper()
	switch {
	case kind == "" && len(got.Warnings) != 0:
		t.Errorf("warnings %+v, want none", got.Warnings)
	case kind != "" && (len(got.Warnings) != 1 || got.Warnings[0].Kind != kind || !strings.Contains(got.Warnings[0].Detail, says)):
		t.Errorf("warnings %+v, want one of %s with %q", got.Warnings, kind, says)
	}
}

// TestClusterSameNames: a machine on another node is named although many disks have the name of its
// disk, which no other node can open for comparison.
func TestClusterSameNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
		for i := range 6 {
			path := shared(fmt.Sprintf(`vm%02d\disk.vhdx`, i))
			c.Node("HV01").AddVHD(base(path, func(v *hypervsim.VHD) { v.FileSize += int64(i) * mib }))
			c.Hosts()[i%3].AddVM(hypervsim.VM{Name: fmt.Sprintf("vm%02d", i), State: hypervsim.VMRunning, Disks: []string{path}})
		}
		_, err := attempt(t, host, shared(`vm04\disk.vhdx`))
		if !errors.Is(err, hyperv.ErrInUse) || !strings.Contains(err.Error(), "vm04 on HV02 (running)") {
			t.Errorf("error = %v, want vm04 named with its node", err)
		}
		uses, _, err := host.VisibleUses(t.Context(), shared(`vm04\disk.vhdx`))
		if err != nil || len(uses) != 1 || uses[0].Machine != "vm04" {
			t.Errorf("uses = %v, %v", uses, err)
		}
	})
}

// TestClusterChainsAcrossNodes: a parent that a machine of one node has open, and a disk that a
// compaction on one node holds, are in use to the others, which follow their chains with the help
// of that node.
func TestClusterChainsAcrossNodes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
		hv01, hv02, hv03 := c.Node("HV01"), c.Node("HV02"), c.Node("HV03")
		for _, v := range []hypervsim.VHD{
			base(shared("root.vhdx")), child(shared("golden.vhdx"), shared("root.vhdx")),
			child(shared("runs.vhdx"), shared("golden.vhdx")), child(shared("off.vhdx"), shared("golden.vhdx")),
			base(shared("held.vhdx"), func(v *hypervsim.VHD) { v.JobDuration = time.Hour }), base(shared("free.vhdx")),
		} {
			hv01.AddVHD(v)
		}
		hv02.AddVM(hypervsim.VM{Name: "runs", State: hypervsim.VMRunning, Disks: []string{shared("runs.vhdx")}})
		hv03.AddVM(hypervsim.VM{Name: "off", Disks: []string{shared("off.vhdx")}})
		hv03.AddVM(hypervsim.VM{Name: "held", Disks: []string{shared("held.vhdx")}})
		if _, err := hv01.StartForeignCompaction(shared("held.vhdx"), time.Hour); err != nil {
			t.Fatal(err)
		}
		for disk, want := range map[string]error{"root.vhdx": hyperv.ErrDependedOn, "golden.vhdx": hyperv.ErrDependedOn, "free.vhdx": nil} {
			got, err := attempt(t, host, shared(disk))
			checkEnd(t, hv01, shared(disk), got, err, want)
			if want != nil && (!strings.Contains(err.Error(), "off on HV03") || !strings.Contains(err.Error(), "runs on HV02")) {
				t.Errorf("%s: %v, want both machines", disk, err)
			}
		}
	})
}

// TestClusterChainByVolume: a disk that only another node can open names its parent by the GUID of
// the volume, so the parent may be the disk that is to be compacted, on whatever volume the child is.
func TestClusterChainByVolume(t *testing.T) {
	t.Parallel()
	const guid = "11111111-2222-3333-4444-555555555555"
	for _, clone := range []string{shared("clone.vhdx"), `C:\ClusterStorage\Volume2\clone.vhdx`} {
		t.Run(clone, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, host := simulateCluster(t, hypervsim.ClusterConfig{Volumes: []string{`C:\ClusterStorage\Volume1`, `C:\ClusterStorage\Volume2`}},
					[]hypervsim.Option{hypervsim.WithVolumeGUID(shared(""), guid)})
				hv01, hv02 := c.Node("HV01"), c.Node("HV02")
				hv01.AddVHD(base(shared("golden.vhdx")))
				hv01.AddVHD(base(shared("other.vhdx")))
				hv01.AddVHD(child(clone, `\\?\Volume{`+guid+`}\golden.vhdx`, func(v *hypervsim.VHD) { v.JobDuration = time.Hour }))
				c.Node("HV03").AddVM(hypervsim.VM{Name: "clone", Disks: []string{clone}})
				if _, err := hv02.StartForeignCompaction(clone, time.Hour); err != nil {
					t.Fatal(err)
				}
				for disk, want := range map[string]error{"golden.vhdx": hyperv.ErrUnseen, "other.vhdx": nil} {
					got, err := attempt(t, host, shared(disk))
					checkEnd(t, hv01, shared(disk), got, err, want)
					if want != nil && !strings.Contains(err.Error(), "golden.vhdx, a parent of a disk of virtual machine clone on HV03 (off), may be this one") {
						t.Errorf("%s: %v, want the parent named that may be the disk", disk, err)
					}
				}
			})
		})
	}
}

// TestClusterStarting: the provider of root\MSCluster is missing for a while after
// a start, and lists nothing at first.
func TestClusterStarting(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		times int
		code  uint32
		want  error
	}{
		"once": {1, 0x80070046, nil}, "twice": {2, 0x800706D9, nil}, "for long": {-1, 0x800706D9, hyperv.ErrUnseen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
				clusterWorld(c)
				c.Node("HV01").AddRule(hypervsim.Rule{
					Operation: hypervsim.OperationEnumerate, Class: cim.ClassCluster, Times: tt.times, Effect: hypervsim.Fault(tt.code, hypervsim.FaultFormAny),
				})
				got, err := attempt(t, host, shared("free.vhdx"))
				checkEnd(t, c.Node("HV01"), shared("free.vhdx"), got, err, tt.want)
				got, err = attempt(t, host, shared("golden.vhdx"))
				if err == nil {
					t.Errorf("golden.vhdx: %s", got.Status)
				}
			})
		})
	}
}

// TestClusterWithoutNodes: a cluster that lists no nodes is no answer.
func TestClusterWithoutNodes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
		clusterWorld(c)
		c.Node("HV01").JoinFailover(hypervsim.Failover{
			Name: "CLUSTER01", FQDN: "CLUSTER01.lab.example", Volumes: map[string]uint32{`C:\ClusterStorage\Volume1`: hypervsim.FaultNone},
		})
		got, err := attempt(t, host, shared("free.vhdx"))
		checkEnd(t, c.Node("HV01"), shared("free.vhdx"), got, err, hyperv.ErrUnseen)
	})
}

// TestClusterExchanges counts what is asked for clusters of several sizes: two
// messages for the cluster, and on each node three enumerations and one message
// for each disk and parent. Nodes that do not answer at once are asked for their
// machines once more, all but the last.
func TestClusterExchanges(t *testing.T) {
	t.Parallel()
	for _, machines := range []int{0, 3, 40} {
		t.Run(fmt.Sprint(machines), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
				for i, node := range c.Hosts() {
					node.AddRule(hypervsim.Rule{Operation: hypervsim.OperationEnumerate, Times: -1, Effect: hypervsim.Delay(time.Duration(i+1) * 10 * time.Millisecond)})
				}
				c.Node("HV01").AddVHD(base(shared("golden.vhdx")))
				for i := range machines {
					own, clone := shared(fmt.Sprintf("vm%02d.vhdx", i)), shared(fmt.Sprintf("clone%02d.vhdx", i))
					c.Node("HV01").AddVHD(base(own))
					c.Node("HV01").AddVHD(child(clone, shared("golden.vhdx")))
					c.Hosts()[i%3].AddVM(hypervsim.VM{Name: fmt.Sprint(i), Disks: []string{own, clone}})
				}
				if _, hidden, err := host.VisibleUses(t.Context(), shared("golden.vhdx")); err != nil || hidden != nil {
					t.Fatal(err, hidden)
				}
				got := map[string]int{}
				for _, node := range c.Hosts() {
					got[node.ComputerName()] = exchanges(node)
				}
				total := 0
				for _, node := range slices.Sorted(maps.Keys(got)) {
					total += got[node]
				}
				want := 2 + 3*3 + 2*machines + min(machines, 3) + 3*2 // each node asks for the parent itself
				if total != want {
					t.Errorf("%d exchanges %v, want %d", total, got, want)
				}
				t.Logf("3 nodes, %d machines with %d disks, 1 parent that no machine names: %d exchanges %v", machines, 2*machines, total, got)
			})
		})
	}
}

// TestClusterNameMoves: a list that was read from one node is not used for
// another node to which the name of the host now leads.
func TestClusterNameMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const local = `D:\VMs\local.vhdx`
		c, _ := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
		for _, node := range c.Hosts() {
			node.AddVHD(base(local))
		}
		c.Node("HV02").AddVM(hypervsim.VM{Name: "saved", State: hypervsim.VMSaved, Disks: []string{local}})
		fleet, err := hyperv.NewFleet(hyperv.Config{
			Auth: hyperv.AuthNTLM, Username: testUser, Password: testPassword, RequestTimeout: time.Minute,
			MaxConcurrentCompactions: 2, MaxConcurrentRequests: 5, Dial: c.Dial,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(fleet.Close)
		host, err := fleet.Host("cluster01.lab.example")
		if err != nil {
			t.Fatal(err)
		}
		got, err := attempt(t, host, local)
		checkEnd(t, c.Node("HV01"), local, got, err, nil)
		c.Node("HV01").AddVHD(base(shared("free.vhdx")))
		got, err = attempt(t, host, shared("free.vhdx"))
		checkEnd(t, c.Node("HV01"), shared("free.vhdx"), got, err, nil)
		checkWarning(t, got, hyperv.WarnClusterName, "CLUSTER01")
		c.MoveName("HV02")
		got, err = attempt(t, host, local)
		checkEnd(t, c.Node("HV02"), local, got, err, hyperv.ErrInUse)
	})
}
