package hyperv_test

import (
	"context"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// startTimes makes a host tell another StartTime of its jobs, or none.
func startTimes(other string) hypervsim.Option {
	told := regexp.MustCompile(`<p:StartTime>.*?</p:StartTime>`)
	return hypervsim.WithAnswer(func(request, answer string) string {
		if strings.Contains(request, cim.ClassStorageJob) {
			answer = told.ReplaceAllString(answer, other)
		}
		return answer
	})
}

// TestOutOfSightIsNoRestart: an attachment of ours that was out of sight for a while, on a host that
// is slow or that does not tell when it was started, is still detached.
func TestOutOfSightIsNoRestart(t *testing.T) {
	t.Parallel()
	const class = cim.ClassStorageJob
	again := hypervsim.Rule{Method: "CompactVirtualHardDisk", Times: 2, Effect: hypervsim.Returns(32774)}
	// The next look for a job, which is that for the record of the attach.
	look := func(sim *hypervsim.Host, r hypervsim.Rule) {
		sim.AddRule(again)
		r.Operation, r.Class = hypervsim.OperationGet, class
		time.AfterFunc(8*time.Second, func() { sim.AddRule(r) })
	}
	for name, tt := range map[string]struct {
		job, attach time.Duration
		option      hypervsim.Option
		do          func(sim *hypervsim.Host, interrupt func())
		ends        bool // well
	}{
		"a lost answer, no right to ask": {job: 30 * time.Minute, ends: true, do: func(sim *hypervsim.Host, _ func()) {
			sim.Deny(testUser, `root\cimv2`)
			sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: hypervsim.ResetAfter()})
		}},
		"an outage at the look for the job": {ends: true, do: func(sim *hypervsim.Host, _ func()) {
			look(sim, hypervsim.Rule{Effect: hypervsim.ResetBefore(), Func: func(hypervsim.Request) {
				sim.AddRule(hypervsim.Rule{Times: -1, Until: time.Now().Add(40 * time.Second), Effect: hypervsim.ResetBefore()})
			}})
		}},
		"interrupted at the look for the job": {do: func(sim *hypervsim.Host, interrupt func()) {
			look(sim, hypervsim.Rule{Effect: hypervsim.Delay(2 * time.Second), Func: func(hypervsim.Request) { time.AfterFunc(time.Second, interrupt) }})
		}},
		"interrupted in the attach, no right to ask": {attach: 15 * time.Second, do: func(sim *hypervsim.Host, interrupt func()) {
			sim.Deny(testUser, `root\cimv2`)
			sim.AddRule(hypervsim.Rule{Method: "AttachVirtualHardDisk", Func: func(hypervsim.Request) { interrupt() }})
		}},
		"interrupted, the question hangs": {option: startTimes(""), do: func(sim *hypervsim.Host, interrupt func()) {
			time.AfterFunc(5*time.Minute, interrupt)
			sim.AddRule(hypervsim.Rule{Method: "DetachVirtualHardDisk", Effect: hypervsim.Returns(32774)})
			sim.AddRule(hypervsim.Rule{Class: cim.ClassOperatingSystem, Times: -1, Effect: hypervsim.Hang()})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				opts := []hypervsim.Option{disk(func(v *hypervsim.VHD) {
					v.JobDuration, v.AttachDuration = max(tt.job, 10*time.Minute), max(tt.attach, v.AttachDuration)
				})}
				if tt.option != nil {
					opts = append(opts, tt.option)
				}
				sim, _ := simulate(t, opts...)
				ctx, interrupt := context.WithCancel(t.Context())
				defer interrupt()
				tt.do(sim, interrupt)
				got, err := process(t, sim, "a").Compact(ctx, order())
				if got.LeftAttached || tt.ends != (err == nil) || !tt.ends && got.Status != hyperv.StatusInterrupted {
					t.Errorf("%+v, %v", got, err)
				}
				claims(sim, "a", diskPath, got)
				clean(t, sim)
			})
		})
	}
}

// TestNoTimeIsNoStartTime: the time that stands for none is not taken for that of a job, and the
// host is asked for its own.
func TestNoTimeIsNoStartTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, _ := simulate(t, disk(), startTimes(`<p:StartTime><cim:Datetime xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common">1601-01-01T00:00:00Z</cim:Datetime></p:StartTime>`))
		h := process(t, sim, "left")
		got := leaveBehind(t, sim, h)
		if err := h.GiveBack(t.Context(), diskPath, got.LeftAttachedAt); err != nil {
			t.Errorf("held at %s: %v", got.LeftAttachedAt.HeldAt, err)
		}
		clean(t, sim)
	})
}

// TestClockSetBack: a clock that is set back looks like a restart. The attachment is left alone,
// and that is told.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Int64
		sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.Immediate, v.AttachImmediate = true, true }),
			hypervsim.WithClock(func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }))
		sim.Restart(2 * time.Minute)
		time.Sleep(5 * time.Minute)
		sim.AddRule(hypervsim.Rule{Method: "DetachVirtualHardDisk", Times: 4, Effect: hypervsim.Returns(32774), Func: func(hypervsim.Request) { back.Store(int64(10 * time.Minute)) }})
		got, err := process(t, sim, "a").Compact(t.Context(), order())
		if err != nil || !warned(got, hyperv.WarnRestarted) || len(sim.Attachments()) != 1 {
			t.Errorf("%+v, %v; attachments %+v", got, err, sim.Attachments())
		}
	})
}
