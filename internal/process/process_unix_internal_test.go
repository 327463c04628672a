//go:build !windows

package process

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var parent atomic.Int64
		parent.Store(42)
		var gone atomic.Bool
		go func() { gone.Store(changes(func() int { return int(parent.Load()) })) }()

		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if gone.Load() {
			t.Fatal("a parent that is there counts as gone")
		}
		parent.Store(1)
		time.Sleep(parentLooks)
		synctest.Wait()
		if !gone.Load() {
			t.Error("nobody noticed that the parent has gone")
		}
	})
}
