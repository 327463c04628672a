package hyperv

import (
	"testing"
	"time"
)

// TestPollDelayBounds walks through jobs of every length up to six hours and
// checks what the design promises: the end is noticed within the larger of one
// second and 2 % of the run, with at most 500 polls in six hours.
func TestPollDelayBounds(t *testing.T) {
	t.Parallel()
	const longest = 6 * time.Hour
	progress := map[string]func(elapsed time.Duration) int{
		"linear":               func(e time.Duration) int { return int(100 * e / longest) },
		"none":                 func(time.Duration) int { return 0 },
		"stalls at 99":         func(e time.Duration) int { return min(99, int(100*e/time.Minute)) },
		"creeps from 90":       func(e time.Duration) int { return 90 + int(9*e/longest) },
		"jumps back and forth": func(e time.Duration) int { return 90 + int(e/time.Second)%10 },
	}
	for name, percentAt := range progress {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var elapsed time.Duration
			polls, percent, moved := 0, 0, false
			for elapsed < longest {
				delay := pollDelay(elapsed, percent, moved)
				if bound := max(time.Second, elapsed/50); delay > bound {
					t.Fatalf("at %s the next poll is %s away, bound %s", elapsed, delay, bound)
				}
				if delay > pollLongest {
					t.Fatalf("at %s the next poll is %s away, a record lasts %s", elapsed, delay, jobRecordKept)
				}
				elapsed += delay
				polls++
				now := percentAt(elapsed)
				moved, percent = now != percent, now
			}
			t.Logf("%d polls in %s", polls, longest)
			if name != "jumps back and forth" && polls > 500 {
				t.Errorf("%d polls, want at most 500", polls)
			}
		})
	}
}

func TestPollDelayPredictsTheEnd(t *testing.T) {
	t.Parallel()
	// At 98 % after 4,900 s the end is about 100 s away: sooner than 2 %.
	for _, tt := range []struct {
		name    string
		elapsed time.Duration
		percent int
		moved   bool
		want    time.Duration
	}{
		{"first second", 300 * time.Millisecond, 0, false, 250 * time.Millisecond},
		{"second second", time.Second, 50, true, time.Second},
		{"two percent", 1000 * time.Second, 10, true, 20 * time.Second},
		{"capped", 5 * time.Hour, 10, true, 2 * time.Minute},
		{"predicted", 9900 * time.Second, 99, true, 100 * time.Second},
		{"stalled", 9900 * time.Second, 99, false, 2 * time.Minute},
		{"imminent", 30 * time.Second, 99, true, time.Second},
	} {
		if got := pollDelay(tt.elapsed, tt.percent, tt.moved); got != tt.want {
			t.Errorf("%s: pollDelay = %s, want %s", tt.name, got, tt.want)
		}
	}
}
