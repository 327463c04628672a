package hypervsim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// TB is the part of testing.TB that RunT needs.
type TB interface {
	Helper()
	Cleanup(f func())
	Context() context.Context
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipped() bool
}

// RunT starts a host for one test: on a free port of 127.0.0.1 and, with Dial, in memory. The host
// ends with the test, which fails if a rule went unused and the test was not skipped, if the oracle
// has seen a violation that the test has not taken (TakeViolations), and if an account was locked
// that the test has not taken (Accounts.TakeLocked). Requests that the host refuses are written to the log of the test.
func RunT(t TB, opts ...Option) *Host {
	t.Helper()
	h, err := New(append([]Option{WithLogger(testLogger(t))}, opts...)...)
	if err != nil {
		t.Fatalf("hypervsim: %v", err)
	}
	if err := h.Start(t.Context()); err != nil {
		t.Fatalf("hypervsim: %v", err)
	}
	t.Cleanup(func() { end(t, h) })
	return h
}

// RunClusterT starts a cluster for one test, as RunT starts a host.
func RunClusterT(t TB, config ClusterConfig, opts []Option, nodes ...string) *Cluster {
	t.Helper()
	c, err := NewCluster(config, append([]Option{WithLogger(testLogger(t))}, opts...), nodes...)
	if err != nil {
		t.Fatalf("hypervsim: %v", err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatalf("hypervsim: %v", err)
	}
	t.Cleanup(func() {
		for _, h := range c.Hosts() {
			end(t, h)
		}
	})
	return c
}

// end closes a host and fails the test for each of its complaints.
func end(t TB, h *Host) {
	if err := h.Close(); err != nil {
		t.Errorf("hypervsim: %v", err)
	}
	if !t.Skipped() {
		for _, r := range h.UnusedRules() {
			t.Errorf("hypervsim: rule was not used up: %s", r)
		}
	}
	for _, name := range h.Accounts().TakeLocked() {
		t.Errorf("hypervsim: account locked: %s", name)
	}
	for _, v := range h.TakeViolations() {
		t.Errorf("hypervsim: violation: %s", v)
	}
}

// testLogger writes warnings to the log of the test.
func testLogger(t TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// testWriter is the log of a test as an io.Writer.
type testWriter struct{ t TB }

// Write implements io.Writer.
func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", strings.TrimRight(fmt.Sprintf("hypervsim: %s", p), "\n"))
	return len(p), nil
}
