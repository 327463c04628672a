package hyperv_test

import (
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// leaveBehind lets a process leave the disk attached: the host refuses its detach until it
// gives up.
func leaveBehind(t *testing.T, sim *hypervsim.Host, h *hyperv.Host) hyperv.CompactResult {
	t.Helper()
	sim.AddRule(hypervsim.Rule{Client: "left", Method: "DetachVirtualHardDisk", Times: -1, Effect: hypervsim.Returns(32768)})
	got, err := h.Compact(t.Context(), order())
	if err == nil || !got.LeftAttached || got.LeftAttachedAt == nil {
		t.Fatalf("nothing is left: %+v, %v", got, err)
	}
	sim.ClearRules()
	return got
}

// givingBack are the ways on which an attachment that state remembers is given back; each
// reports whether the disk is still said to be attached.
var givingBack = map[string]func(*testing.T, *hyperv.Host, *hyperv.AttachedAt) (left bool){
	"destroy": func(t *testing.T, h *hyperv.Host, at *hyperv.AttachedAt) bool {
		t.Helper()
		err := h.GiveBack(t.Context(), diskPath, at)
		if err != nil && (!strings.Contains(err.Error(), "Dismount-VHD") || !strings.Contains(err.Error(), at.Node)) {
			t.Errorf("the error does not say what to do: %v", err)
		}
		if err != nil && strings.Contains(err.Error(), "0001-01-01") {
			t.Errorf("a time that is not known is shown: %v", err)
		}
		return err != nil
	},
	"a gate": func(t *testing.T, h *hyperv.Host, at *hyperv.AttachedAt) bool {
		t.Helper()
		got, _ := h.Compact(t.Context(), order(func(o *hyperv.Order) { o.LeftAttached, o.LeftAt, o.MinFileSizeBytes = true, at, 100*gib }))
		return got.LeftAttached
	},
}

// TestGiveBackAfterARestart: a restart of Windows ends an attachment that a run left and gives its
// address out again. Whether the host was restarted is told by its own clock alone; where that is
// not known, the disk stays attached.
func TestGiveBackAfterARestart(t *testing.T) {
	t.Parallel()
	restart := func(sim *hypervsim.Host) {
		sim.Restart(2 * time.Minute)
		time.Sleep(3 * time.Minute)
	}
	again := func(sim *hypervsim.Host) {
		if err := sim.Console(`HYPERV\backup`).Attach(diskPath, true); err != nil {
			panic(err)
		}
	}
	without := func(class, property string) hypervsim.Option {
		value := regexp.MustCompile(`<p:` + property + `>.*?</p:` + property + `>`)
		return hypervsim.WithAnswer(func(request, answer string) string {
			if strings.Contains(request, class) {
				answer = value.ReplaceAllString(answer, "")
			}
			return answer
		})
	}
	immediate := disk(func(v *hypervsim.VHD) { v.Immediate, v.AttachImmediate = true, true })
	for name, tt := range sample.EveryNamed(8, map[string]struct {
		option hypervsim.Option
		wrong  time.Duration // of the host's clock against the client's
		set    time.Duration // by which the host's clock is set before the restart
		do     func(*hypervsim.Host)
		left   bool
	}{
		"and the same file attached again": {do: func(sim *hypervsim.Host) { restart(sim); again(sim) }, left: true},
		"and nothing attached":             {do: restart},
		"of a host without jobs":           {option: immediate, do: func(sim *hypervsim.Host) { restart(sim); again(sim) }, left: true},
		"none, and no jobs":                {option: immediate, do: func(*hypervsim.Host) { time.Sleep(time.Hour) }},
		"none":                             {do: func(*hypervsim.Host) { time.Sleep(time.Hour) }},
		"none for a year":                  {do: func(*hypervsim.Host) { time.Sleep(365 * 24 * time.Hour) }},
		"of the service only":              {do: func(sim *hypervsim.Host) { sim.RestartService() }},
		"long ago":                         {do: func(sim *hypervsim.Host) { restart(sim); again(sim); time.Sleep(90 * 24 * time.Hour) }, left: true},

		"a client a day early":           {wrong: 24 * time.Hour, do: func(sim *hypervsim.Host) { restart(sim); again(sim) }, left: true},
		"a client a day late":            {wrong: -24 * time.Hour, do: func(sim *hypervsim.Host) { restart(sim); again(sim) }, left: true},
		"none, and a client a day early": {wrong: 24 * time.Hour, do: func(*hypervsim.Host) {}},
		"none, and a client a day late":  {wrong: -24 * time.Hour, do: func(*hypervsim.Host) {}},

		"a clock that was much too fast":       {set: -18 * time.Minute, do: func(sim *hypervsim.Host) { restart(sim); again(sim) }, left: true},
		"none, and a clock that was set":       {set: -4 * time.Minute, do: func(*hypervsim.Host) {}},
		"none, and a clock that was set a day": {set: -24 * time.Hour, do: func(*hypervsim.Host) {}, left: true},

		"no time of a start":  {option: without("Win32_OperatingSystem", "LastBootUpTime"), do: func(sim *hypervsim.Host) { restart(sim); again(sim) }, left: true},
		"no time of today":    {option: without("Win32_OperatingSystem", "LocalDateTime"), do: func(sim *hypervsim.Host) { restart(sim); again(sim) }, left: true},
		"no time of a job":    {option: without("Msvm_StorageJob", "StartTime"), do: func(sim *hypervsim.Host) { restart(sim); again(sim) }, left: true},
		"none, and no time":   {option: without("Win32_OperatingSystem", "LastBootUpTime"), do: func(*hypervsim.Host) {}, left: true},
		"a denial":            {do: func(sim *hypervsim.Host) { restart(sim); again(sim); sim.Deny(testUser, `root\cimv2`) }, left: true},
		"none, and a denial":  {do: func(sim *hypervsim.Host) { sim.Deny(testUser, `root\cimv2`) }, left: true},
		"nothing, and denied": {do: func(sim *hypervsim.Host) { restart(sim); sim.Deny(testUser, `root\cimv2`) }},
	}) {
		for way, giveBack := range givingBack {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var wrong atomic.Int64
					wrong.Store(int64(tt.wrong))
					options := []hypervsim.Option{disk(), hypervsim.WithClock(func() time.Time { return time.Now().Add(time.Duration(wrong.Load())) })}
					if tt.option != nil {
						options = append(options, tt.option)
					}
					sim, _ := simulate(t, options...)
					h := process(t, sim, "left")
					prior := leaveBehind(t, sim, h)
					wrong.Add(int64(tt.set))
					tt.do(sim)
					attached := len(sim.Attachments())
					if left := giveBack(t, h, prior.LeftAttachedAt); left != tt.left {
						t.Errorf("left attached: %t, want %t", left, tt.left)
					}
					if tt.left && len(sim.Attachments()) != attached {
						t.Error("an attachment is gone that is not known to be ours")
					}
					if !tt.left && len(sim.Attachments()) != 0 {
						t.Errorf("attachments %+v", sim.Attachments())
					}
				})
			})
		}
	}
}

