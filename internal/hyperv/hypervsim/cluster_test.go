package hypervsim_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const (
	sharedPath = `C:\ClusterStorage\Volume1\VMs\web01.vhdx`
	clusterDNS = "cluster01.lab.example"
)

// clientOf connects the project's own client to a name.
func clientOf(dial func(context.Context, string, string) (net.Conn, error), server string) (*wsman.Client, error) {
	return wsman.New(wsman.Config{
		Endpoint:  winrm.NewEndpoint(server, 5985, false, false, nil, nil, nil, 0),
		Mechanism: secure.NewNTLM(secure.NTLMConfig{User: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword}),
		Dial:      dial,
	})
}

func connectTo(t *testing.T, dial func(context.Context, string, string) (net.Conn, error), server string) *wsman.Client {
	t.Helper()
	c, err := clientOf(dial, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// node returns the name of the host that answers.
func node(t *testing.T, c *wsman.Client) string {
	t.Helper()
	service, err := c.Get(t.Context(), imageService())
	if err != nil {
		t.Fatal(err)
	}
	name, _ := service.String("SystemName")
	return name
}

// returned calls a method with a path and returns its return value.
func returned(t *testing.T, c *wsman.Client, method string, more ...wsman.Param) string {
	t.Helper()
	out, err := c.Invoke(t.Context(), wsman.Invocation{
		Target: imageService(), Method: method,
		Params: append([]wsman.Param{{Name: "Path", Value: cim.Text(sharedPath)}}, more...),
	})
	if err != nil {
		t.Fatal(err)
	}
	value, _ := out.String("ReturnValue")
	return value
}

func twoNodes(t *testing.T, opts ...hypervsim.Option) *hypervsim.Cluster {
	t.Helper()
	return hypervsim.RunClusterT(t, hypervsim.ClusterConfig{}, append([]hypervsim.Option{
		hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{Path: sharedPath, JobDuration: time.Hour, AttachImmediate: true, Refusals: hypervsim.ViaReturnValue}),
	}, opts...), "HV01", "HV02")
}

// TestCluster_name: the name leads to one node, cut or quietly to another, and
// node names to theirs.
func TestCluster_name(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := twoNodes(t)
		for server, want := range map[string]string{"HV01": "HV01", "hv02.lab.example": "HV02", "CLUSTER01": "HV01", clusterDNS: "HV01"} {
			if got := node(t, connectTo(t, c.Dial, server)); got != want {
				t.Errorf("%s answers as %s, want %s", server, got, want)
			}
		}
		kept := connectTo(t, c.DialAs("a"), clusterDNS)
		node(t, kept)
		c.MoveNameQuietly("HV02")
		if got := node(t, kept); got != "HV01" {
			t.Errorf("an open connection leads to %s", got)
		}
		if got := node(t, connectTo(t, c.DialAs("a"), clusterDNS)); got != "HV02" {
			t.Errorf("a new connection leads to %s", got)
		}
		c.MoveName("HV02")
		if got := node(t, kept); got != "HV02" {
			t.Errorf("after a cut the name leads to %s", got)
		}
	})
}

// TestNetwork: names that do not resolve, names that lead to several hosts in
// turn, and what a client sees of a cut.
func TestNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testNetwork)
}

