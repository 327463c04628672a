package hyperv_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// network is a connection to a simulated host that can be cut.
type network struct {
	sim *hypervsim.Host
	cut atomic.Bool

	mu    sync.Mutex
	conns []net.Conn
}

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	if n.cut.Load() {
		return nil, &net.OpError{Op: "dial", Net: kind, Err: syscall.ECONNREFUSED}
	}
	conn, err := n.sim.Dial(ctx, kind, address)
	if err == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.conns = append(n.conns, conn)
	}
	return conn, err
}

// kill ends every connection and refuses new ones, as if the process behind
// them were gone.
func (n *network) kill() {
	n.cut.Store(true)
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close() // a second close says nothing new
	}
}

// matrixStep is a request of a run that a fault can hit.
type matrixStep struct {
	name        string
	rule        hypervsim.Rule
	mounted     bool // only a run that attaches sends it
	interrupted bool // only a run that times out sends it
}

// changes reports whether the request changes something on the host.
func (s matrixStep) changes() bool {
	return slices.Contains([]string{"attach", "compact", "cancel", "detach"}, s.name)
}

var matrixSteps = []matrixStep{
	{name: "settings", rule: hypervsim.Rule{Method: "GetVirtualHardDiskSettingData"}},
	{name: "state", rule: hypervsim.Rule{Method: "GetVirtualHardDiskState"}},
	{name: "usage", rule: hypervsim.Rule{Operation: hypervsim.OperationEnumerate, Class: cim.ClassStorageAllocationSettingData}},
	{name: "attach", rule: hypervsim.Rule{Method: "AttachVirtualHardDisk"}, mounted: true},
	{name: "attach job", rule: hypervsim.Rule{Operation: hypervsim.OperationGet, Class: cim.ClassStorageJob}, mounted: true},
	{name: "find mount", rule: hypervsim.Rule{Operation: hypervsim.OperationEnumerate, Class: cim.ClassMountedStorageImage}, mounted: true},
	{name: "compact", rule: hypervsim.Rule{Method: "CompactVirtualHardDisk"}},
	{name: "poll", rule: hypervsim.Rule{Operation: hypervsim.OperationGet, Class: cim.ClassStorageJob, Skip: 5}},
	{name: "cancel", rule: hypervsim.Rule{Method: "RequestStateChange"}, interrupted: true},
	{name: "detach", rule: hypervsim.Rule{Method: "DetachVirtualHardDisk"}, mounted: true},
	{name: "final state", rule: hypervsim.Rule{Method: "GetVirtualHardDiskState", Skip: 1}},
}

// matrixFault is something that goes wrong with a request.
type matrixFault struct {
	name   string
	effect hypervsim.Effect
	// act does something to the host or the network when the request arrives.
	act func(*network)
}

const (
	codeTimedOut    = 2150858793
	codeQuota       = 2150859174
	codeDenied      = 2150859013
	codeUnavailable = 2150858772
	codeShutdown    = 2147749939
)

var matrixFaults = []matrixFault{
	{name: "refused", effect: hypervsim.ResetBefore(), act: func(n *network) { n.cut.Store(true) }},
	{name: "reset before", effect: hypervsim.ResetBefore()},
	{name: "reset after", effect: hypervsim.ResetAfter()},
	{name: "cut in half", effect: hypervsim.CutAnswer()},
	{name: "garbage", effect: hypervsim.Garbage()},
	{name: "401", effect: hypervsim.Unauthorized()},
	{name: "413", effect: hypervsim.Status(413)},
	{name: "500 empty", effect: hypervsim.Status(500)},
	{name: "503", effect: hypervsim.Status(503)},
	{name: "fault of the service", effect: hypervsim.Fault(codeUnavailable, hypervsim.FaultFormService)},
	{name: "fault of the provider", effect: hypervsim.Fault(codeShutdown, hypervsim.FaultFormProvider)},
	{name: "fault as WMI error", effect: hypervsim.Fault(codeShutdown, hypervsim.FaultFormWMIError)},
	{name: "fault without detail", effect: hypervsim.Fault(codeUnavailable, hypervsim.FaultFormBare)},
	{name: "quota", effect: hypervsim.Fault(codeQuota, hypervsim.FaultFormAny)},
	{name: "time-out before", effect: hypervsim.Fault(codeTimedOut, hypervsim.FaultFormAny)},
	{name: "time-out after", effect: hypervsim.FaultAfter(codeTimedOut, hypervsim.FaultFormAny)},
	{name: "access denied", effect: hypervsim.Fault(codeDenied, hypervsim.FaultFormAny)},
	{name: "wrong content type", effect: hypervsim.ContentType("text/html")},
	{name: "job vanished", effect: hypervsim.Effect{}, act: func(n *network) { n.sim.RestartService() }},
	{name: "slow beyond the time-out", effect: hypervsim.Delay(10 * time.Minute)},
	{name: "unsealed", effect: hypervsim.Unsealed()},
	{name: "tampered", effect: hypervsim.Tampered()},
	{name: "wrong RelatesTo", effect: hypervsim.WrongRelatesTo()},
}

