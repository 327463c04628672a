package main

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestEndWithParent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var parent atomic.Int64
		parent.Store(42)
		var ended atomic.Bool
		go endWithParent(func() int { return int(parent.Load()) }, func() { ended.Store(true) })

		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if ended.Load() {
			t.Fatal("it ended beside its parent")
		}
		parent.Store(1)
		time.Sleep(orphanGrace)
		synctest.Wait()
		if ended.Load() {
			t.Fatal("it ended without time to clean up")
		}
		time.Sleep(parentLooks)
		synctest.Wait()
		if !ended.Load() {
			t.Error("it outlives its parent")
		}
	})
}
