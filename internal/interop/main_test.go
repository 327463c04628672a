package interop_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/interop/wine"
)

// TestMain installs what the tests speak to, if they are asked for. What is missing
// makes tests skip, one by one.
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
