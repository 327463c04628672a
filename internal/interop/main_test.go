package interop_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/interop/wine"
)

// TestMain installs the programs that the tests speak to, if the tests are asked for. A test skips
// if its program is missing.
func TestMain(m *testing.M) {
	if os.Getenv("HYPERV_TEST_INTEROP") == "1" || os.Getenv("HYPERV_TEST_WINE") == "1" {
		c := exec.Command("./setup.sh")
		c.Stdout, c.Stderr = os.Stderr, os.Stderr
		_ = c.Run()
	}
	if os.Getenv("HYPERV_TEST_WINE") == "1" {
		_ = wine.Setup("../..")
	}
	os.Exit(m.Run())
}
