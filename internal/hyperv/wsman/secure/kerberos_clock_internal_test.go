package secure

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UTC()
		var c clock
		check := func(what string, want time.Duration) {
			t.Helper()
			if got := c.next().Sub(start); got != want {
				t.Errorf("%s: %v after the start, want %v", what, got, want)
			}
		}
		check("first", 0)
		check("the clock stands still", time.Microsecond)
		time.Sleep(1500 * time.Nanosecond)
		check("it moves by less than what was given out", 2*time.Microsecond)
		time.Sleep(time.Second)
		check("it moves on", time.Second+time.Microsecond)
		c.last = start.Add(maxSkew)
		check("it was set back", maxSkew+time.Microsecond)
		c.last = start.Add(time.Hour)
		check("it was set back further than a host tolerates", time.Second+time.Microsecond)
	})
}

// The time stamp that proves a password to a KDC is never the same twice either, even if the clock
// stands still.
func TestPreauthenticationTimesDiffer(t *testing.T) { //nolint:paralleltest // tests beside it would live in other centuries
	synctest.Test(t, func(t *testing.T) {
		seen := map[string]bool{}
		for range 100 {
			b, err := preauthenticationTime()
			if err != nil {
				t.Fatal(err)
			}
			if seen[string(b)] {
				t.Fatalf("% x for the second time", b)
			}
			seen[string(b)] = true
		}
	})
}
