package hypervsim

import (
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// pathKey is equal for paths of the same file or directory.
func pathKey(path string) string { return strings.TrimRight(winpath.Key(path), `\`) }

// isAbsolute reports whether path names a file on a volume or a share.
func isAbsolute(path string) bool {
	path = strings.ReplaceAll(path, "/", `\`)
	return len(path) > 3 && path[1:3] == `:\` || strings.HasPrefix(path, `\\`) && len(path) > 2
}

// volumeOf returns the drive, the share or the volume of a path.
func volumeOf(path string) string {
	path = winpath.Normalize(path)
	if hasDrive(path) {
		return path[:2]
	}
	parts := strings.SplitN(strings.TrimPrefix(path, `\\`), `\`, 3)
	if len(parts) < 2 {
		return path
	}
	return `\\` + parts[0] + `\` + parts[1]
}

func hasDrive(path string) bool { return len(path) > 1 && path[1] == ':' }

// isRoot reports whether a path is the root of its volume.
func isRoot(path string) bool { return pathKey(path) == pathKey(volumeOf(path)) }

// extension returns the extension of a file's name in lower case, without dot.
func extension(path string) string {
	return strings.ToLower(strings.TrimPrefix(winpath.Ext(path), "."))
}
