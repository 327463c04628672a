package winpath

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of Windows in UTF-16 units.
const (
	maxPath    = 32767
	maxElement = 255
)

// refusal is the reason for refusing a path, and a fix; the zero value means
// that the path is not refused.
type refusal struct{ reason, fix string }

func (r refusal) of(path string) error {
	if r == (refusal{}) {
		return nil
	}
	return &Error{Path: path, Reason: r.reason, Fix: r.fix}
}

// Check reports why path cannot be the path of a virtual hard disk to compact.
// The error is an [*Error].
func Check(path string) error {
	return firstOf(path, checkText, checkStart, checkEnd, checkHidden, checkNames, checkFile).of(path)
}

// CheckDirectory reports why path cannot be the path of a directory. It accepts the
// directory of each path that [Check] accepts. The error is an [*Error].
func CheckDirectory(path string) error {
	return firstOf(path, checkText, checkStart, checkHidden, checkNames).of(path)
}

// MayBeFile reports whether a path that a host names can be that of a file. The checks refuse
// more: forms that need not be written, and what is rarely meant by those who type it.
func MayBeFile(path string) bool {
	path = Resolve(path)
	if rest := strings.TrimPrefix(strings.TrimPrefix(path, volumePrefix), devicePrefix); rest != path && !IsVolumeGUID(path) {
		return strings.Contains(rest, `\`) && !strings.ContainsAny(rest, `:"`) // a path of CIM has those
	}
	return firstOf(path, checkText, checkNames) == refusal{}
}

func firstOf(path string, checks ...func(string) refusal) refusal {
	for _, check := range checks {
		if r := check(path); r != (refusal{}) {
			return r
		}
	}
	return refusal{}
}

// checkText refuses what no path can be, of whatever characters.
func checkText(path string) refusal {
	switch {
	case path == "":
		return refusal{"the path is empty", "Write " + someForm}
	case !utf8.ValidString(path):
		return refusal{"the path is not valid UTF-8", "Write it in UTF-8."}
	case units(path) > maxPath:
		return refusal{"the path is longer than 32767 characters, the most that Windows takes", "Write a shorter path."}
	}
	return refusal{}
}

// checkNames refuses what does not begin with a drive, a share or a volume, and names
// that Windows does not allow.
func checkNames(path string) refusal {
	elements, r := split(single(path))
	if r != (refusal{}) {
		return r
	}
	for _, e := range elements {
		if r := checkElement(e); r != (refusal{}) {
			return r
		}
	}
	return refusal{}
}

const someForm = `an absolute path: C:\folder\…, \\server\share\… or \\?\Volume{GUID}\…`

// split takes the volume off an absolute path and returns the elements after it.
func split(path string) ([]string, refusal) {
	switch {
	case strings.HasPrefix(path, `\\`):
		return splitDouble(path)
	case isDrivePath(path):
		return elementsOf(path[len(`C:\`):]), refusal{}
	case hasDrive(path):
		return nil, refusal{
			"the path is relative to the current directory of drive " + strings.ToUpper(path[:2]),
			`Write a backslash after the colon: ` + strings.ToUpper(path[:2]) + `\` + path[2:],
		}
	case strings.HasPrefix(path, objectPrefix):
		return nil, prefixed(path, objectPrefix)
	case strings.HasPrefix(path, `\`):
		return nil, refusal{"the path names no drive", `Write the drive before it: C:` + path}
	default:
		return nil, refusal{"the path is relative, and a host has no current directory for it", "Write " + someForm}
	}
}

// splitDouble splits a path that starts with two separators.
func splitDouble(path string) ([]string, refusal) {
	switch {
	case strings.HasPrefix(path, volumePrefix):
		volume, rest, rooted := strings.Cut(path[len(volumePrefix):], `\`)
		if !isVolumeName(volume) {
			return nil, prefixed(path, volumePrefix)
		}
		if !rooted {
			return nil, refusal{"the path names a volume, not a directory on it", "Write a backslash after it: " + path + `\`}
		}
		return elementsOf(rest), refusal{}
	case strings.HasPrefix(path, devicePrefix):
		return nil, refusal{`the path names a device (\\.\…), not a file`, "Write " + someForm}
	}
	elements := elementsOf(path[2:])
	if len(elements) < 2 {
		return nil, refusal{"the path names a server but no share", `Write \\server\share\…`}
	}
	return elements, refusal{}
}

// prefixed refuses a prefix that only a volume path needs: one spelling of a
// path is enough, and the host may compare spellings.
func prefixed(path, prefix string) refusal {
	plain := dropPrefix(path)
	if strings.HasPrefix(plain, volumePrefix) && !IsVolumeGUID(plain) {
		return refusal{"the path starts with " + prefix + " but names no volume by its GUID", "Write " + someForm}
	}
	return refusal{"the prefix " + prefix + " is not needed before this path", "Write " + plain}
}

func elementsOf(path string) []string {
	path = strings.TrimSuffix(path, `\`)
	if path == "" {
		return nil
	}
	return strings.Split(path, `\`)
}

// units returns the length of a path as Windows counts it.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
