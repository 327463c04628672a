package hypervsim

import "strings"

// isAbsolute tells whether path names a file on a volume or a share.
func isAbsolute(path string) bool {
	path = strings.ReplaceAll(path, "/", `\`)
	return len(path) > 3 && path[1:3] == `:\` || strings.HasPrefix(path, `\\`) && len(path) > 2
}

// parentOf returns the directory of a path.
func parentOf(path string) string {
	path = normalise(path)
	i := strings.LastIndexByte(path, '\\')
	switch {
	case i < 0:
		return ""
	case i == 2 && path[1] == ':':
		return path[:3]
	}
	return path[:i]
}

// nameOf returns the last element of a path.
func nameOf(path string) string {
	path = normalise(path)
	return path[strings.LastIndexByte(path, '\\')+1:]
}

// extension returns what follows the last dot of a file's name.
func extension(path string) string {
	name := nameOf(path)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i+1:]
	}
	return ""
}

// volumeOf returns the drive, the share or the volume of a path.
func volumeOf(path string) string {
	path = normalise(path)
	if len(path) >= 2 && path[1] == ':' {
		return path[:2]
	}
	parts := strings.SplitN(strings.TrimPrefix(path, `\\`), `\`, 3)
	if len(parts) < 2 {
		return path
	}
	return `\\` + parts[0] + `\` + parts[1]
}

// normalise gives a path the separators of Windows and no trailing one.
func normalise(path string) string {
	path = strings.ReplaceAll(path, "/", `\`)
	if len(path) > 3 {
		path = strings.TrimRight(path, `\`)
	}
	return path
}

// pathKey is equal for paths of the same file.
func pathKey(path string) string { return strings.ToLower(normalise(path)) }
