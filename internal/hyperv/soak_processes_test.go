package hyperv_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// envSoakRuns is how many runs the soak of several processes makes.
const envSoakRuns = "HYPERV_SOAK_RUNS"

// processSoak is a cluster of two nodes on which three processes compact disks, each as a scheduler
// does, with its own state that it keeps from run to run. Two name a node, one the cluster, whose
// name moves. They share disks on the cluster volume, under several spellings and with one
// VirtualDiskId, and have disks of their own. A colleague attaches and compacts by hand.
type processSoak struct {
	cluster *hypervsim.Cluster
	faulty  bool

	mu       sync.Mutex
	random   *rand.Rand
	statuses map[string]int // how many runs ended with each status, and what else happened
}

const (
	soakVolume    = `C:\ClusterStorage\Volume1`
	soakShort     = `C:\ClusterStorage\VOLUME~1`
	soakDisksEach = 3
)

func soakDiskPath(i int) string { return fmt.Sprintf(soakVolume+`\vm%d\disk.vhdx`, i) }

func newProcessSoak(t *testing.T, seed uint64, faulty bool) *processSoak {
	t.Helper()
	id := "6b1d0f6e-52f5-4b7b-9d3c-0d3d8f7a1c11"
	options := []hypervsim.Option{hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener()}
	cluster := hypervsim.RunClusterT(t, hypervsim.ClusterConfig{}, options, "NODE1", "NODE2")
	for i := range 3 * soakDisksEach {
		v := hypervsim.VHD{
			Path: soakDiskPath(i), FileSize: 10 * gib, ReclaimableMounted: gib, ReclaimableUnmounted: gib, VirtualDiskID: id,
			JobDuration: time.Duration(1+3*i) * time.Minute, AttachDuration: time.Second, Refusals: hypervsim.ViaReturnValue,
		}
		if i%2 == 0 {
			v.Progress = hypervsim.ProgressAtEnd
		}
		cluster.Hosts()[0].AddVHD(v)
	}
	return &processSoak{cluster: cluster, faulty: faulty, random: rand.New(rand.NewPCG(seed, 1)), statuses: map[string]int{}}
}

// draw returns a number below n.
func (s *processSoak) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.IntN(n)
}

func (s *processSoak) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses[what]++
}

// TestSoakProcesses lets three processes and a colleague work on two nodes at once, with and
// without injected faults. Without faults, nothing ever stays attached, and a run fails only
// because it was ended or because another client has the disk open. With faults, no violation
// occurs, and a disk that stays attached is reported.
func TestSoakProcesses(t *testing.T) {
	t.Parallel()
	runs := soakRuns(t)
	for _, faulty := range []bool{false, true} {
		t.Run(fmt.Sprintf("faults=%v", faulty), func(t *testing.T) {
			t.Parallel()
			total := map[string]int{}
			const slice = 25 // runs of one world
			for n := 0; n*slice < runs; n++ {
				synctest.Test(t, func(t *testing.T) {
					s := newProcessSoak(t, uint64(n), faulty)
					s.run(t, slice)
					for what, times := range s.statuses {
						total[what] += times
					}
				})
				if t.Failed() {
					t.Fatalf("seed %d", n)
				}
			}
			for _, what := range slices.Sorted(maps.Keys(total)) {
				t.Logf("%5d %s", total[what], what)
			}
		})
	}
}

func soakRuns(t *testing.T) int {
	t.Helper()
	if text := os.Getenv(envSoakRuns); text != "" {
		runs, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return runs
	}
	return sample.Of(500, 25)
}

// run lets every process make its share of runs, then puts all in order.
func (s *processSoak) run(t *testing.T, runs int) {
	t.Helper()
	life, stop := context.WithCancel(t.Context())
	var others, workers sync.WaitGroup
	others.Go(func() { s.colleague(life) })
	if s.faulty {
		others.Go(func() { s.moveName(life) })
		others.Go(func() { s.trouble(life) })
	}
	for p, host := range []string{"NODE1", "NODE2", "CLUSTER01"} {
		name := fmt.Sprint("process ", p+1)
		h := s.connect(t, name, host)
		workers.Go(func() { s.work(t, name, h, p, runs/3) })
	}
	workers.Wait()
	stop()
	others.Wait()
	s.settle(t)
}

