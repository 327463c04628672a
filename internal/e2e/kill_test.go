//go:build linux

package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const (
	killedDisk  = `D:\VMs\killed.vhdx`
	killedState = resourceType + ".disk"

	// cleanUp bounds the time between an interrupt and the end of Terraform. The design allows a
	// minute; with a host that answers at once it takes little.
	cleanUp = 20 * time.Second
)

// killed is the disk whose runs are killed.
func killed() hypervsim.VHD {
	return hypervsim.VHD{
		Path: killedDisk, FileSize: 10 * gib, ReclaimableMounted: 6 * gib, ReclaimableUnmounted: 6 * gib,
		JobDuration: 1200 * time.Millisecond, AttachDuration: 150 * time.Millisecond,
	}
}

// apply is a terraform apply under way, with its providers a process group of
// its own.
type apply struct {
	t   *testing.T
	cmd *exec.Cmd
	log string
}

func (w workspace) startApply() *apply {
	w.t.Helper()
	a := &apply{t: w.t, cmd: w.command("apply"), log: filepath.Join(w.dir, "apply.log")}
	out, err := os.Create(a.log)
	must(w.t, err)
	defer out.Close()
	a.cmd.Stdout, a.cmd.Stderr = out, out // a file: nothing waits for orphans
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(w.t, a.cmd.Start())
	w.t.Cleanup(func() { _ = syscall.Kill(-a.cmd.Process.Pid, syscall.SIGKILL) })
	return a
}

// wait waits for Terraform and returns its exit code, -1 after a signal.
func (a *apply) wait() int {
	a.t.Helper()
	err := a.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		a.t.Fatal(err)
	}
	return a.cmd.ProcessState.ExitCode()
}

// output returns what Terraform has printed.
func (a *apply) output() string {
	out, _ := os.ReadFile(a.log)
	return plain(out)
}

// signal sends a signal to Terraform and to every provider, as a terminal does.
func (a *apply) signal(s syscall.Signal) { _ = syscall.Kill(-a.cmd.Process.Pid, s) }

// signalTerraform sends it to Terraform alone, as a CI runner does.
func (a *apply) signalTerraform(s syscall.Signal) { _ = a.cmd.Process.Signal(s) }

// providers returns the processes of the providers that Terraform has started.
func (a *apply) providers() []int {
	group := strconv.Itoa(a.cmd.Process.Pid)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var all []int
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		id, _, _ := strings.Cut(string(text), " ")
		_, rest, _ := strings.Cut(string(text), ") ") // state, parent, group
		f := strings.Fields(rest)
		if len(f) < 3 || f[2] != group || f[0] == "Z" || id == group {
			continue
		}
		if pid, err := strconv.Atoi(id); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// killProvider kills the providers alone.
func (a *apply) killProvider() {
	for _, pid := range a.providers() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// strikes are the ways in which a run dies.
var strikes = map[string]func(*apply){
	"all killed":       func(a *apply) { a.signal(syscall.SIGKILL) },
	"provider killed":  func(a *apply) { a.killProvider() },
	"terraform killed": func(a *apply) { a.signalTerraform(syscall.SIGKILL) },
	"interrupted":      func(a *apply) { a.signal(syscall.SIGINT) },
	"stopped":          func(a *apply) { a.signalTerraform(syscall.SIGTERM) },
	"all stopped":      func(a *apply) { a.signal(syscall.SIGTERM) }, // as by systemd
	"all hung up":      func(a *apply) { a.signal(syscall.SIGHUP) },  // as by a terminal that is closed
	"interrupted twice": func(a *apply) {
		a.signal(syscall.SIGINT)
		// Terraform counts signals, and two at once are one.
		time.AfterFunc(100*time.Millisecond, func() { a.signal(syscall.SIGINT) })
	},
}

// scenario is one run that dies and one that follows it.
type scenario struct {
	moment    moment
	mounted   bool
	first     bool // the dying run is the first of its disk: there is no state yet
	strike    string
	forgiving bool // the run may have ended before the strike
}

func (s scenario) name() string {
	return strings.ReplaceAll(fmt.Sprintf("%s/%s/mounted=%t,first=%t", s.strike, s.moment.name, s.mounted, s.first), " ", "_")
}

// stricken starts an apply, strikes it and waits until it has ended. Meanwhile no compaction goes on:
// a machine that is busy would otherwise end it before the strike has an effect.
func (s scenario) stricken(t *testing.T, sim clockedHost, w workspace) (a *apply, code int, took time.Duration) {
	t.Helper()
	var (
		struck  = make(chan struct{})
		ready   = make(chan struct{})
		when    time.Time
		onlyOne sync.Once
	)
	strike := func() {
		onlyOne.Do(func() {
			<-ready
			s.holdCompaction(sim)
			when = time.Now()
			close(struck)
			strikes[s.strike](a)
		})
	}
	s.moment.watch(t, sim, hunted{strike: strike, halt: func() {
		<-ready
		a.signalTerraform(syscall.SIGSTOP)
	}})
	a = w.startApply()
	close(ready)
	code = a.wait()
	sim.ClearRules()
	sim.clock.release()
	select {
	case <-struck:
		if code == 0 && !s.forgiving && !s.moment.over {
			t.Fatalf("the run outlived it:\n%s", a.output())
		}
	default:
		if !s.forgiving {
			t.Fatalf("the run was over before it was struck:\n%s", a.output())
		}
	}
	return a, code, time.Since(when)
}

// holdCompaction holds the clock of the host as soon as a compaction runs.
func (s scenario) holdCompaction(sim clockedHost) {
	switch {
	case s.moment.over:
	case s.moment.compacting:
		sim.clock.hold()
	default:
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Func: func(hypervsim.Request) { sim.clock.hold() }})
	}
}

