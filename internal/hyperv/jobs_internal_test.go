package hyperv

import (
	"testing"
	"time"
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
