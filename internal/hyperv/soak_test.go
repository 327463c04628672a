package hyperv_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// Of a soak, in the environment: how long it takes in real time, which is not at
// all by default, and the seed of a run to repeat.
const (
	envSoak     = "HYPERV_SOAK"
	envSoakSeed = "HYPERV_SOAK_SEED"
)

const soakDisks = 50

// soak compacts many disks at once, again and again, while faults of every kind
// occur at random. It ends with the host in order, and one run of each disk
// that must succeed.
type soak struct {
	sim    *hypervsim.Host
	way    *network
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	job    time.Duration // the longest compaction
	outage time.Duration
	every  time.Duration // between two faults
	faults []matrixFault
	seed   uint64

	open, opened atomic.Int64 // connections
	mu           sync.Mutex
	statuses     map[hyperv.Status]int
	hits         map[string]int
}

// soakDisk is what is known of one disk, kept from run to run as state keeps it.
type soakDisk struct {
	path    string
	jobs    map[string]bool // those that ended a run well
	begun   int             // runs that started something
	orders  int
	beneath int // detaches beneath a compaction that could not be cancelled
	last    hyperv.CompactResult
}

// TestSoak is an hour of virtual time, of which the race detector sees a part.
func TestSoak(t *testing.T) {
	t.Parallel()
	seed := soakSeed(t)
	synctest.Test(t, func(t *testing.T) {
		job, length := sample.Of(30*time.Minute, time.Minute), sample.Of(time.Hour, 2*time.Minute)
		sim := soakHost(t, job, hypervsim.WithoutListener())
		s := newSoak(sim, seed, job)
		s.dial, s.every, s.faults = sim.Dial, 20*time.Second, matrixFaults
		s.run(t, length)
	})
}

