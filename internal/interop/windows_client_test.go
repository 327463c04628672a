//go:build windows && wine

package interop_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// TestWindowsClient is our side of TestTheirAcceptorsOurSSPI.
func TestWindowsClient(t *testing.T) {
	t.Parallel()
	port, err := strconv.Atoi(os.Getenv("HYPERV_WINE_PORT"))
	if err != nil {
		t.Skip("HYPERV_WINE_PORT is no port")
	}
	m, err := secure.NewCurrentUser("HTTP/127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, m, port, false, false, nil)
	for i, want := range []int{7, 14, 120_003, 120_004} {
		id, err := c.Identify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(id.ProductVendor) != want {
			t.Errorf("message %d: answer of %d bytes, want %d", i, len(id.ProductVendor), want)
		}
	}
}
