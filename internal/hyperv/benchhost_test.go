package hyperv_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// envBenchHost is how long the host of a benchmark holds back every answer; if
// it is set, the process is that host.
const envBenchHost = "HYPERV_TEST_BENCH_HOST"

// benchDisk is beside the directory of manyDisks.
const benchDisk = `D:\bench.vhdx`

// serveBenchHost serves a simulated host in a separate process, so that a
// benchmark counts only the client's work. It ends with its standard input.
func serveBenchHost() int {
	roundTrip, err := time.ParseDuration(os.Getenv(envBenchHost))
	if err != nil {
		return 2
	}
	sim, err := hypervsim.New(hypervsim.WithUser(testUser, testPassword), hypervsim.WithVHD(manyDisks()...), hypervsim.WithVHD(hypervsim.VHD{
		Path: benchDisk, FileSize: 10 * gib, JobDuration: time.Millisecond, AttachDuration: time.Millisecond,
	}))
	if err != nil {
		return 2
	}
	if roundTrip > 0 {
		sim.AddRule(hypervsim.Rule{Times: -1, Effect: hypervsim.Delay(roundTrip)})
		sim.AddRule(hypervsim.Rule{Operation: hypervsim.OperationHandshake, Times: -1, Effect: hypervsim.Delay(roundTrip)})
	}
	if err := sim.Start(context.Background()); err != nil {
		return 2
	}
	_, _ = fmt.Fprintln(os.Stdout, sim.Port())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = sim.Close()
	return 0
}

// benchHost starts such a host and connects to it over the loopback interface.
func benchHost(b *testing.B, roundTrip time.Duration, adjust ...func(*hyperv.Config)) *hyperv.Host {
	b.Helper()
	host, closeFleet := benchConnect(b, startBenchHost(b, roundTrip), adjust...)
	b.Cleanup(closeFleet)
	return host
}

// startBenchHost returns the port of a host that ends with the benchmark.
func startBenchHost(b *testing.B, roundTrip time.Duration) int {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self)
	cmd.Env = append(os.Environ(), envBenchHost+"="+roundTrip.String())
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	port, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		b.Fatal(err)
	}
	return port
}

// benchConnect makes a client without any knowledge of the host.
func benchConnect(b *testing.B, port int, adjust ...func(*hyperv.Config)) (host *hyperv.Host, closeFleet func()) {
	b.Helper()
	cfg := hyperv.Config{
		Auth: hyperv.AuthNTLM, Username: testUser, Password: testPassword, Port: port,
		RequestTimeout: time.Minute, MaxConcurrentCompactions: 2, MaxConcurrentRequests: 5,
	}
	for _, f := range adjust {
		f(&cfg)
	}
	fleet, err := hyperv.NewFleet(cfg)
	if err != nil {
		b.Fatal(err)
	}
	if host, err = fleet.Host("127.0.0.1"); err != nil {
		b.Fatal(err)
	}
	return host, fleet.Close
}

// reportTraffic reports what each of n operations cost on the wire.
func reportTraffic(b *testing.B, before, after wsman.Stats, n int) {
	b.Helper()
	for _, m := range []struct {
		unit string
		n    int64
	}{
		{"exchanges/op", after.Exchanges - before.Exchanges},
		{"sent-B/op", after.BytesSent - before.BytesSent},
		{"received-B/op", after.BytesReceived - before.BytesReceived},
		{"handshakes/op", after.Handshakes - before.Handshakes},
	} {
		b.ReportMetric(float64(m.n)/float64(n), m.unit)
	}
}
