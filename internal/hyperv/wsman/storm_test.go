package wsman_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// state asks for the state of the disk: a read whose answer names its own
// caller.
func state(path string) wsman.Invocation {
	return wsman.Invocation{
		Target: imageService(), Method: "GetVirtualHardDiskState", ReadOnly: true,
		Params: []wsman.Param{{Name: "Path", Value: cim.Text(path)}},
	}
}

// TestManyOperationsOverFewConnections: 64 operations at once share five
// connections with one handshake each; none is lost, none sent twice, and each
// gets its own answer.
func TestManyOperationsOverFewConnections(t *testing.T) {
	t.Parallel()
	const operations, connections = 64, 5
	var opts []hypervsim.Option
	for i := range operations {
		opts = append(opts, hypervsim.WithVHD(hypervsim.VHD{Path: fmt.Sprintf(`D:\VMs\%d.vhdx`, i), FileSize: int64(i+1) << 20}))
	}
	sim := hypervsim.RunT(t, opts...)
	sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskState", Times: operations, Effect: hypervsim.Delay(20 * time.Millisecond)})
	client := simClient(t, sim, func(cfg *wsman.Config) { cfg.MaxConns = connections })

	var wg sync.WaitGroup
	for i := range operations {
		wg.Go(func() {
			out, err := client.Invoke(t.Context(), state(fmt.Sprintf(`D:\VMs\%d.vhdx`, i)))
			if err != nil {
				t.Error(err)
				return
			}
			embedded, _ := out.String("State")
			disk, err := cim.DecodeEmbedded(embedded)
			if err != nil {
				t.Error(err)
				return
			}
			if size, _, _ := disk.Uint("FileSize", 64); size != uint64(i+1)<<20 {
				t.Errorf("operation %d got the answer of another: %d bytes", i, size)
			}
		})
	}
	wg.Wait()

	if got := sim.Calls("GetVirtualHardDiskState"); got != operations {
		t.Errorf("%d requests reached the host, want %d", got, operations)
	}
	if got := sim.Connections(); got != connections {
		t.Errorf("%d connections, want %d", got, connections)
	}
	if got := client.Stats().Handshakes; got != connections {
		t.Errorf("%d handshakes, want %d", got, connections)
	}
}

// TestIdleDropAtTheWorstMoment: a host closes its idle connections just while a
// message that changes something is on its way, 200 times. Each one is answered,
// or reported as possibly carried out, or lost with the connection amid a logon, before
// it was sent; none reaches the host twice, or although it was not sent.
func TestIdleDropAtTheWorstMoment(t *testing.T) {
	t.Parallel()
	const rounds = 200
	sim := hypervsim.RunT(t)
	client := simClient(t, sim, func(cfg *wsman.Config) { cfg.Dial = nil }) // a real socket: the race is in the kernel too
	if _, err := client.Identify(t.Context()); err != nil {
		t.Fatal(err)
	}

	var answered, unknown atomic.Int64
	var unsent []string
	for i := range rounds {
		path := fmt.Sprintf(`D:\none\%d.vhdx`, i)
		go sim.DropIdleConnections()
		_, err := client.Invoke(t.Context(), wsman.Invocation{
			Target: imageService(), Method: "CompactVirtualHardDisk",
			Params: []wsman.Param{{Name: "Path", Value: cim.Text(path)}, {Name: "Mode", Value: cim.Text("4")}},
		})
		var lost *wsman.OutcomeError
		switch {
		case err == nil:
			answered.Add(1)
		case errors.As(err, &lost):
			unknown.Add(1)
		case errors.As(err, new(*wsman.ConnectionError)):
			unsent = append(unsent, path)
		default:
			t.Fatalf("round %d: %v, want an answer or an unknown outcome", i, err)
		}
	}

	seen := map[string]int{}
	for _, r := range sim.Requests() {
		if path, ok := r.Parameter("Path"); ok && r.Method == "CompactVirtualHardDisk" {
			seen[path]++
		}
	}
	for path, n := range seen {
		if n > 1 {
			t.Errorf("%s reached the host %d times", path, n)
		}
	}
	for _, path := range unsent {
		if seen[path] > 0 {
			t.Errorf("%s reached the host, and the error says that it was not sent", path)
		}
	}
	if int64(len(seen)) < answered.Load() {
		t.Errorf("%d messages reached the host, %d were answered", len(seen), answered.Load())
	}
	t.Logf("%d answered, %d of unknown outcome, %d not sent, %d connections", answered.Load(), unknown.Load(), len(unsent), sim.Connections())
}
