package hyperv

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience: a run that watches an attachment leaves it alone for longer than its holder
// detaches without asking, whatever the length of the job and whenever the holder last polled it.
func TestPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, ran := range []time.Duration{time.Second, 20 * time.Second, 5 * time.Minute, time.Hour, 6 * time.Hour} {
			for _, part := range []time.Duration{1, 2, 50, 1000} {
				var a attachment
				a.see(time.Now(), ran/part)
				time.Sleep(patience(ran) - 5*time.Second)
				if !a.lapsed() {
					t.Errorf("job of %s, last seen at %s: the holder is still sure when it is nearly taken over", ran, ran/part)
				}
			}
			var a attachment
			a.see(time.Now(), ran)
			time.Sleep(pollBound(ran) + readBeforeLimit)
			if a.lapsed() {
				t.Errorf("job of %s: the holder that noticed its end with the next poll has to ask", ran)
			}
		}
		if patience(0) != takeOverAfter || patience(1000*time.Hour) != takeOverAfter {
			t.Error("what is not known, or long, is left alone for less than the longest time")
		}
	})
}

// TestHeldSince: a job on an attachment that is only borrowed does not tell since when it is ours.
func TestHeldSince(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)
	var a attachment
	a.ask()
	a.sawJob(StorageJob{Began: began})
	a.own(&mountedImage{}, nil)
	if a.sawJob(StorageJob{}); !a.sight.held.Equal(began) {
		t.Errorf("held since %s after a job that does not tell when it began", a.sight.held)
	}
	a.doubt()
	if a.sawJob(StorageJob{Began: began.Add(time.Hour)}); !a.sight.held.Equal(began) {
		t.Errorf("held since %s after a job on what may be somebody's", a.sight.held)
	}
	a.leave(nil)
	if !a.sight.held.Equal(began) {
		t.Error("what is left is not known to have been held")
	}
	if a.refuse(); !a.sight.held.IsZero() {
		t.Error("what was never there is known to have been held")
	}
}

// TestJobThatHasJustBegun: a host tells of a job that it has run for no time at all. That is a short
// time, and not one that is not known: whoever sees the job end soon after takes the attachment over
// long before the longest patience.
func TestJobThatHasJustBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &compactor{}
		c.attachment.own(&mountedImage{}, nil)
		c.sawWork(StorageJob{Type: jobTypeCompaction, State: JobRunning})
		time.Sleep(patience(time.Second) - takeOverMargin + holderMargin + time.Second)
		if !c.attachment.lapsed() {
			t.Error("the holder of a short job is still sure when it may have been taken over")
		}
	})
}

// TestUntoldWork: a job whose type is not told may be a compaction, whose end others can have seen.
// One whose state is not told shows no work.
func TestUntoldWork(t *testing.T) {
	t.Parallel()
	for name, job := range map[string]StorageJob{
		"type":  {State: JobRunning, Elapsed: time.Second},
		"state": {Type: jobTypeCompaction, Elapsed: time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := &compactor{}
			c.attachment.own(&mountedImage{}, nil)
			c.attachment.see(time.Now(), time.Second)
			time.Sleep(time.Second)
			c.sawWork(job)
			time.Sleep(patience(time.Second) - takeOverMargin + holderMargin + time.Second)
			if !c.attachment.lapsed() {
				t.Errorf("%s not told: the holder is still sure when it may have been taken over", name)
			}
		})
	}
}

// TestMine: an attachment counts as one that was ours only as long as it is the same one.
func TestMine(t *testing.T) {
	t.Parallel()
	ours, err := readImage("", attachedImage(`D:\a.vhdx`, "1"))
	other, otherErr := readImage("", attachedImage(`D:\b.vhdx`, "2"))
	if err != nil || otherErr != nil {
		t.Fatal(err, otherErr)
	}
	for name, tt := range map[string]struct {
		then func(*attachment)
		mine bool
	}{
		"doubted":                     {func(a *attachment) { a.doubt() }, true},
		"doubted and watched":         {func(a *attachment) { a.doubt(); a.borrow(ours) }, true},
		"doubted, another is watched": {func(a *attachment) { a.doubt(); a.borrow(other) }, false},
		"left":                        {func(a *attachment) { a.leave(nil) }, true},
		"refused":                     {func(a *attachment) { a.refuse() }, false},
		"asked for anew":              {func(a *attachment) { a.ask() }, false},
		"ended":                       {func(a *attachment) { a.end() }, false},
	} {
		var a attachment
		a.ask()
		a.own(ours, nil)
		tt.then(&a)
		if a.mine != tt.mine {
			t.Errorf("%s: ours once %t, want %t", name, a.mine, tt.mine)
		}
	}
}
