package winpath

import "strings"

// Resolve is the plain path of the file that Windows opens under this one: \\.\ before
// a drive, a share or a volume falls away, "." and ".." are followed, and dots and
// spaces at the end of an element are dropped. [Check] accepts none of that, but a
// virtual machine may have been given its disk so. After \\?\ Windows takes a path as it
// is; there a name that ends in a dot is taken for its neighbour without one.
func Resolve(path string) string {
	path = Normalize(path)
	if rest, ok := strings.CutPrefix(path, devicePrefix); ok {
		if plain := Normalize(volumePrefix + rest); !strings.HasPrefix(plain, volumePrefix) || IsVolumeGUID(plain) {
			path = plain
		}
	}
	root := rootOf(path)
	if root == 0 || isPlain(path[root:]) {
		return path
	}
	var kept []string
	for element := range strings.SplitSeq(path[root:], `\`) {
		switch trimmed := strings.TrimRight(element, ". "); {
		case element == "..":
			kept = kept[:max(0, len(kept)-1)]
		case trimmed != "":
			kept = append(kept, trimmed)
		}
	}
	return Normalize(path[:root] + strings.Join(kept, `\`))
}

// rootOf is the length of the drive, share or volume of a normalized path with the
// separator after it, 0 if the path has none.
func rootOf(path string) int {
	switch {
	case isDrivePath(path):
		return len(`C:\`)
	case IsVolumeGUID(path):
		return after(path, len(volumePrefix), 1)
	case IsUNC(path):
		return after(path, len(`\\`), 2)
	}
	return 0
}

// after is where the nth element from start ends with its separator, 0 if it ends
// the path.
func after(path string, start, n int) int {
	end := len(leading(path, start, n))
	if end == len(path) {
		return 0
	}
	return end + 1
}

// isPlain reports whether no element ends in a dot or a space.
func isPlain(elements string) bool {
	return !strings.Contains(elements, `.\`) && !strings.Contains(elements, ` \`) && strings.TrimRight(elements, ". ") == elements
}