// matrixJob is how long the compaction of a cell takes in virtual time.
const matrixJob = 15 * time.Second

// matrixRun is one cell: a step that a fault hits, once or from then on.
type matrixRun struct {
	step    matrixStep
	fault   matrixFault
	mounted bool
	always  bool
}

func matrixCells() []matrixRun {
	var cells []matrixRun
	for i, fault := range append(slices.Clone(matrixFaults), codeFaults()...) {
		for _, step := range matrixSteps {
			if i >= len(matrixFaults) && !step.changes() {
				continue
			}
			for _, mounted := range []bool{true, false} {
				for _, always := range []bool{false, true} {
					if !step.mounted || mounted {
						cells = append(cells, matrixRun{step, fault, mounted, always})
					}
				}
			}
		}
	}
	return cells
}

func (c matrixRun) String() string {
	return fmt.Sprintf("%s/%s/mounted=%v/always=%v", c.step.name, c.fault.name, c.mounted, c.always)
}

// TestFaultMatrix lets every request of a run go wrong in every way, once and
// for good. Whatever happens: the error says so, the result agrees with what
// the host did, no disk is compacted twice at once, and either nothing stays
// attached or the result records it. The next run, with the host in order
// again, then succeeds and leaves the host clean.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	cells := sample.Every(matrixSample, matrixCells())
	for _, cell := range cells {
		t.Run(cell.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, cell.test)
		})
	}
	checkSpread(t, cells)
}

// matrixSample leaves at least one cell of each fault, and of each step in each way in which it is
// met; of the return codes, which share their code, it leaves some.
const matrixSample = 23

// checkSpread fails the test if a fault, or a way in which a step is met, is in none of the cells.
func checkSpread(t *testing.T, cells []matrixRun) {
	t.Helper()
	way := func(c matrixRun) string {
		return fmt.Sprintf("%s/mounted=%v/always=%v", c.step.name, c.mounted, c.always)
	}
	seen := map[string]bool{}
	for _, c := range cells {
		seen[way(c)], seen[c.fault.name] = true, true
	}
	for _, c := range matrixCells() {
		if !seen[way(c)] {
			t.Errorf("no cell meets %s", way(c))
		}
	}
	for _, f := range matrixFaults {
		if !seen[f.name] {
			t.Errorf("no cell has the fault %q", f.name)
		}
	}
	t.Logf("%d cells", len(cells))
}

