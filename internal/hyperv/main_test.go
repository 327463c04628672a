package hyperv_test

import (
	"os"
	"testing"
)

// TestMain lets the benchmarks start this binary a second time, as their host.
func TestMain(m *testing.M) {
	if os.Getenv(envBenchHost) != "" {
		os.Exit(serveBenchHost())
	}
	os.Exit(m.Run())
}
