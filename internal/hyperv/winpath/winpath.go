package winpath

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// kind is what a path starts with.
type kind int

const (
	kindRelative kind = iota
	kindDrive         // C:\
	kindUNC           // \\server\share\
	kindVolume        // \\?\Volume{GUID}\
	kindDevice        // \\.\ and whatever else starts with \\?\
)

var (
	driveRoot  = regexp.MustCompile(`^[A-Za-z]:\\`)
	volumeRoot = regexp.MustCompile(`(?i)^\\\\\?\\Volume\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}\\`)
	uncRoot    = regexp.MustCompile(`^\\\\[^\\]+\\[^\\]+\\`)
)

// split takes the root off a path with backslashes. The rest has no leading
// separator.
func split(path string) (k kind, root, rest string) {
	switch {
	case driveRoot.MatchString(path):
		return kindDrive, path[:3], strings.TrimLeft(path[3:], `\`)
	case volumeRoot.MatchString(path):
		root = volumeRoot.FindString(path)
		return kindVolume, root, strings.TrimLeft(path[len(root):], `\`)
	case strings.HasPrefix(path, `\\?\`), strings.HasPrefix(path, `\\.\`):
		return kindDevice, path[:4], path[4:]
	case uncRoot.MatchString(path):
		root = uncRoot.FindString(path)
		return kindUNC, root, strings.TrimLeft(path[len(root):], `\`)
	}
	return kindRelative, "", path
}

// Normalize gives a path one spelling of its separators: backslashes, none
// doubled, and a capital drive letter. Long forms of drive and UNC paths become
// the short ones. Letter case stays.
func Normalize(path string) string {
	path = strings.ReplaceAll(path, "/", `\`)
	switch upper := strings.ToUpper(path); {
	case strings.HasPrefix(upper, `\\?\UNC\`):
		path = `\\` + path[len(`\\?\UNC\`):]
	case strings.HasPrefix(path, `\\?\`) && driveRoot.MatchString(path[4:]):
		path = path[4:]
	}
	k, root, rest := split(path)
	if k == kindDrive {
		root = strings.ToUpper(root)
	}
	return root + collapse(rest, k)
}

// collapse drops doubled separators. A relative or device path keeps its start.
func collapse(rest string, k kind) string {
	lead := ""
	if k == kindRelative || k == kindDevice {
		trimmed := strings.TrimLeft(rest, `\`)
		lead, rest = rest[:len(rest)-len(trimmed)], trimmed
	}
	var parts []string
	for part := range strings.SplitSeq(rest, `\`) {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return lead + strings.Join(parts, `\`)
}

// Key is the same for all spellings of one path: NTFS compares names by their
// upper-case UTF-16 code units. Two names that only Windows' own table tells
// apart may share a key, which errs on the side of one disk.
func Key(path string) string {
	units := utf16.Encode([]rune(Normalize(path)))
	for i, u := range units {
		if upper := unicode.ToUpper(rune(u)); upper <= 0xFFFF && !utf16.IsSurrogate(rune(u)) {
			units[i] = uint16(upper) //nolint:gosec // at most 0xFFFF
		}
	}
	return string(utf16.Decode(units))
}

// Equal reports whether two paths name the same file.
func Equal(a, b string) bool { return a == b || Key(a) == Key(b) }

// Dir is the directory of a path; that of a file in a root is the root with its
// separator.
func Dir(path string) string {
	_, root, rest := split(Normalize(path))
	i := strings.LastIndexByte(rest, '\\')
	if i < 0 {
		return root
	}
	return root + rest[:i]
}

// Base is the last part of a path.
func Base(path string) string {
	_, _, rest := split(Normalize(path))
	return rest[strings.LastIndexByte(rest, '\\')+1:]
}

// Ext is the extension of the last part of a path, with its dot.
func Ext(path string) string {
	base := Base(path)
	i := strings.LastIndexByte(base, '.')
	if i < 0 {
		return ""
	}
	return base[i:]
}

// Join appends a name to a directory.
func Join(dir, name string) string {
	return strings.TrimRight(Normalize(dir), `\`) + `\` + name
}

// IsUNC reports whether a path leads to a share.
func IsUNC(path string) bool {
	k, _, _ := split(Normalize(path))
	return k == kindUNC
}

// IsVolumeGUID reports whether a path starts with \\?\Volume{GUID}\.
func IsVolumeGUID(path string) bool {
	k, _, _ := split(Normalize(path))
	return k == kindVolume
}