func testNetwork(t *testing.T) {
	t.Helper()
	a := hypervsim.RunT(t, hypervsim.WithoutListener(), hypervsim.WithComputerName("HV"))
	b := hypervsim.RunT(t, hypervsim.WithoutListener(), hypervsim.WithComputerName("HV"))
	n := hypervsim.NewNetwork()
	dial := n.DialAs("a")
	_, err := dial(t.Context(), "tcp", "hv:5985")
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.IsNotFound {
		t.Errorf("dial of no name = %v", err)
	}
	n.Point("HV", a, b)
	var conns []net.Conn
	for range 4 {
		conn, err := dial(t.Context(), "tcp", "hv:5985")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		conns = append(conns, conn)
	}
	// A host counts a connection when it takes it, which is after the dial.
	synctest.Wait()
	if a.Connections() != 2 || b.Connections() != 2 {
		t.Errorf("connections = %d and %d, want 2 each", a.Connections(), b.Connections())
	}
	read := make(chan error)
	go func() {
		_, err := conns[0].Read(make([]byte, 1))
		read <- err
	}()
	n.Cut("hv")
	if err := <-read; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read of a cut connection = %v", err)
	}
	n.Forget("HV")
	if _, err := dial(t.Context(), "tcp", "hv:5985"); !errors.As(err, &dns) {
		t.Errorf("dial of a forgotten name = %v", err)
	}
}

// TestCluster_sharedDisk: a file that one node has open is in use on the other,
// which cannot even read it; a job and an attachment belong to their node.
func TestCluster_sharedDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := twoNodes(t)
		one, two := connectTo(t, c.DialAs("one"), "hv01"), connectTo(t, c.DialAs("two"), "hv02")
		want := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		const state = "GetVirtualHardDiskState"
		zeros := wsman.Param{Name: "Mode", Value: cim.Text("4")}
		want("state on the other node", returned(t, two, state), "0")

		want("compaction", returned(t, one, "CompactVirtualHardDisk", zeros), "4096")
		want("second one on the other node", returned(t, two, "CompactVirtualHardDisk", zeros), "32774")
		want("state on the other node while it is compacted", returned(t, two, state), "32774")
		want("state on the node itself", returned(t, one, state), "0")
		if len(c.Node("HV01").Jobs()) != 1 || len(c.Node("HV02").Jobs()) != 0 {
			t.Error("the job is not that of its node alone")
		}
		time.Sleep(2 * time.Hour)

		want("attach", returned(t, one, "AttachVirtualHardDisk", wsman.Param{Name: "ReadOnly", Value: cim.Text("true")}), "0")
		want("state on the other node while it is attached", returned(t, two, state), "32774")
		if len(c.Node("HV01").Attachments()) != 1 || len(c.Node("HV02").Attachments()) != 0 {
			t.Error("the attachment is not that of its node alone")
		}
		c.Node("HV01").Detach(sharedPath)

		c.Node("HV01").AddVM(hypervsim.VM{Name: "web01", State: hypervsim.VMRunning, Disks: []string{sharedPath}})
		want("state on the node of the machine", returned(t, one, state), "0")
		want("state on the other node while the machine runs", returned(t, two, state), "32774")
		if err := c.MoveVM("web01", "HV02"); err != nil {
			t.Fatal(err)
		}
		want("state after the machine has moved", returned(t, two, state), "0")
		want("state where it was", returned(t, one, state), "32774")
	})
}

// TestCluster_oracle: a parent on the shared volume is known by its child on the
// other node, and a local disk of the same name is another.
func TestCluster_oracle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const local = `D:\VMs\web01.vhdx`
		c := twoNodes(t, hypervsim.WithVHD(hypervsim.VHD{Path: local, JobDuration: time.Hour}))
		one := connectTo(t, c.DialAs("one"), "hv01")
		quick := wsman.Param{Name: "Mode", Value: cim.Text("1")}
		if _, err := c.Node("HV02").StartForeignCompaction(local, time.Hour); err != nil {
			t.Fatal(err)
		}
		out, err := one.Invoke(t.Context(), wsman.Invocation{
			Target: imageService(), Method: "CompactVirtualHardDisk",
			Params: []wsman.Param{{Name: "Path", Value: cim.Text(local)}, quick},
		})
		if value, _ := out.String("ReturnValue"); err != nil || value != "4096" {
			t.Errorf("the disk of the same name on the other node is in the way: %s, %v", value, err)
		}
		const child = `C:\ClusterStorage\Volume1\VMs\child.avhdx`
		c.Node("HV02").AddVHD(hypervsim.VHD{Path: child, Type: hypervsim.TypeDifferencing, ParentPath: sharedPath})
		c.Node("HV02").AddVM(hypervsim.VM{Name: "clone", Disks: []string{child}})
		returned(t, one, "CompactVirtualHardDisk", quick)
		if got := c.Node("HV02").TakeViolations(); len(got) != 1 {
			t.Errorf("violations = %q, want one", got)
		}
	})
}

