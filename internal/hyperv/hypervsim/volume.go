package hypervsim

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// MountVolume mounts a volume in a directory.
func (h *Host) MountVolume(directory string) {
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.mountVolume(directory, pathKey(volumeName(directory)), false)
}

// SetMountOnline takes a volume that is mounted in a directory offline, or brings it back online.
// The directory is an entry of the volume around it, and stays.
//
// Unverified on a real host (mount-point-offline): that Win32_MountPoint lists a
// mount point whose volume is offline, and Win32_Volume the volume without a file
// system.
func (h *Host) SetMountOnline(directory string, online bool) {
	if online {
		h.RestoreVolume(directory)
	} else {
		h.RemoveVolume(directory)
	}
}

// inOrder goes through a map in the order of its keys.
func inOrder[K cmp.Ordered, V any](m map[K]V) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

// volumeName makes the GUID by which Windows knows the volume that is mounted at
// a path.
func volumeName(path string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(pathKey(path)))
	return fmt.Sprintf(`\\?\Volume{%08x-0000-4000-8000-%012x}\`, h.Sum64()>>32, h.Sum64()&0xFFFFFFFFFFFF)
}

// mounts returns the directories on which volumes are mounted, by their keys, except those of
// cluster shared volumes.
func (w *world) mounts() map[string]alias {
	found := map[string]alias{}
	for _, a := range w.aliases {
		if a.mountPoint && !a.cluster {
			found[a.from] = a
		}
	}
	return found
}

// mountedAt returns the directory of a mount point as it was spelled when it was mounted.
func (w *world) mountedAt(a alias) string { return w.storeOf(a.to).directories[a.to] }

// volumes returns the instances of Win32_Volume: those of the drives that hold
// directories, and those that are mounted in directories.
func (w *world) volumes(v view) []*wmi.Object {
	roots := map[string]string{}
	for _, path := range w.local.directories {
		if root := volumeOf(path); hasDrive(root) && !w.volumeOffline(pathKey(root)) {
			roots[pathKey(root)] = root
		}
	}
	var all []*wmi.Object
	for _, root := range inOrder(roots) {
		all = append(all, volumeObject(v, root, w.driveVolume(root), true))
	}
	for _, a := range inOrder(w.mounts()) {
		all = append(all, volumeObject(v, w.mountedAt(a), a.to+`\`, !w.volumeOffline(a.to)))
	}
	return all
}

// driveVolume returns the \\?\Volume{GUID}\ name of a drive.
func (w *world) driveVolume(root string) string {
	for _, a := range w.aliases {
		if a.to == pathKey(root) && winpath.IsVolumeGUID(a.from+`\`) {
			return a.from + `\`
		}
	}
	return volumeName(root)
}

func volumeObject(v view, path, name string, online bool) *wmi.Object {
	system, capacity := wmi.Text("FileSystem", "NTFS"), wmi.Uint64("Capacity", 1<<40)
	if !online {
		system, capacity = wmi.Null("FileSystem", wmi.TypeString), wmi.Null("Capacity", wmi.TypeUint64)
	}
	return &wmi.Object{
		Namespace: v.namespace, Class: cim.ClassVolume, Keys: []string{"DeviceID"},
		Properties: []wmi.Property{capacity, wmi.Text("DeviceID", deviceID(name)), system, wmi.Text("Name", path+`\`)},
	}
}

// deviceID spells the name of a volume as Windows does.
func deviceID(name string) string {
	guid := name[len(`\\?\Volume`):]
	return `\\?\Volume` + strings.ToLower(guid)
}

// mountPoints returns the instances of Win32_MountPoint.
func (w *world) mountPoints(v view) []*wmi.Object {
	var all []*wmi.Object
	for _, a := range inOrder(w.mounts()) {
		directory := wmi.Key("Name", w.mountedAt(a))
		all = append(all, &wmi.Object{
			Namespace: v.namespace, Class: cim.ClassMountPoint, Keys: []string{"Directory", "Volume"},
			Properties: []wmi.Property{
				wmi.Reference("Directory", &wmi.ObjectPath{Namespace: v.namespace, Class: cim.ClassDirectory, Keys: []wmi.KeyValue{directory}}),
				wmi.Reference("Volume", &wmi.ObjectPath{Namespace: v.namespace, Class: cim.ClassVolume, Keys: []wmi.KeyValue{wmi.Key("DeviceID", deviceID(a.to+`\`))}}),
			},
		})
	}
	return all
}
