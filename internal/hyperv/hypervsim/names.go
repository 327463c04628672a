package hypervsim

import (
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// One file has several names on Windows:
//
//   - \\HOST\D$\… for the administrative share of a drive, always;
//   - a share that the host has (WithShare);
//   - the short name of a directory, VIRTUA~1 (WithShortName);
//   - \\?\Volume{GUID}\… of a volume (WithVolumeGUID);
//   - a directory on which another volume is mounted (WithMountPoint), which is
//     also where a cluster shared volume appears.
//
// The world compares keys, which are equal for all names of one file.

// alias is a name that leads to another; both are keys.
type alias struct {
	from, to   string
	mountPoint bool // from is a directory, on which the volume to is mounted
	cluster    bool // a cluster shared volume
}

// WithShortName gives a directory a second name, as NTFS gives names of 8.3
// characters: WithShortName(`D:\Virtual Machines`, "VIRTUA~1").
func WithShortName(directory, name string) Option {
	return arranged(func(h *Host) error {
		h.world.addAlias(alias{from: pathKey(winpath.Join(winpath.Dir(directory), name)), to: pathKey(directory)})
		return nil
	})
}

// WithVolumeGUID names the volume of a drive \\?\Volume{guid}\ as well.
func WithVolumeGUID(drive, guid string) Option {
	return arranged(func(h *Host) error {
		h.world.addAlias(alias{from: volumeGUIDKey(guid), to: pathKey(drive)})
		return nil
	})
}

// WithMountPoint mounts the volume \\?\Volume{guid}\ on a directory. The
// directory exists even while its volume is offline, as an entry of the volume
// above it: inferred, see RemoveVolume.
func WithMountPoint(directory, guid string) Option {
	return arranged(func(h *Host) error {
		h.world.mountVolume(directory, volumeGUIDKey(guid), false)
		return nil
	})
}

// WithShare makes a directory of the host reachable as \\HOST\name.
func WithShare(name, directory string) Option {
	return arranged(func(h *Host) error {
		h.world.shareNames = append(h.world.shareNames, sharedDirectory{name: name, path: directory})
		return nil
	})
}

// sharedDirectory is a share of the host.
type sharedDirectory struct{ name, path string }

func volumeGUIDKey(guid string) string {
	return pathKey(`\\?\Volume{` + strings.Trim(guid, "{}") + `}\`)
}

func (w *world) addAlias(a alias) { w.aliases = append(w.aliases, a) }

// mountVolume mounts a volume on a directory.
func (w *world) mountVolume(directory, volume string, cluster bool) {
	w.addDirectory(winpath.Dir(directory))
	w.addAlias(alias{from: pathKey(directory), to: volume, mountPoint: true, cluster: cluster})
	w.storeOf(volume).directories[volume] = winpath.Normalize(directory)
}

// maxNames bounds how many names in a row may lead to one another.
const maxNames = 16

// key is equal for all names of one file or directory.
func (w *world) key(path string) string {
	key, _ := w.resolve(pathKey(path), true)
	return key
}

// resolve follows a key to the name of its own volume, through mount points, or as far as the first
// of them. It reports whether the volume of every mount point on the way is online.
func (w *world) resolve(key string, mounts bool) (found string, online bool) {
	online = true
	for range maxNames {
		a, next, led := w.lead(key)
		if !led || a.mountPoint && !mounts && a.from == key {
			break
		}
		if a.mountPoint {
			online = online && !w.volumeOffline(a.from)
		}
		key = next
	}
	return key, online
}

func (w *world) volumeOffline(key string) bool {
	return w.storeOf(key).offline[pathKey(volumeOf(key))]
}

// isMountPoint reports whether a path is a directory on which a volume is mounted, whichever name
// the path uses; the directory belongs to the volume above.
func (w *world) isMountPoint(path string) bool {
	key, online := w.resolve(pathKey(path), false)
	a, _, led := w.lead(key)
	return led && a.mountPoint && a.from == key && online && !w.volumeOffline(key)
}

// isOffline reports whether the volume of a path, or any volume that the path leads through, is
// offline.
func (w *world) isOffline(path string) bool {
	key, online := w.resolve(pathKey(path), true)
	return !online || w.volumeOffline(key)
}

// lead follows one alias or share.
func (w *world) lead(key string) (alias, string, bool) {
	for _, a := range w.aliases {
		if next, ok := replaceRoot(key, a.from, a.to); ok {
			return a, next, true
		}
	}
	next, ok := w.leadShare(key)
	return alias{}, next, ok
}

// leadShare follows a UNC path that leads back to the host.
//
// Unverified on a real host (unc-to-itself): that the image management service
// opens a UNC path to its own host, and finds a file in use that is open under
// its local path.
func (w *world) leadShare(key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, `\\`)
	if !ok || strings.HasPrefix(rest, "?") {
		return "", false
	}
	server, rest, _ := strings.Cut(rest, `\`)
	if !w.isOwnName(server) {
		return "", false
	}
	share, below, deeper := strings.Cut(rest, `\`)
	if deeper {
		below = `\` + below
	}
	if len(share) == 2 && share[1] == '$' {
		return share[:1] + ":" + below, true
	}
	for _, s := range w.shareNames {
		if strings.EqualFold(s.name, share) {
			return pathKey(s.path) + below, true
		}
	}
	return "", false
}

// isOwnName reports whether a server is this host.
func (w *world) isOwnName(server string) bool {
	if strings.EqualFold(server, "localhost") || server == "127.0.0.1" {
		return true
	}
	label, _, _ := strings.Cut(server, ".")
	return strings.EqualFold(label, w.host)
}

func replaceRoot(key, from, to string) (string, bool) {
	rest, ok := strings.CutPrefix(key, from)
	if !ok || rest != "" && rest[0] != '\\' {
		return "", false
	}
	return to + rest, true
}
