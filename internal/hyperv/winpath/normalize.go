package winpath

import "strings"

const (
	// volumePrefix is how Win32 starts a path that names a volume by its GUID.
	volumePrefix = `\\?\`
	// objectPrefix is the prefix that the object manager puts in its place. Jobs of Hyper-V report
	// paths in this form.
	objectPrefix = `\??\`
	// devicePrefix starts the name of a device.
	devicePrefix = `\\.\`
)

// Normalize gives a path one form of its separators: "\" only, none doubled, none
// at the end except that of a root. The drive letter is upper case, \??\ and a
// \\?\ before a drive or UNC are dropped. Letter case is kept otherwise.
func Normalize(path string) string {
	path = dropPrefix(single(path))
	if hasDrive(path) {
		path = strings.ToUpper(path[:1]) + path[1:]
	}
	if isRoot(path) || path == `\` || path == `\\` {
		return path
	}
	return strings.TrimSuffix(path, `\`)
}

// single makes every separator one backslash; two are kept at the start, where
// they mark UNC.
func single(path string) string {
	var b strings.Builder
	b.Grow(len(path))
	for i := range len(path) {
		c := path[i]
		if !isSeparator(c) {
			b.WriteByte(c)
			continue
		}
		if i < 2 || !isSeparator(path[i-1]) {
			b.WriteByte('\\')
		}
	}
	return b.String()
}

// dropPrefix drops a prefix that only tells Win32 to leave a path unchanged: the plain form names
// the same file. A volume path has no plain form.
func dropPrefix(path string) string {
	if !strings.HasPrefix(path, volumePrefix) && !strings.HasPrefix(path, objectPrefix) {
		return path
	}
	rest := path[len(volumePrefix):]
	if isDrivePath(rest) {
		return rest
	}
	if share, ok := cutFold(rest, `UNC\`); ok && share != "" && share[0] != '?' && share[0] != '.' {
		return `\\` + share
	}
	return volumePrefix + rest
}

// isRoot reports whether path is the root directory of a drive or of a volume,
// whose separator belongs to its name.
func isRoot(path string) bool {
	return isDrivePath(path) && len(path) == len(`C:\`) ||
		strings.HasPrefix(path, volumePrefix) && strings.IndexByte(path[len(volumePrefix):], '\\') == len(path)-len(volumePrefix)-1
}

// IsUNC reports whether path is on a share: \\server\share\….
func IsUNC(path string) bool {
	path = Normalize(path)
	return strings.HasPrefix(path, `\\`) && !strings.HasPrefix(path, volumePrefix) && !strings.HasPrefix(path, devicePrefix)
}

// IsVolumeGUID reports whether path names its volume by GUID: \\?\Volume{…}\….
func IsVolumeGUID(path string) bool {
	rest, ok := strings.CutPrefix(Normalize(path), volumePrefix)
	if !ok {
		return false
	}
	volume, _, _ := strings.Cut(rest, `\`)
	return isVolumeName(volume)
}

// isVolumeName reports whether s is Volume{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}.
func isVolumeName(s string) bool {
	guid, ok := cutFold(s, "Volume{")
	guid, closed := strings.CutSuffix(guid, "}")
	return ok && closed && IsGUID(guid)
}

// IsGUID reports whether s has the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.
func IsGUID(s string) bool {
	groups := strings.Split(s, "-")
	if len(groups) != len(guidGroups) {
		return false
	}
	for i, group := range groups {
		if len(group) != guidGroups[i] || strings.Trim(group, "0123456789ABCDEFabcdef") != "" {
			return false
		}
	}
	return true
}

// guidGroups are the lengths of the groups of digits in a GUID.
var guidGroups = [...]int{8, 4, 4, 4, 12}

// Dir returns the directory of path, normalized: a root keeps its separator, a
// share has none.
func Dir(path string) string {
	path = Normalize(path)
	i := strings.LastIndexByte(path, '\\')
	if i < 0 || isRoot(path) || isShare(path) {
		return path
	}
	if isRoot(path[:i+1]) {
		return path[:i+1]
	}
	return path[:i]
}

// Base returns the last element of path: the name of the file.
func Base(path string) string {
	path = Normalize(path)
	return path[strings.LastIndexByte(path, '\\')+1:]
}

// Ext returns the extension of the file with its dot, as it is spelled.
func Ext(path string) string {
	base := Base(path)
	if i := strings.LastIndexByte(base, '.'); i >= 0 {
		return base[i:]
	}
	return ""
}

// Join appends a name to a directory.
func Join(dir, name string) string {
	return strings.TrimSuffix(Normalize(dir), `\`) + `\` + name
}

// isShare reports whether a normalized path is \\server\share or shorter.
func isShare(path string) bool {
	return IsUNC(path) && strings.Count(path[2:], `\`) <= 1
}

// isDrivePath reports whether path starts with C:\.
func isDrivePath(path string) bool {
	return hasDrive(path) && len(path) > 2 && path[2] == '\\'
}

// hasDrive reports whether path starts with C:.
func hasDrive(path string) bool {
	return len(path) >= 2 && path[1] == ':' && isLetter(path[0])
}

func isSeparator(c byte) bool { return c == '\\' || c == '/' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// cutFold is strings.CutPrefix without regard to the case of ASCII letters.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
