package hypervsim_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// A host in memory, a client, one compaction.
func ExampleNew() {
	h, err := hypervsim.New(hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{
		Path: `D:\VMs\web01.vhdx`, FileSize: 40 * gib, ReclaimableUnmounted: 30 * gib, Immediate: true,
	}))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h.Start(ctx); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	c, err := newClient(h)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	out, err := c.Invoke(ctx, compaction(`D:\VMs\web01.vhdx`))
	if err != nil {
		log.Fatal(err)
	}
	code, _ := out.String("ReturnValue")
	disk, _ := h.VHD(`D:\VMs\web01.vhdx`)
	fmt.Println("return value", code, "and", disk.FileSize/gib, "GiB are left")
	// Output: return value 0 and 10 GiB are left
}

// The answer to a compaction is lost after the host has done the work.
func ExampleHost_AddRule() {
	h, err := hypervsim.New(hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{Path: `D:\VMs\web01.vhdx`}))
	if err != nil {
		log.Fatal(err)
	}
	h.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Path: "web01", Effect: hypervsim.ResetAfter()})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h.Start(ctx); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	c, err := newClient(h)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	_, err = c.Invoke(ctx, compaction(`D:\VMs\web01.vhdx`))
	fmt.Println("answered:", err == nil)
	fmt.Println("compactions asked for:", h.CompactionRequests(`D:\VMs\web01.vhdx`))
	fmt.Println("rules left:", len(h.UnusedRules()))
	// Output:
	// answered: false
	// compactions asked for: 1
	// rules left: 0
}

// Two processes with one account: the oracle tells them apart by the names of
// their connections.
func ExampleHost_DialAs() {
	h, err := hypervsim.New(hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{Path: `D:\VMs\web01.vhdx`, JobDuration: time.Hour}))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h.Start(ctx); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	if err := h.AttachFor("first", `D:\VMs\web01.vhdx`); err != nil {
		log.Fatal(err)
	}
	second, err := clientOf(h.DialAs("second"), h.HostName())
	if err != nil {
		log.Fatal(err)
	}
	defer second.Close()
	image := cim.NewReference(cim.NamespaceVirtualizationV2, cim.ClassMountedStorageImage,
		cim.Selector{Name: "Lun", Value: "0"}, cim.Selector{Name: "PathId", Value: "0"},
		cim.Selector{Name: "PortNumber", Value: "1"}, cim.Selector{Name: "TargetId", Value: "0"})
	if _, err := second.Invoke(ctx, wsman.Invocation{Target: image, Method: "DetachVirtualHardDisk"}); err != nil {
		log.Fatal(err)
	}
	for _, v := range h.TakeViolations() {
		fmt.Println(v)
	}
	// Output: second detached D:\VMs\web01.vhdx, which first had attached
}

// What a client says of itself after a run is compared with the facts.
func ExampleHost_Check() {
	h, err := hypervsim.New(hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{Path: `D:\VMs\web01.vhdx`}))
	if err != nil {
		log.Fatal(err)
	}
	if err := h.AttachFor("first", `D:\VMs\web01.vhdx`); err != nil {
		log.Fatal(err)
	}
	h.Check(hypervsim.Claim{Client: "first", Path: `D:\VMs\web01.vhdx`, LeftAttached: false})
	for _, v := range h.TakeViolations() {
		fmt.Println(v)
	}
	// Output:
	// first says that it left nothing attached, and D:\VMs\web01.vhdx is attached to HYPERV01 for it
}

// The name of a cluster moves to another node.
func ExampleCluster_MoveName() {
	c, err := hypervsim.NewCluster(hypervsim.ClusterConfig{Name: "CLUSTER01", Domain: "lab.example"},
		[]hypervsim.Option{hypervsim.WithoutListener()}, "HV01", "HV02")
	if err != nil {
		log.Fatal(err)
	}
	c.Node("HV01").AddVHD(hypervsim.VHD{Path: `C:\ClusterStorage\Volume1\web01.vhdx`})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Start(ctx); err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	client, err := clientOf(c.DialAs("first"), "cluster01.lab.example")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for _, node := range []string{"HV01", "HV02"} {
		c.MoveName(node)
		service, err := client.Get(ctx, imageService())
		if err != nil {
			log.Fatal(err)
		}
		name, _ := service.String("SystemName")
		fmt.Println("the cluster answers as", name)
	}
	// Output:
	// the cluster answers as HV01
	// the cluster answers as HV02
}

// The answer is a time-out, and the work begins half a minute later.
func ExampleLate() {
	h, err := hypervsim.New(hypervsim.WithoutListener())
	if err != nil {
		log.Fatal(err)
	}
	timedOut := hypervsim.Fault(2150858793, hypervsim.FaultFormAny)
	h.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Client: "first", Effect: hypervsim.Late(30*time.Second, timedOut)})
	fmt.Println(h.UnusedRules()[0].Effect)
	// Output: fault, the work 30s late
}
