package hypervsim

import "slices"

// Release is a release of Windows Server. It decides which generations of the
// Hyper-V provider exist, and which methods and properties.
type Release int

// The releases that differ in what this package models.
const (
	// Server2008 has root\virtualization only: no modes, no read-only mount.
	Server2008 Release = iota + 1
	// Server2012 has both namespaces; storage jobs cannot be cancelled.
	Server2012
	// Server2012R2 has root\virtualization\v2 only. The sources disagree on
	// whether the old namespace is still there.
	Server2012R2
	// Server2016 adds FindMountedStorageImageInstance and time stamps.
	Server2016
	// Server2022 adds the properties of persistent memory disks.
	Server2022
)

// generations returns the provider generations of the release.
func (r Release) generations() []Generation {
	switch r {
	case Server2008:
		return []Generation{V1}
	case Server2012:
		return []Generation{V1, V2}
	case Server2012R2, Server2016, Server2022:
	}
	return []Generation{V2}
}

func (r Release) has(g Generation) bool { return slices.Contains(r.generations(), g) }

// serves reports whether the host has the provider of a generation.
func (w *world) serves(g Generation) bool { return !w.withoutRole && w.release.has(g) }

// WithRelease makes the host one of that release, Server2022 by default. It
// sets the generations too and prevails over WithGenerations.
func WithRelease(r Release) Option {
	return optionFunc(func(o *options) {
		o.generations, o.release = r.generations(), r
	})
}
