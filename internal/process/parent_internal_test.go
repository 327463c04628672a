package process

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestEndWithParent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		killed := make(chan struct{})
		var ended atomic.Bool
		go endWithParent(func() bool { <-killed; return true }, func() { ended.Store(true) })

		check := func(after time.Duration, want bool) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if ended.Load() != want {
				t.Fatalf("ended %v, want %v", ended.Load(), want)
			}
		}
		check(24*time.Hour, false)
		close(killed)
		check(grace-time.Second, false)
		check(time.Second, true)
	})
}

// A process that cannot find out whether its parent lives does not end.
func TestEndWithParent_unknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		endWithParent(func() bool { return false }, func() { t.Error("it ended") })
		time.Sleep(24 * time.Hour)
	})
}