func (c matrixRun) test(t *testing.T) {
	sim := hypervsim.RunT(t, hypervsim.WithUser(testUser, testPassword), hypervsim.WithoutListener(), disk(func(v *hypervsim.VHD) { v.JobDuration = matrixJob }))
	way := &network{sim: sim}
	host := connect(t, sim, func(cfg *hyperv.Config) { cfg.Dial = way.dial })

	var hit atomic.Bool
	rule := c.step.rule
	rule.Effect = c.fault.effect
	rule.Func = func(hypervsim.Request) {
		hit.Store(true)
		if c.fault.act != nil {
			c.fault.act(way)
		}
		if !c.always {
			time.AfterFunc(time.Minute, func() { way.cut.Store(false) })
		}
	}
	if c.always {
		rule.Times = -1
	}
	sim.AddRule(rule)

	first, err := host.Compact(t.Context(), c.order(nil))
	if !hit.Load() {
		t.Fatal("the fault was not met")
	}
	c.check(t, sim, first, err)
	if !c.always && first.LeftAttached && !c.attachStaysUnknown() {
		t.Errorf("one fault left the disk attached: %+v, %v", first, err)
	}

	// The host is in order again; a new process goes on from what was kept.
	sim.ClearRules()
	way.cut.Store(false)
	if err := sim.Change(diskPath, func(v *hypervsim.VHD) { v.JobDuration = 2 * time.Second }); err != nil {
		t.Fatal(err)
	}
	next := connect(t, sim, func(cfg *hyperv.Config) { cfg.Dial = way.dial })
	second, err := next.Compact(t.Context(), c.order(&first))
	if err != nil {
		t.Fatalf("the next run: %v", err)
	}
	if second.LeftAttached {
		t.Error("the next run left the disk attached")
	}
	c.check(t, sim, second, err)
	if left := sim.Attachments(); len(left) != 0 {
		t.Errorf("attachments left on the host: %+v", left)
	}
}

func (c matrixRun) order(prior *hyperv.CompactResult) hyperv.Order {
	o := order(mode(hyperv.ModeFull), func(o *hyperv.Order) { o.AttachReadOnly = &c.mounted })
	if prior == nil && c.step.interrupted {
		o.Timeout = matrixJob / 2
	}
	if prior != nil {
		o.LeftAttached = prior.LeftAttached
		if prior.Run != nil && prior.Status != hyperv.StatusCompacted {
			o.PriorJobID = prior.Run.JobID
		}
	}
	return o
}

// check compares what a result claims with what the host knows.
func (c matrixRun) check(t *testing.T, sim *hypervsim.Host, got hyperv.CompactResult, err error) {
	t.Helper()
	if bad := sim.TakeViolations(); len(bad) != 0 {
		t.Errorf("violations: %q", bad)
	}
	if left := sim.Attachments(); len(left) != 0 && !got.LeftAttached {
		t.Errorf("attached and not remembered: %+v", left)
	}
	if got.Status == "" {
		t.Errorf("no status beside the error %v", err)
	}
	succeeded := got.Status == hyperv.StatusCompacted || got.Status == hyperv.StatusUnchanged
	if (err == nil) != succeeded && !got.LeftAttached {
		t.Errorf("status %s beside the error %v", got.Status, err)
	}
	if err != nil && got.Detail == "" {
		t.Errorf("no detail beside the error %v", err)
	}
	now, ok := sim.VHD(diskPath)
	if !ok {
		t.Fatal("the disk is gone")
	}
	if got.FileSizeBytes != nil && *got.FileSizeBytes != now.FileSize && !running(sim) {
		t.Errorf("file size %d, the host has %d", *got.FileSizeBytes, now.FileSize)
	}
	if got.Status == hyperv.StatusCompacted && sim.Compactions(diskPath) == 0 {
		t.Error("compacted is claimed, the host did nothing")
	}
	if got.Run == nil && sim.Compactions(diskPath) > 0 && err != nil && !errors.Is(err, hyperv.ErrUnauthenticated) {
		t.Errorf("the host compacted, the result knows of no run: %v", err)
	}
}

// attachStaysUnknown reports whether the attachment may stay unknown: an attach
// that was requested and neither answered nor seen may still be carried out;
// and an outage longer than the time for cleaning up leaves no way to detach.
// Both must be recorded.
func (c matrixRun) attachStaysUnknown() bool {
	outage := c.fault.name == "refused" || c.fault.name == "slow beyond the time-out"
	return c.step.name == "attach" || c.step.name == "cancel" && outage
}

func running(sim *hypervsim.Host) bool {
	for _, j := range sim.Jobs() {
		if hyperv.JobState(j.State) == hyperv.JobRunning {
			return true
		}
	}
	return false
}
