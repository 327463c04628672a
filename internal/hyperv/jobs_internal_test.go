package hyperv

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// TestBeganSince: whether a job began after a time is known from how long it has run; with no such
// time, every job has.
func TestBeganSince(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		elapsed time.Duration
		since   time.Time
		want    bool
	}{
		{time.Minute, time.Now().Add(-2 * time.Minute), true},
		{time.Minute, time.Now().Add(-58 * time.Second), true}, // clocks tick
		{time.Minute, time.Now().Add(-30 * time.Second), false},
		{time.Minute, time.Time{}, true},
	} {
		if got := (StorageJob{State: JobRunning, Elapsed: tt.elapsed}).beganSince(tt.since); got != tt.want {
			t.Errorf("a job of %s began since %s: %v", tt.elapsed, tt.since, got)
		}
	}
}

// TestHolderWatch_noID: a watch without a job of ours skips no job, not even one without a name.
func TestHolderWatch_noID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watchHolder(takeOverAfter)
		time.Sleep(time.Hour)
		w.look([]StorageJob{{State: JobRunning}}, "", nil)
		if w.look([]StorageJob{{State: JobCompleted, Elapsed: time.Hour}}, "", nil); w.isQuiet() {
			t.Error("quiet right after the end of a job")
		}
	})
}

// TestHolderWatch_untoldState: a job whose state is not told may have ended just now at each look.
func TestHolderWatch_untoldState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watchHolder(takeOverAfter)
		jobs := []StorageJob{{ID: "a", Elapsed: time.Minute}}
		for range 3 {
			time.Sleep(time.Hour)
			if w.look(jobs, "", nil); w.isQuiet() {
				t.Error("quiet while it is not known whether a job has ended")
			}
		}
		if w.look(jobs, "a", nil); w.isQuiet() {
			t.Error("quiet too soon after that")
		}
		time.Sleep(time.Hour)
		if w.look(jobs, "a", nil); !w.isQuiet() {
			t.Error("not quiet because of our own job")
		}
	})
}

// TestReadJob_noID: a job without a name has that of the reference by which it was read.
func TestReadJob_noID(t *testing.T) {
	t.Parallel()
	ref := generationV2.storageJob("A")
	for text, want := range map[string]string{"": "A", " ": "A", "B": "B", " B ": "B"} {
		i := cim.NewInstance(cim.ClassStorageJob)
		i.Set("JobState", cim.Text("4"))
		i.Set("InstanceID", cim.Text(text))
		if got, err := readJob(ref, i); err != nil || got.ID != want {
			t.Errorf("readJob with InstanceID %q = %q, %v; want %q", text, got.ID, err, want)
		}
	}
}

// TestJobRegistry_noID: jobs without a name are not known to be one another.
func TestJobRegistry_noID(t *testing.T) {
	t.Parallel()
	r := jobRegistry{disks: map[string]string{}}
	r.note("a", `D:\a.vhdx`)
	r.note("", `D:\a.vhdx`)
	if !r.isElsewhere("a", `D:\b.vhdx`) || r.isElsewhere("", `D:\b.vhdx`) {
		t.Errorf("with a name elsewhere: %v, without: %v; want true and false", r.isElsewhere("a", `D:\b.vhdx`), r.isElsewhere("", `D:\b.vhdx`))
	}
}
