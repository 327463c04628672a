package secure

import (
	"path/filepath"
	"testing"
)

// No other user may choose the KDC: on Windows a path that begins with a slash is on the current
// drive.
func TestUsualKrb5Conf(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"linux", "darwin", "freebsd", "windows"} {
		for _, path := range usualKrb5Conf(system) {
			if system == "windows" || !filepath.IsAbs(path) && filepath.Separator == '/' {
				t.Errorf("%s: %s", system, path)
			}
		}
	}
	if len(usualKrb5Conf("linux")) != 1 {
		t.Error("no usual place on Linux")
	}
}
