package hypervsim

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// AddDirectory puts a directory on the host, with those above it.
func (h *Host) AddDirectory(path string) {
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.addDirectory(path)
}

// RemoveVolume takes away a volume, for example D:, or the one that is mounted on a directory: it
// goes offline with everything on it, jobs and attachments included. A directory on which it is
// mounted stays.
func (h *Host) RemoveVolume(volume string) {
	now := h.world.lock()
	defer h.world.mu.Unlock()
	key := h.world.volumeKey(volume)
	h.world.storeOf(key).offline[key] = true
	for _, w := range h.world.sharers(key) {
		for _, j := range w.jobs {
			if j.isRunning() && w.volumeKey(j.path) == key {
				w.fail(j, &refusal{code: returnFailed, status: statusPathNotFound}, now)
			}
		}
		w.attachments = slices.DeleteFunc(w.attachments, func(a *attachment) bool { return w.volumeKey(a.path) == key })
	}
}

// RestoreVolume brings a volume back online.
func (h *Host) RestoreVolume(volume string) {
	h.world.lock()
	defer h.world.mu.Unlock()
	key := h.world.volumeKey(volume)
	delete(h.world.storeOf(key).offline, key)
}

// volumeKey returns the key of the volume of a path; it takes a drive letter
// without a colon, too.
func (w *world) volumeKey(path string) string {
	if len(path) == 1 {
		path += ":"
	}
	return pathKey(volumeOf(w.key(path)))
}

// fileName spells a path as the file classes of root\cimv2 do: they write names
// in lower case, and know local drives only.
//
// Unverified on a real host (file-class-letter-case): the letter case of names
// in answers to a query that spelled them otherwise.
func fileName(path string) string { return strings.ToLower(winpath.Normalize(path)) }

// directoryObjects returns the instances of Win32_Directory.
func (w *world) directoryObjects(v view) []*wmi.Object {
	paths := w.candidates(v, w.directoryNames(), func(path string) (string, bool) {
		return path, w.isDirectory(path)
	}, w.realDirectories)
	var all []*wmi.Object
	for _, path := range paths {
		properties := append(w.fileProperties(path, cim.ClassDirectory), wmi.Null("FileSize", wmi.TypeUint64))
		all = append(all, &wmi.Object{Namespace: v.namespace, Class: cim.ClassDirectory, Keys: []string{"Name"}, Properties: properties})
	}
	return inNameOrder(all)
}

// dataFiles returns the instances of CIM_DataFile: the virtual hard disks.
func (w *world) dataFiles(v view) []*wmi.Object {
	var known []string
	for d := range w.disks() {
		known = append(known, d.Path)
	}
	paths := w.candidates(v, known, func(path string) (string, bool) {
		d, refused := w.find(path)
		if refused != nil {
			return "", false
		}
		return d.Path, true
	}, w.realFiles)
	var all []*wmi.Object
	for _, path := range paths {
		d, refused := w.find(path)
		if refused != nil {
			continue
		}
		properties := append(w.fileProperties(path, cim.ClassDataFile),
			wmi.Bool("Compressed", d.Compressed), wmi.Uint64("FileSize", d.FileSize))
		all = append(all, &wmi.Object{Namespace: v.namespace, Class: cim.ClassDataFile, Keys: []string{"Name"}, Properties: properties})
	}
	return inNameOrder(all)
}

// candidates returns the paths on drives that are online, with those of the
// mapped folders: the one whose name was asked for, those in the directory that
// was asked for, or all.
func (w *world) candidates(v view, known []string, one func(string) (string, bool), mapped func() []string) []string {
	if name, ok := v.equality("Name"); ok {
		if path, exists := one(name); exists && hasDrive(name) {
			return []string{path}
		}
		return nil
	}
	directory, inDirectory := v.directory()
	var kept []string
	for _, path := range append(known, mapped()...) {
		if (!inDirectory || pathKey(winpath.Dir(path)) == directory) && w.isListed(path) {
			kept = append(kept, path)
		}
	}
	slices.SortFunc(kept, func(a, b string) int { return cmp.Compare(pathKey(a), pathKey(b)) })
	return slices.CompactFunc(kept, func(a, b string) bool { return pathKey(a) == pathKey(b) })
}

// isListed reports whether the file classes show a path when they are not asked for
// it by its name.
func (w *world) isListed(path string) bool {
	unlisted := w.failover != nil && w.failover.Unlisted && winpath.OnClusterVolume(path)
	return hasDrive(path) && !w.isOffline(path) && !unlisted
}

// directory returns the key of the directory that the answer will be filtered by.
func (v view) directory() (string, bool) {
	drive, hasDrive := v.equality("Drive")
	path, hasPath := v.equality("Path")
	return pathKey(drive + path), hasDrive && hasPath && path != ""
}

// fileProperties returns the properties that directories and files have in
// common.
func (w *world) fileProperties(path, class string) []wmi.Property {
	name := fileName(path)
	directory := strings.TrimPrefix(fileName(winpath.Dir(path)), name[:2])
	directory = strings.TrimSuffix(directory, `\`) + `\`
	base, ext := winpath.Base(name), extension(name)
	if isRoot(path) {
		directory, base, ext = "", "", ""
	}
	base = strings.TrimSuffix(base, "."+ext)
	return []wmi.Property{
		wmi.Text("Caption", name),
		wmi.Text("CreationClassName", class),
		wmi.Text("CSName", w.host),
		wmi.Text("Description", name),
		wmi.Text("Drive", name[:2]),
		wmi.Text("Extension", ext),
		wmi.Text("FileName", base),
		wmi.Text("FSName", "NTFS"),
		wmi.Text("Name", name),
		wmi.Text("Path", directory),
		wmi.Bool("Readable", true),
		wmi.Text("Status", "OK"),
		wmi.Bool("Writeable", true),
	}
}

// inNameOrder puts the properties of each object in the order of the wire.
func inNameOrder(objects []*wmi.Object) []*wmi.Object {
	for _, o := range objects {
		slices.SortFunc(o.Properties, wmi.ByName)
	}
	return objects
}

// operatingSystems returns the one Win32_OperatingSystem.
func (w *world) operatingSystems(v view) []*wmi.Object {
	names := map[Release][2]string{
		Server2008:   {"Microsoft Windows Server 2008", "6.0.6002"},
		Server2012:   {"Microsoft Windows Server 2012", "6.2.9200"},
		Server2012R2: {"Microsoft Windows Server 2012 R2", "6.3.9600"},
		Server2016:   {"Microsoft Windows Server 2016", "10.0.14393"},
		Server2022:   {"Microsoft Windows Server 2022", "10.0.20348"},
	}
	os := names[w.release]
	build := os[1][strings.LastIndexByte(os[1], '.')+1:]
	return []*wmi.Object{{
		Namespace: v.namespace, Class: classOperatingSystem, Keys: []string{"Name"},
		Properties: []wmi.Property{
			wmi.Text("BuildNumber", build),
			wmi.Text("Caption", os[0]),
			wmi.Text("CSName", w.host),
			wmi.DateTime("LastBootUpTime", w.booted),
			wmi.DateTime("LocalDateTime", v.now),
			wmi.Text("Name", os[0]+`|C:\Windows|\Device\Harddisk0\Partition2`),
			wmi.Text("Version", os[1]),
		},
	}}
}
