package interop_test

import (
	"os"
	"os/exec"
	"testing"
)

// TestMain installs what the tests speak to, if they are asked for.
func TestMain(m *testing.M) {
	if os.Getenv("HYPERV_TEST_INTEROP") == "1" {
		c := exec.Command("./setup.sh")
		c.Stdout, c.Stderr = os.Stderr, os.Stderr
		// What is missing makes tests skip, one by one.
		_ = c.Run()
	}
	os.Exit(m.Run())
}