func (s *processSoak) connect(t *testing.T, process, host string) *hyperv.Host {
	t.Helper()
	fleet, err := hyperv.NewFleet(hyperv.Config{
		Auth: hyperv.AuthNTLM, Username: testUser, Password: testPassword, RequestTimeout: time.Minute,
		MaxConcurrentCompactions: 2, MaxConcurrentRequests: 5, Dial: s.cluster.DialAs(process),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	h, err := fleet.Host(host)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// work is one process: two runs at a time, on the disks of its own and, one time
// in three, on one of another process.
func (s *processSoak) work(t *testing.T, name string, h *hyperv.Host, p, runs int) {
	t.Helper()
	var wg sync.WaitGroup
	states := make([]hyperv.CompactResult, 3*soakDisksEach)
	var busy sync.Map
	slots := make(chan struct{}, 2)
	for range runs {
		slots <- struct{}{}
		i := p*soakDisksEach + s.draw(soakDisksEach)
		if s.draw(3) == 0 {
			i = s.draw(3 * soakDisksEach)
		}
		if _, taken := busy.LoadOrStore(i, true); taken {
			<-slots
			time.Sleep(time.Minute)
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			defer busy.Delete(i)
			states[i] = s.one(t, name, h, i, states[i])
		})
		time.Sleep(time.Duration(s.draw(180)) * time.Second)
	}
	wg.Wait()
	s.lastRuns(t, name, h, states)
}

// one is one run, from the state of the last one.
func (s *processSoak) one(t *testing.T, name string, h *hyperv.Host, i int, prior hyperv.CompactResult) hyperv.CompactResult {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := s.order(i, prior)
	if s.draw(6) == 0 {
		stop := time.AfterFunc(time.Duration(s.draw(900))*time.Second, cancel)
		defer stop.Stop()
	}
	got, err := h.Compact(ctx, o)
	s.note(t, name, soakDiskPath(i), got, err)
	if got.Run == nil {
		got.Run = prior.Run
	}
	return got
}

func (s *processSoak) order(i int, prior hyperv.CompactResult) hyperv.Order {
	path := soakDiskPath(i)
	if s.draw(4) == 0 {
		path = strings.ToUpper(path)
	}
	o := order(func(o *hyperv.Order) { o.Path, o.Timeout = path, 4*time.Hour })
	if s.draw(4) == 0 {
		m := hyperv.ModePrezeroed
		o.Mode = &m
	}
	if s.draw(8) == 0 {
		o.Timeout = time.Duration(1+s.draw(20)) * time.Minute
	}
	if s.draw(5) == 0 {
		o.MaxPasses = 2
	}
	return withPrior(o, prior)
}

// withPrior carries on what a state keeps of the last run.
func withPrior(o hyperv.Order, prior hyperv.CompactResult) hyperv.Order {
	o.LeftAttached, o.LeftAt = prior.LeftAttached, prior.LeftAttachedAt
	if prior.Run != nil && prior.Status != hyperv.StatusCompacted && prior.Status != hyperv.StatusUnchanged {
		o.PriorJobID, o.PriorNode = prior.Run.JobID, prior.Node
	}
	return o
}

// note checks the result of a run.
func (s *processSoak) note(t *testing.T, name, path string, got hyperv.CompactResult, err error) {
	t.Helper()
	s.cluster.Hosts()[0].Check(hypervsim.Claim{Client: name, Path: path, LeftAttached: got.LeftAttached})
	s.count(string(got.Status))
	if got.LeftAttached {
		s.count("left attached, and told")
	}
	if s.faulty || err == nil {
		return
	}
	if got.LeftAttached || !errors.Is(err, hyperv.ErrInterrupted) && !errors.Is(err, hyperv.ErrInUse) && !sizeHeld(got, err) {
		t.Errorf("%s: %s without a fault: %+v, %v", name, path, got, err)
	}
}

// sizeHeld reports whether the compaction ended well, and another client on
// another node had the disk open before its size could be read.
func sizeHeld(got hyperv.CompactResult, err error) bool {
	return errors.Is(err, hyperv.ErrOutcomeUnknown) && got.Run != nil && !got.Run.Attached && strings.Contains(err.Error(), "the size of the file could not be read")
}

// lastRuns makes runs without a fault until no state of the process has anything
// to settle.
func (s *processSoak) lastRuns(t *testing.T, name string, h *hyperv.Host, states []hyperv.CompactResult) {
	t.Helper()
	if s.faulty {
		return // a disk may stay attached for what is still broken
	}
	for i, prior := range states {
		for try := 0; prior.LeftAttached && try < 5; try++ {
			got, err := h.Compact(t.Context(), withPrior(order(func(o *hyperv.Order) { o.Path = soakDiskPath(i) }), prior))
			s.note(t, name, soakDiskPath(i), got, err)
			prior = got
		}
	}
}

// colleague works at the console of a node: attaches disks, with and without a
// letter, and compacts them, now and then.
func (s *processSoak) colleague(life context.Context) {
	for sleep(life, time.Duration(5+s.draw(40))*time.Minute) {
		node := s.cluster.Hosts()[s.draw(2)]
		console := node.Console(`LAB\colleague`)
		path := soakDiskPath(s.draw(3 * soakDisksEach))
		var names []string
		if s.draw(2) == 0 {
			names = []string{`E:\`}
		}
		if console.Attach(path, true, names...) != nil {
			continue
		}
		s.count("attached by the colleague")
		if _, err := console.Compact(path, time.Duration(1+s.draw(10))*time.Minute); err == nil {
			sleep(life, 12*time.Minute)
		}
		// The attachment may have changed hands: a compaction of ours on it has taken it over.
		if ours := slices.ContainsFunc(node.Attachments(), func(a hypervsim.Attachment) bool {
			return a.Path == path && strings.HasPrefix(a.Client, "process")
		}); !ours {
			console.Detach(path)
		}
	}
}

// moveName moves the name of the cluster, with and without its connections.
func (s *processSoak) moveName(life context.Context) {
	for n := 0; sleep(life, time.Duration(60+s.draw(120))*time.Minute); n++ {
		node := []string{"NODE2", "NODE1"}[n%2]
		if s.draw(2) == 0 {
			s.cluster.MoveName(node)
		} else {
			s.cluster.MoveNameQuietly(node)
		}
		s.count("name moved")
	}
}

// trouble injects faults: lost and late answers, faults after the work, restarts.
func (s *processSoak) trouble(life context.Context) {
	methods := []string{"CompactVirtualHardDisk", "AttachVirtualHardDisk", "DetachVirtualHardDisk", "RequestStateChange", "GetVirtualHardDiskState"}
	effects := []hypervsim.Effect{
		hypervsim.ResetBefore(), hypervsim.ResetAfter(), hypervsim.Garbage(), hypervsim.CutAnswer(),
		hypervsim.FaultAfter(0x80338029, hypervsim.FaultFormAny), hypervsim.FaultAfter(0x80041001, hypervsim.FaultFormAny),
		hypervsim.Fault(5, hypervsim.FaultFormAny), hypervsim.Fault(0x803381A6, hypervsim.FaultFormAny),
		hypervsim.Late(30*time.Second, hypervsim.Fault(0x80338029, hypervsim.FaultFormAny)),
		hypervsim.Held(90*time.Second, hypervsim.Effect{}),
	}
	for sleep(life, time.Duration(1+s.draw(6))*time.Minute) {
		node := s.cluster.Hosts()[s.draw(2)]
		s.count("faults")
		switch s.draw(20) {
		case 0:
			node.RestartService()
		case 1:
			node.Restart(45 * time.Second) // over before the next trouble comes
		default:
			node.AddRule(hypervsim.Rule{Method: methods[s.draw(len(methods))], Times: 1 + s.draw(2), Effect: effects[s.draw(len(effects))]})
		}
	}
	for _, node := range s.cluster.Hosts() {
		node.ClearRules()
	}
}

// settle waits for what is under way and looks at the world.
func (s *processSoak) settle(t *testing.T) {
	t.Helper()
	time.Sleep(2 * time.Hour)
	for _, node := range s.cluster.Hosts() {
		for _, a := range node.Attachments() {
			if strings.HasPrefix(a.Client, "process") && !s.faulty {
				t.Errorf("%s is attached to %s for %s", a.Path, node.ComputerName(), a.Client)
			}
		}
	}
}

// sleep waits, and reports false when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
