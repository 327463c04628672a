//go:build wine

package process

import (
	"os"
	"time"
)

// Builds for tests under Wine, which alone have the tag, do not wait that long.
func init() { //nolint:gochecknoinits // nothing else sets it
	if d, err := time.ParseDuration(os.Getenv("HYPERV_WINE_GRACE")); err == nil {
		grace = d
	}
}
