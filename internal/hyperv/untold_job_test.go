package hyperv_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// untold makes a host tell a property of its jobs otherwise: in all answers, or in lists alone.
func untold(property, as string, everywhere bool) hypervsim.Option {
	told := regexp.MustCompile(`<p:` + property + `>([^<]*)</p:` + property + `>`)
	return hypervsim.WithAnswer(func(request, answer string) string {
		if strings.Contains(request, cim.ClassStorageJob) && (everywhere || strings.Contains(request, "enumeration/")) {
			answer = told.ReplaceAllString(answer, as)
		}
		return answer
	})
}

// TestGiveBackBesideAnUntoldJob: a destroy waits for a job that may be a compaction of the disk,
// and leaves the disk alone if it cannot be known when that ends. Other jobs do not delay it.
func TestGiveBackBesideAnUntoldJob(t *testing.T) {
	t.Parallel()
	const job = 8 * time.Minute
	for name, tt := range map[string]struct {
		property, as string
		stays        bool
		waits        bool
	}{
		"as it is":          {"Caption", "", false, true},
		"type null":         {"JobType", `<p:JobType xsi:nil="true"/>`, false, true},
		"type left out":     {"JobType", ``, false, true},
		"type empty":        {"JobType", `<p:JobType></p:JobType>`, false, true},
		"type blank":        {"JobType", `<p:JobType> </p:JobType>`, false, true},
		"type no number":    {"JobType", `<p:JobType>x</p:JobType>`, false, true},
		"type unknown":      {"JobType", `<p:JobType>0</p:JobType>`, false, true},
		"type padded":       {"JobType", `<p:JobType> 3 </p:JobType>`, false, true},
		"a creation":        {"JobType", `<p:JobType>1</p:JobType>`, false, false},
		"a mount":           {"JobType", `<p:JobType>7</p:JobType>`, false, false},
		"a later type":      {"JobType", `<p:JobType>42</p:JobType>`, false, false},
		"state null":        {"JobState", `<p:JobState xsi:nil="true"/>`, true, true},
		"state empty":       {"JobState", `<p:JobState></p:JobState>`, true, true},
		"state no number":   {"JobState", `<p:JobState>Running</p:JobState>`, true, true},
		"identifier null":   {"InstanceID", `<p:InstanceID xsi:nil="true"/>`, true, false},
		"identifier empty":  {"InstanceID", `<p:InstanceID></p:InstanceID>`, true, false},
		"identifier blank":  {"InstanceID", `<p:InstanceID> </p:InstanceID>`, true, false},
		"identifier padded": {"InstanceID", `<p:InstanceID> $1 </p:InstanceID>`, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(), other(), untold(tt.property, tt.as, true))
				if err := sim.AttachFor("left", diskPath); err != nil {
					t.Fatal(err)
				}
				if _, err := sim.Console(`HYPERV\colleague`).Compact(otherPath, job); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				err := process(t, sim, "left").GiveBack(t.Context(), diskPath, leftAt())
				took := time.Since(start)
				if (err != nil) != tt.stays || len(sim.Attachments()) == 1 != tt.stays {
					t.Errorf("given back: %v; attachments %+v", err, sim.Attachments())
				}
				if waited := took > job/2; waited != tt.waits {
					t.Errorf("took %s: %v", took, err)
				}
			})
		})
	}
}

// TestHolderOfAnUntoldJob: the compaction on somebody's attachment is not told as such, or not
// whether it has ended. Its holder is left alone all the same, until it has detached the disk.
func TestHolderOfAnUntoldJob(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]hypervsim.Option{
		"type null":           untold("JobType", `<p:JobType xsi:nil="true"/>`, true),
		"type empty":          untold("JobType", `<p:JobType></p:JobType>`, true),
		"state null in lists": untold("JobState", `<p:JobState xsi:nil="true"/>`, false),
	} {
		// The second process tries every 150 s, here between the end of the job and the poll, at
		// most 72 s later, at which its holder notices that.
		for _, after := range []time.Duration{10 * time.Second, 30 * time.Second} {
			t.Run(name+"/"+after.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					job := time.Hour + after
					sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.Progress = job, hypervsim.ProgressAtEnd }), answers)
					holder := background(t.Context(), process(t, sim, "holder"), order())
					time.Sleep(10*time.Minute + 40*time.Second)
					got, err := process(t, sim, "second").Compact(t.Context(), order())
					if err != nil || got.LeftAttached || warned(got, hyperv.WarnTookOver) {
						t.Errorf("the second process: %+v, %v", got, err)
					}
					if got, err := holder(); err != nil || got.LeftAttached {
						t.Errorf("the holder: %+v, %v", got, err)
					}
					clean(t, sim)
				})
			})
		}
	}
}

// TestDetachBesideAnUntoldJob: the host stops telling the state of our compaction, which can
// neither be followed nor cancelled any more. It may still run, so the disk stays attached.
func TestDetachBesideAnUntoldJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var since time.Time
		state := regexp.MustCompile(`<p:JobState>[^<]*</p:JobState>`)
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.NotCancellable = 2*time.Hour, true }),
			hypervsim.WithAnswer(func(_, answer string) string {
				if time.Now().After(since) {
					answer = state.ReplaceAllString(answer, `<p:JobState xsi:nil="true"/>`)
				}
				return answer
			}))
		since = time.Now().Add(10 * time.Minute)
		got, err := host.Compact(t.Context(), order())
		if err == nil || !got.LeftAttached || got.UnseenJob == "" {
			t.Errorf("result = %+v, %v, want the disk left attached", got, err)
		}
		if n := sim.Calls("DetachVirtualHardDisk"); n != 0 {
			t.Errorf("%d detaches sent", n)
		}
		if bad := sim.Violations(); len(bad) != 0 {
			t.Errorf("violations: %q", bad)
		}
	})
}

// TestPriorJobUntold: the job of an earlier run is awaited although the host does not tell its type.
func TestPriorJobUntold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.NotCancellable = 2*time.Hour, true }),
			untold("JobType", `<p:JobType></p:JobType>`, true))
		prezeroed := mode(hyperv.ModePrezeroed)
		first, err := host.Compact(t.Context(), order(prezeroed, func(o *hyperv.Order) { o.Timeout = 10 * time.Minute }))
		if first.UnseenJob == "" {
			t.Fatalf("interrupted: %+v, %v", first, err)
		}
		next, err := host.Compact(t.Context(), order(prezeroed, func(o *hyperv.Order) { o.PriorJobID, o.PriorNode = first.UnseenJob, first.UnseenJobNode }))
		if err != nil || next.UnseenJob != "" || !warned(next, hyperv.WarnAwaited) {
			t.Errorf("the next run: %+v, %v", next, err)
		}
	})
}