// begin prepares the host and a workspace whose next apply compacts.
func (s scenario) begin(t *testing.T) (clockedHost, workspace) {
	t.Helper()
	sim := newClockedHost(t, hypervsim.WithVHD(killed()))
	w := newWorkspace(t)
	w.write("main.tf", providerBlock(sim.Port())+fmt.Sprintf(`
resource "hyperv_vhd_compaction" "disk" {
  host            = %q
  path            = %q
  attach_read_only = %t
}
`, sim.HostName(), killedDisk, s.mounted))
	if !s.first {
		w.write("terraform.tfstate", stateBefore(t, s.mounted))
	}
	return sim, w
}

var statesBefore sync.Map // by mounted: func() string

// stateBefore is the state after a compaction to 4 GiB. All hosts of these tests
// have one name, so the state of one serves them all.
func stateBefore(t *testing.T, mounted bool) string {
	t.Helper()
	made, _ := statesBefore.LoadOrStore(mounted, sync.OnceValue(func() string {
		sim, w := scenario{mounted: mounted, first: true}.begin(t)
		w.expect(0, "apply")
		careful(t, sim.Host)
		text, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
		must(t, err)
		return string(text)
	}))
	return made.(func() string)()
}

// recovered applies again: it must succeed, leave the host clean and nothing to
// do.
func (s scenario) recovered(t *testing.T, sim clockedHost, w workspace) {
	t.Helper()
	w.expect(0, "apply")
	careful(t, sim.Host)
	if got := sim.PeakCompactions(); got > 1 {
		t.Errorf("compactions at once = %d, want at most 1", got)
	}
	for _, j := range sim.Jobs() {
		if j.EndTime.IsZero() {
			t.Errorf("job %+v still runs", j)
		}
	}
	s.checkState(t, sim, w)
	w.expect(0, "plan", "-detailed-exitcode")
}

func (s scenario) checkState(t *testing.T, sim clockedHost, w workspace) {
	t.Helper()
	disk, _ := sim.VHD(killedDisk)
	got, ok := w.state()[killedState]
	switch {
	case !ok:
		t.Fatal("the disk is not in the state")
	case got.text("status") != "compacted" && got.text("status") != "unchanged":
		t.Errorf("status = %q, want compacted or unchanged", got.text("status"))
	case disk.FileSize != 4*gib:
		t.Errorf("the file has %d bytes, want it compacted to %d", disk.FileSize, 4*gib)
	}
	for _, name := range []string{"file_size_bytes", "baseline_file_size_bytes", "last_run.file_size_after_bytes"} {
		if got.number(name) != disk.FileSize {
			t.Errorf("%s = %d, want the host's %d", name, got.number(name), disk.FileSize)
		}
	}
	if got["left_attached"] != false {
		t.Errorf("left_attached = %v, want false", got["left_attached"])
	}
}

// Whatever is killed, and whenever: the next apply puts it right.
func TestKilled(t *testing.T) {
	t.Parallel()
	var all []scenario
	for n, m := range moments() {
		all = append(all, scenario{moment: m, mounted: true, first: n%2 == 0, strike: "all killed"})
	}
	for n, m := range named("settings asked for", "compact sent", "10 percent", "70 percent", "last read sent") {
		all = append(all, scenario{moment: m, mounted: false, first: n%2 == 1, strike: "all killed"})
	}
	for n, m := range named("attach sent", "compact sent", "50 percent", "detach sent", "last read sent") {
		all = append(all,
			scenario{moment: m, mounted: true, first: n%2 == 0, strike: "provider killed"},
			scenario{moment: m, mounted: true, first: n%2 == 1, strike: "terraform killed"})
	}
	for _, s := range all {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			sim, w := s.begin(t)
			a, _, _ := s.stricken(t, sim, w)
			if s.strike == "terraform killed" {
				cleansUp(t, sim.Host)
			}
			s.recovered(t, sim, w)
			// A provider whose Terraform was killed ends by itself, minutes later.
			if left := a.providers(); len(left) != 0 && s.strike != "terraform killed" {
				t.Errorf("providers that outlive Terraform: %v", left)
			}
		})
	}
}

