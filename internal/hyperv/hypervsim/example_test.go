package hypervsim_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
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
