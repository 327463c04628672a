package winpath

import "strings"

// clusterRoot is the directory in which every node of a failover cluster shows
// the cluster shared volumes, on its system drive.
const clusterRoot = "ClusterStorage"

// Volume names the volume or the share of path, for comparing with
// [SameVolume]: "D:", `\\server\share`, `\\?\Volume{GUID}`, or a cluster shared
// volume, `C:\ClusterStorage\Volume1`. A volume that is mounted in a directory
// passes for the drive of that directory, because only the host knows of it.
func Volume(path string) string {
	path = Resolve(path)
	switch {
	case IsUNC(path):
		return leading(path, len(`\\`), 2)
	case strings.HasPrefix(path, volumePrefix):
		return leading(path, len(volumePrefix), 1)
	case OnClusterVolume(path):
		return leading(path, len(`C:\`), 2)
	case hasDrive(path):
		return path[:len("C:")]
	}
	return path
}

// leading returns path up to the end of the nth element from start.
func leading(path string, start, n int) string {
	for i := start; i < len(path); i++ {
		if path[i] == '\\' {
			if n--; n == 0 {
				return path[:i]
			}
		}
	}
	return path
}

// SameVolume reports whether two paths can lie on one volume or share. Two that
// name the same volume do; a volume that is named by its GUID can be any volume
// of the host, but no share. A path of no form that is known here, as
// \\?\GLOBALROOT\Device\…, can lie anywhere.
func SameVolume(a, b string) bool {
	a, b = Resolve(a), Resolve(b)
	switch {
	case Equal(Volume(a), Volume(b)), rootOf(a) == 0, rootOf(b) == 0:
		return true
	}
	return IsVolumeGUID(a) != IsVolumeGUID(b) && !IsUNC(a) && !IsUNC(b)
}

// OnClusterVolume reports whether path lies below the directory of the cluster
// shared volumes. A node that could not use that directory has renamed it, with
// a dot and a number at the end, and made a new one; both count.
func OnClusterVolume(path string) bool {
	path = Resolve(path)
	if !isDrivePath(path) {
		return false
	}
	first, rest, _ := strings.Cut(path[len(`C:\`):], `\`)
	tail, ok := cutFold(first, clusterRoot)
	return ok && rest != "" && (tail == "" || tail[0] == '.')
}

// IsClusterVolume reports whether path is the root of a cluster shared volume:
// an entry of the system drive that exists whether or not the volume answers.
func IsClusterVolume(path string) bool {
	return OnClusterVolume(path) && Equal(path, Volume(path))
}

// Within reports whether path is directory, or lies below it.
func Within(path, directory string) bool {
	if Equal(path, directory) {
		return true
	}
	return strings.HasPrefix(Key(path), strings.TrimSuffix(Key(directory), `\`)+`\`)
}

// AboveClusterVolumes reports whether cluster shared volumes lie below path, on a
// node of a cluster: path is the directory in which they appear, or its drive.
func AboveClusterVolumes(path string) bool {
	path = Normalize(path)
	return isDrivePath(path) && (isRoot(path) || OnClusterVolume(Join(path, "x")) && !OnClusterVolume(path))
}

// Server is the server of a path on a share, empty for any other path.
func Server(path string) string {
	path = Normalize(path)
	if !IsUNC(path) {
		return ""
	}
	server, _, _ := strings.Cut(path[len(`\\`):], `\`)
	return server
}

// DriveShare is the path on the server itself of one that goes by the share that
// Windows makes of each drive for administration, \\server\D$\….
func DriveShare(path string) (local string, ok bool) {
	path = Normalize(path)
	server := Server(path)
	share, rest, _ := strings.Cut(strings.TrimPrefix(path[min(len(path), len(`\\`+server)):], `\`), `\`)
	if server == "" || len(share) != len("D$") || share[1] != '$' || !isLetter(share[0]) {
		return "", false
	}
	return Normalize(share[:1] + `:\` + rest), true
}