// TestRestartAmidARun: Windows is restarted between two steps of a run, and somebody attaches the
// same disk at the address that is free again, for two minutes. The run does not detach that,
// nor compact on it as if it were its own.
func TestRestartAmidARun(t *testing.T) {
	t.Parallel()
	image := "Msvm_MountedStorageImage"
	for name, moment := range map[string]struct {
		rule   hypervsim.Rule
		passes int
	}{
		"after the attach":             {rule: hypervsim.Rule{Operation: hypervsim.OperationEnumerate, Class: image}},
		"at the size after the job":    {rule: hypervsim.Rule{Method: "GetVirtualHardDiskState", Path: diskPath}},
		"at the look before a detach":  {rule: hypervsim.Rule{Operation: hypervsim.OperationGet, Class: image}},
		"at the detach":                {rule: hypervsim.Rule{Method: "DetachVirtualHardDisk"}},
		"between two passes":           {rule: hypervsim.Rule{Method: "GetVirtualHardDiskState", Path: diskPath}, passes: 3},
		"at the request of the second": {rule: hypervsim.Rule{Method: "CompactVirtualHardDisk"}, passes: 3},
	} {
		for _, down := range sample.Every(3, []time.Duration{15 * time.Second, time.Minute, 3 * time.Minute}) {
			t.Run(name+"/"+down.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = 10 * time.Minute }))
					rule := moment.rule
					rule.Func = func(hypervsim.Request) {
						go sim.Restart(down)
						time.AfterFunc(down, func() {
							console := sim.Console(`HYPERV\backup`)
							if err := console.Attach(diskPath, true); err != nil {
								t.Error(err)
							}
							requests := sim.CompactionRequests(diskPath)
							time.Sleep(2 * time.Minute) // less than anybody is left alone for
							if sim.CompactionRequests(diskPath) != requests {
								t.Error("a compaction was tried on somebody's attachment")
							}
							if !console.Detach(diskPath) {
								t.Error("somebody's attachment is gone")
							}
						})
						time.Sleep(time.Second)
					}
					rule.Effect = hypervsim.ResetBefore()
					after := time.Minute // in the job
					if rule.Operation == hypervsim.OperationEnumerate {
						after = 0
					}
					time.AfterFunc(after, func() { sim.AddRule(rule) })
					got, err := process(t, sim, "a").Compact(t.Context(), order(func(o *hyperv.Order) { o.MaxPasses, o.Timeout = moment.passes, time.Hour }))
					if got.LeftAttached || got.Run == nil || got.Run.Passes == 0 {
						t.Errorf("result = %+v, %v", got, err)
					}
					time.Sleep(10 * time.Minute)
					clean(t, sim)
				})
			})
		}
	}
}

// TestOutageAtTheDetach: the record of a run's job proves that Windows was not restarted while the
// host was out of sight, also to an account that may not ask since when Windows has been running.
func TestOutageAtTheDetach(t *testing.T) {
	t.Parallel()
	for _, outage := range []time.Duration{15 * time.Second, time.Minute, 4 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			sim, _ := simulate(t, disk())
			sim.Deny(testUser, `root\cimv2`)
			sim.AddRule(hypervsim.Rule{Client: "a", Method: "DetachVirtualHardDisk", Effect: hypervsim.ResetBefore(), Func: func(hypervsim.Request) {
				sim.AddRule(hypervsim.Rule{Client: "a", Times: -1, Until: time.Now().Add(outage), Effect: hypervsim.ResetBefore()})
			}})
			got, err := process(t, sim, "a").Compact(t.Context(), order())
			if err != nil || got.Status != hyperv.StatusCompacted || got.LeftAttached {
				t.Errorf("an outage of %s: %+v, %v", outage, got, err)
			}
			clean(t, sim)
			sim.ClearRules()
		})
	}
}