// The same by the clock: runs are killed after fractions of the time that a whole run takes.
func TestKilled_byTheClock(t *testing.T) {
	t.Parallel()
	whole := killed().JobDuration + killed().AttachDuration + 500*time.Millisecond
	for _, percent := range []int{5, 35, 65, 95} {
		s := scenario{mounted: true, first: percent > 50, strike: "all killed", forgiving: true, moment: moment{
			name: fmt.Sprintf("%d percent of the time", percent),
			watch: arrivingThen(func(strike func()) {
				time.AfterFunc(whole*time.Duration(percent)/100, strike)
			}),
		}}
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			sim, w := s.begin(t)
			s.stricken(t, sim, w)
			s.recovered(t, sim, w)
		})
	}
}

// arrivingThen does something when the first request of a run arrives.
func arrivingThen(do func(strike func())) func(*testing.T, clockedHost, hunted) {
	return func(_ *testing.T, sim clockedHost, run hunted) {
		sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskSettingData", Func: func(hypervsim.Request) { do(run.strike) }})
	}
}

// One interrupt keeps the state and leaves the host clean at once.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	var all []scenario
	for n, m := range named("settings asked for", "machines asked for", "attach sent", "attach job", "attached",
		"compact sent", "10 percent", "50 percent", "90 percent", "job done", "detach sent", "last read sent") {
		strike := "interrupted"
		if n%3 == 2 {
			strike = "stopped"
		}
		all = append(all, scenario{moment: m, mounted: true, first: n%2 == 0, strike: strike})
	}
	for n, m := range named("compact sent", "50 percent") {
		all = append(all,
			scenario{moment: m, mounted: false, first: n%2 == 1, strike: "interrupted"},
			scenario{moment: m, mounted: true, first: n%2 == 1, strike: "all stopped"})
	}
	for _, s := range all {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			sim, w := s.begin(t)
			a, code, took := s.stricken(t, sim, w)
			s.checkInterrupted(t, sim, w, a, code, took)
			s.recovered(t, sim, w)
		})
	}
}

func (s scenario) checkInterrupted(t *testing.T, sim clockedHost, w workspace, a *apply, code int, took time.Duration) {
	t.Helper()
	careful(t, sim.Host)
	if took > cleanUp {
		t.Errorf("the interrupted apply took %s to end, want at most %s", took, cleanUp)
	}
	for _, j := range sim.Jobs() {
		if j.EndTime.IsZero() {
			t.Errorf("job %+v still runs after the interrupt", j)
		}
	}
	got, known := w.state()[killedState]
	// A busy machine lets a run go on for a while after the signal.
	started := sim.Calls("AttachVirtualHardDisk")+sim.Calls("CompactVirtualHardDisk") > 0
	switch {
	case s.over():
		if got.text("status") != "compacted" {
			t.Errorf("status = %q, want compacted: the job was over before the interrupt", got.text("status"))
		}
		return
	case code == 0:
		t.Errorf("the interrupted apply succeeded:\n%s", a.output())
	case known != (started || !s.first):
		t.Errorf("the disk is in the state: %t\n%s", known, a.output())
	case known && got.text("status") != "interrupted":
		t.Errorf("status = %q, want interrupted\n%s", got.text("status"), a.output())
	}
	contains(t, a.output(), "Unable to compact virtual hard disk", "interrupted")
	if j := compaction(sim.Host); j.ID != "" && j.State != hypervsim.JobTerminated {
		t.Errorf("state of the job = %d, want it terminated", j.State)
	}
}

func (s scenario) over() bool { return s.moment.over }

// A second interrupt makes Terraform kill the provider while it cleans up.
func TestInterrupted_twice(t *testing.T) {
	t.Parallel()
	for n, m := range named("attach sent", "attached", "compact sent", "30 percent", "70 percent", "detach sent") {
		s := scenario{moment: m, mounted: true, first: n%2 == 0, strike: "interrupted twice"}
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			sim, w := s.begin(t)
			s.stricken(t, sim, w)
			s.recovered(t, sim, w)
		})
	}
}
