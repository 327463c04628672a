package hyperv_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestClusterRejectsTheAccount: an account that is good on one node alone, as a local
// one is, costs few failed logons on the others, and what is not on a cluster volume
// is compacted as before.
func TestClusterRejectsTheAccount(t *testing.T) {
	t.Parallel()
	for _, rejecting := range [][]string{{"HV03"}, {"HV02", "HV03"}} {
		t.Run(strings.Join(rejecting, " and "), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const local = `D:\VMs\local.vhdx`
				c, host := simulateCluster(t, hypervsim.ClusterConfig{}, nil)
				clusterWorld(c)
				hv01 := c.Node("HV01")
				hv01.AddVHD(base(local))
				for _, node := range rejecting {
					c.Node(node).Accounts().SetPassword(testUser, "another")
				}
				for range 12 {
					_, err := attempt(t, host, shared("free.vhdx"))
					if !errors.Is(err, hyperv.ErrUnseen) || errors.Is(err, hyperv.ErrUnauthenticated) || !strings.Contains(err.Error(), "node HV0") {
						t.Errorf("cluster volume: %v, want the node that rejects", err)
					}
					if err := hv01.Grow(local, gib); err != nil {
						t.Fatal(err)
					}
					got, err := attempt(t, host, local)
					if err != nil || got.Status != hyperv.StatusCompacted {
						t.Fatalf("local disk: %s, %v", got.Status, err)
					}
					time.Sleep(5 * time.Minute)
				}
				failed := 0
				for _, node := range c.Hosts() {
					failed += node.Accounts().FailedLogons()
				}
				t.Logf("%d failed logons in an hour", failed)
				if failed > 4 {
					t.Errorf("%d failed logons, want 4 at the most", failed)
				}
			})
		})
	}
}

// TestClusterListsAreShared: what the nodes have listed, in both rounds, serves every
// disk of the cluster for a minute, whichever node it is asked on.
func TestClusterListsAreShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, fleet := simulateNodes(t, hypervsim.ClusterConfig{}, nil)
		var hosts []*hyperv.Host
		for i, node := range c.Hosts() {
			node.AddRule(hypervsim.Rule{Operation: hypervsim.OperationEnumerate, Times: -1, Effect: hypervsim.Delay(time.Duration(i+1) * 10 * time.Millisecond)})
			host, err := fleet.Host(node.ComputerName() + ".lab.example")
			if err != nil {
				t.Fatal(err)
			}
			hosts = append(hosts, host)
		}
		lists := func() (n int) {
			for _, node := range c.Hosts() {
				for _, r := range node.Requests() {
					if r.Operation == hypervsim.OperationEnumerate && r.Class == cim.ClassVirtualSystemSettingData {
						n++
					}
				}
			}
			return n
		}
		for i := range 20 {
			path := shared(fmt.Sprintf("disk%02d.vhdx", i))
			c.Node("HV01").AddVHD(base(path, func(v *hypervsim.VHD) { v.Immediate, v.AttachImmediate = true, true }))
			got, err := attempt(t, hosts[i%3], path)
			checkEnd(t, c.Node("HV01"), path, got, err, nil)
		}
		if got := lists(); got != 3+2 {
			t.Errorf("the nodes listed their machines %d times for 20 disks, want once each and all but the last once more", got)
		}
		time.Sleep(61 * time.Second)
		if _, err := attempt(t, hosts[0], shared("disk00.vhdx")); err != nil {
			t.Error(err)
		}
		if got := lists(); got != 2*(3+2) {
			t.Errorf("the nodes listed their machines %d times after another minute, want %d", got, 2*(3+2))
		}
	})
}