// TestCluster_classes: every node lists all nodes and volumes, unless the
// account may not see them.
func TestCluster_classes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := twoNodes(t, hypervsim.WithUser(hypervsim.DefaultUser, hypervsim.DefaultPassword))
		c.SetNode("HV02", hypervsim.NodeDown)
		c.SetVolume(`C:\ClusterStorage\Volume1`, hypervsim.FaultMaintenance)
		one := connectTo(t, c.DialAs("one"), "hv01")
		list := func(class string, names ...string) (all []string) {
			t.Helper()
			for i, err := range one.Enumerate(t.Context(), wsman.Enumeration{ResourceURI: cim.ResourceURI(`root\MSCluster`, class)}) {
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range names {
					value, _ := i.String(name)
					all = append(all, value)
				}
			}
			return all
		}
		if got := list("MSCluster_Cluster", "Name", "Fqdn"); !slices.Equal(got, []string{"CLUSTER01", "CLUSTER01.lab.example"}) {
			t.Errorf("cluster = %q", got)
		}
		if got := list("MSCluster_Node", "Name", "State"); !slices.Equal(got, []string{"HV01", "0", "HV02", "1"}) {
			t.Errorf("nodes = %q", got)
		}
		if got := list("MSCluster_ClusterSharedVolume", "Name", "FaultState"); !slices.Equal(got, []string{`C:\ClusterStorage\Volume1`, "4"}) {
			t.Errorf("volumes = %q", got)
		}
		if got := returned(t, one, "GetVirtualHardDiskState"); got != "32779" {
			t.Errorf("state on a volume in maintenance = %s", got)
		}
		directory := cim.NewReference(cim.NamespaceCIMv2, cim.ClassDirectory, cim.Selector{Name: "Name", Value: `C:\ClusterStorage\Volume1`})
		if _, err := one.Get(t.Context(), directory); err != nil {
			t.Errorf("the directory of the volume does not answer: %v", err)
		}
		if _, err := c.DialAs("two")(t.Context(), "tcp", "hv02:5985"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial of a node that is down = %v", err)
		}
		c.Node("HV01").Deny(hypervsim.DefaultUser, `root\MSCluster`)
		for _, err := range one.Enumerate(t.Context(), wsman.Enumeration{ResourceURI: cim.ResourceURI(`root\MSCluster`, "MSCluster_Node")}) {
			var fault *wsman.Fault
			if !errors.As(err, &fault) || !fault.Has(2150859012) {
				t.Errorf("denied: %v", err)
			}
		}
	})
}

// TestListenAs: a socket for each process, which accepts no connection while
// the host is down.
func TestListenAs(t *testing.T) {
	t.Parallel()
	h := hypervsim.RunT(t)
	for _, name := range []string{"one", "two"} {
		address, err := h.ListenAs(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := wsman.New(wsman.Config{
			Endpoint:  winrm.NewEndpoint(h.HostName(), address.Port, false, false, nil, nil, nil, 0),
			Mechanism: secure.NewNTLM(secure.NTLMConfig{User: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword}),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		node(t, c)
		requests := h.Requests()
		if got := requests[len(requests)-1].Client; got != name {
			t.Errorf("the client is %q, want %q", got, name)
		}
		h.SetDown(true)
		if _, err := c.Get(t.Context(), imageService()); err == nil {
			t.Error("a host that is down answered")
		}
		h.SetDown(false)
		node(t, c)
	}
}
