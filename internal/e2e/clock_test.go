package e2e_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// clockedHost is a simulated host whose clock can be held: a job then stands still, and no busy
// machine decides whether it ends before something else happens.
type clockedHost struct {
	*hypervsim.Host

	clock *hostClock
}

func newClockedHost(t *testing.T, options ...hypervsim.Option) clockedHost {
	t.Helper()
	clock := &hostClock{}
	return clockedHost{hypervsim.RunT(t, append(options, hypervsim.WithClock(clock.now))...), clock}
}

// hostClock is a clock that runs until it is held.
type hostClock struct {
	mu       sync.Mutex
	lost     time.Duration // while it was held
	end      time.Time     // when it stops; zero for never
	released bool
}

func (c *hostClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read()
}

func (c *hostClock) read() time.Time {
	now := time.Now().Add(-c.lost)
	if !c.end.IsZero() && now.After(c.end) {
		return c.end
	}
	return now
}

// runUntil lets it go on from where it is, until a time.
func (c *hostClock) runUntil(end time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = time.Since(c.read())
	if !c.released {
		c.end = end
	}
}

// hold stops it.
func (c *hostClock) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.released {
		c.end = c.read()
	}
}

// release lets it go on for good.
func (c *hostClock) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = time.Since(c.read())
	c.end, c.released = time.Time{}, true
}

// A clock that is held stands, goes on from there without a leap, and never goes back.
func TestHostClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := &hostClock{}
		check := func(want time.Duration) {
			t.Helper()
			if got := c.now().Sub(start); got != want {
				t.Errorf("%s after the start, want %s", got, want)
			}
		}
		check(0)
		time.Sleep(time.Second)
		c.hold()
		time.Sleep(time.Hour)
		check(time.Second)
		c.runUntil(c.now().Add(3 * time.Second))
		time.Sleep(2 * time.Second)
		check(3 * time.Second)
		time.Sleep(time.Hour)
		check(4 * time.Second)
		c.release()
		time.Sleep(time.Second)
		c.hold()
		time.Sleep(time.Second)
		check(6 * time.Second)
	})
}