// TestSoakRealTime does the same over sockets of the loopback interface, for as
// long as HYPERV_SOAK says, and then looks for what is left of it.
func TestSoakRealTime(t *testing.T) { //nolint:paralleltest // it counts the goroutines of the process
	text := os.Getenv(envSoak)
	if text == "" {
		t.Skip(envSoak + " is not set: make soak sets it")
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	seed := soakSeed(t)
	openPoller(t)
	goroutines, handles := runtime.NumGoroutine(), fileHandles()
	t.Run("storm", func(t *testing.T) {
		sim := soakHost(t, 3*time.Second)
		s := newSoak(sim, seed, 3*time.Second)
		s.dial, s.every = (&net.Dialer{}).DialContext, 300*time.Millisecond
		s.faults = append(slices.DeleteFunc(slices.Clone(matrixFaults), func(f matrixFault) bool {
			return f.name == "slow beyond the time-out"
		}), matrixFault{name: "slow", effect: hypervsim.Delay(2 * time.Second)})
		s.run(t, length)
	})
	settled := func() bool { return runtime.NumGoroutine() <= goroutines && fileHandles() <= handles }
	for deadline := time.Now().Add(10 * time.Second); !settled() && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("goroutines %d before, %d after; file handles %d before, %d after", goroutines, runtime.NumGoroutine(), handles, fileHandles())
	if !settled() {
		stacks := make([]byte, 1<<20)
		t.Errorf("something is left:\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// openPoller has the runtime open the two files that it waits for sockets with,
// and keeps.
func openPoller(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

// fileHandles counts the open files of the process, 0 where that cannot be
// found out.
func fileHandles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// soakSeed draws a seed, or takes the one that is asked for.
func soakSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv(envSoakSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("repeat with %s=%d", envSoakSeed, seed)
	return seed
}

func soakHost(t *testing.T, job time.Duration, opts ...hypervsim.Option) *hypervsim.Host {
	t.Helper()
	opts = append(opts, hypervsim.WithUser(testUser, testPassword), hypervsim.WithLogger(slog.New(slog.DiscardHandler)))
	for i := range soakDisks {
		opts = append(opts, hypervsim.WithVHD(hypervsim.VHD{
			Path: soakPath(i), FileSize: 10 * gib, ReclaimableMounted: 4 * gib, ReclaimableUnmounted: gib,
			JobDuration: job * time.Duration(i+1) / soakDisks,
		}))
	}
	return hypervsim.RunT(t, opts...)
}

func soakPath(i int) string { return fmt.Sprintf(`D:\VMs\%02d.vhdx`, i) }

func newSoak(sim *hypervsim.Host, seed uint64, job time.Duration) *soak {
	return &soak{
		sim: sim, way: &network{sim: sim}, seed: seed, job: job, outage: min(job/2, time.Minute),
		statuses: map[hyperv.Status]int{}, hits: map[string]int{},
	}
}

func (s *soak) run(t *testing.T, length time.Duration) {
	t.Helper()
	fleet, host := s.connect(t)
	start := time.Now()
	storm, calm := context.WithTimeout(t.Context(), length)
	defer calm()
	disks := make([]*soakDisk, soakDisks)
	var wg sync.WaitGroup
	wg.Go(func() { s.trouble(storm) })
	for i := range disks {
		disks[i] = &soakDisk{path: soakPath(i), jobs: map[string]bool{}}
		wg.Go(func() { s.work(storm, t, host, disks[i], rand.New(rand.NewPCG(s.seed, uint64(i+1)))) })
	}
	wg.Wait()

	s.sim.ClearRules()
	s.way.cut.Store(false)
	for _, d := range disks {
		wg.Go(func() { s.last(t, host, d) })
	}
	wg.Wait()
	s.check(t, disks)
	fleet.Close()
	s.sim.DropIdleConnections()
	if n := s.open.Load(); n != 0 {
		t.Errorf("%d connections are still open", n)
	}
	s.report(t, host, time.Since(start))
}

// connect makes a client whose connections are counted.
func (s *soak) connect(t *testing.T) (*hyperv.Fleet, *hyperv.Host) {
	t.Helper()
	fleet, err := hyperv.NewFleet(hyperv.Config{
		Auth: hyperv.AuthNTLM, Username: testUser, Password: testPassword, Port: s.sim.Port(), RequestTimeout: 20 * time.Second,
		MaxConcurrentCompactions: soakDisks, MaxConcurrentRequests: 5, Dial: s.dialCounted,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	host, err := fleet.Host(s.sim.HostName())
	if err != nil {
		t.Fatal(err)
	}
	return fleet, host
}

func (s *soak) dialCounted(ctx context.Context, kind, address string) (net.Conn, error) {
	if s.way.cut.Load() {
		return s.way.dial(ctx, kind, address) // refuses
	}
	conn, err := s.dial(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	s.opened.Add(1)
	s.open.Add(1)
	return &soakConn{Conn: conn, s: s}, nil
}

// soakConn notices that it is closed.
type soakConn struct {
	net.Conn
	s    *soak
	once sync.Once
}

func (c *soakConn) Close() error {
	c.once.Do(func() { c.s.open.Add(-1) })
	return c.Conn.Close()
}

// trouble lets a random request go wrong in a random way, or drops connections.
func (s *soak) trouble(ctx context.Context) {
	random := rand.New(rand.NewPCG(s.seed, 0))
	for {
		if !wait(ctx, time.Duration(random.Int64N(int64(2*s.every)))) {
			return
		}
		step, fault := matrixSteps[random.IntN(len(matrixSteps))], s.faults[random.IntN(len(s.faults))]
		if random.IntN(4) == 0 {
			s.sim.DropIdleConnections()
			s.hit("idle connections dropped")
			continue
		}
		rule := step.rule
		rule.Skip, rule.Effect = 0, fault.effect
		rule.Func = func(hypervsim.Request) {
			s.hit(fault.name)
			if fault.act == nil {
				return
			}
			fault.act(s.way)
			time.AfterFunc(s.outage, func() { s.way.cut.Store(false) })
		}
		s.sim.AddRule(rule)
	}
}

func (s *soak) hit(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits[name]++
}

// work orders one compaction of a disk after the other.
func (s *soak) work(storm context.Context, t *testing.T, host *hyperv.Host, d *soakDisk, random *rand.Rand) {
	t.Helper()
	for storm.Err() == nil {
		_ = s.sim.Grow(d.path, int64(random.IntN(64))*mib) // not while an earlier job still runs
		ctx, stop := context.WithCancel(t.Context())
		o := d.order(random)
		switch random.IntN(8) {
		case 0:
			o.Timeout = time.Duration(random.Int64N(int64(s.job))) + 1
		case 1: // an interrupt
			timer := time.AfterFunc(time.Duration(random.Int64N(int64(s.job))), stop)
			defer timer.Stop()
		}
		result, err := host.Compact(ctx, o)
		stop()
		s.note(t, d, result, err)
		wait(storm, time.Duration(random.Int64N(int64(s.job))))
	}
}

func (d *soakDisk) order(random *rand.Rand) hyperv.Order {
	modes := hyperv.Modes()
	o := order(mode(modes[random.IntN(len(modes))]), func(c *hyperv.Order) { c.Path, c.LeftAttached = d.path, d.last.LeftAttached })
	if r := d.last.Run; r != nil && d.last.Status != hyperv.StatusCompacted && d.last.Status != hyperv.StatusUnchanged {
		o.PriorJobID = r.JobID
	}
	return o
}

// note keeps the result of a run and compares it with its error.
func (s *soak) note(t *testing.T, d *soakDisk, got hyperv.CompactResult, err error) {
	t.Helper()
	d.orders++
	d.last = got
	succeeded := got.Status == hyperv.StatusCompacted || got.Status == hyperv.StatusUnchanged
	if r := got.Run; r != nil {
		d.begun++
		if succeeded {
			d.jobs[r.JobID] = true
		}
	}
	if n := s.detachedBeneath(d.path); n > d.beneath {
		d.beneath = n
		if got.Status != hyperv.StatusInterrupted && got.Status != hyperv.StatusUnknown {
			t.Errorf("%s: detached while it was compacted, by a run that ended as %s, %v", d.path, got.Status, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses[got.Status]++
	if got.Status == "" || (err == nil) != succeeded && !got.LeftAttached {
		t.Errorf("%s: status %q beside the error %v", d.path, got.Status, err)
	}
}

// detachedBeneath counts how often a disk was detached while it was compacted.
// That is right only when its job could neither be seen nor cancelled.
func (s *soak) detachedBeneath(path string) int {
	n := 0
	for _, v := range s.sim.Violations() {
		if v == path+" was detached while it was compacted" {
			n++
		}
	}
	return n
}

// last is the run of a disk when everything is in order again.
func (s *soak) last(t *testing.T, host *hyperv.Host, d *soakDisk) {
	t.Helper()
	_ = s.sim.Change(d.path, func(v *hypervsim.VHD) { v.JobDuration = time.Second })
	o := d.order(rand.New(rand.NewPCG(s.seed, 0)))
	result, err := host.Compact(t.Context(), o)
	s.note(t, d, result, err)
	if err != nil || result.LeftAttached {
		t.Errorf("%s: the last run: %+v, %v", d.path, result, err)
	}
}

// check compares the results of the runs with what the host knows.
func (s *soak) check(t *testing.T, disks []*soakDisk) {
	t.Helper()
	if left := s.sim.Attachments(); len(left) != 0 {
		t.Errorf("attachments left on the host: %+v", left)
	}
	if running(s.sim) {
		t.Error("a job still runs")
	}
	beneath := 0
	for _, d := range disks {
		beneath += d.beneath
	}
	if bad := s.sim.Violations(); len(bad) != beneath {
		t.Errorf("violations: %q", bad)
	}
	t.Logf("%d detaches beneath a compaction that could not be cancelled", beneath)
	for _, d := range disks {
		now, ok := s.sim.VHD(d.path)
		if !ok || d.last.FileSizeBytes == nil || *d.last.FileSizeBytes != now.FileSize {
			t.Errorf("%s: the last run tells of %v bytes, the host has %d", d.path, d.last.FileSizeBytes, now.FileSize)
		}
		// Each job ends one run well at most, and a run whose answer was lost sends
		// a second request only when no compaction of its own can be running.
		if started := s.sim.Compactions(d.path); started < len(d.jobs) || started > 2*d.begun {
			t.Errorf("%s: the host started %d compactions, %d jobs ended runs well, %d runs started something", d.path, started, len(d.jobs), d.begun)
		}
		if asked := s.sim.CompactionRequests(d.path); asked > 2*d.orders {
			t.Errorf("%s: %d orders sent %d compactions", d.path, d.orders, asked)
		}
	}
}

func (s *soak) report(t *testing.T, host *hyperv.Host, took time.Duration) {
	t.Helper()
	orders, faults := 0, 0
	for _, n := range s.statuses {
		orders += n
	}
	for _, n := range s.hits {
		faults += n
	}
	stats := host.Stats()
	t.Logf("seed %d: %s, %d runs of %d disks, up to %d at once: %s", s.seed, took.Round(time.Second), orders, soakDisks, s.sim.PeakCompactions(), tally(s.statuses))
	t.Logf("%d faults: %s", faults, tally(s.hits))
	t.Logf("%d exchanges, %d logons, %d connections opened, %d open at the end", stats.Exchanges, stats.Handshakes, s.opened.Load(), s.open.Load())
}

func tally[K ~string](counts map[K]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, counts[k]))
	}
	return strings.Join(parts, ", ")
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
