package hypervsim

// WithVHD puts disks on the host.
func WithVHD(disks ...VHD) Option {
	return arranged(func(h *Host) error {
		for _, v := range disks {
			h.AddVHD(v)
		}
		return nil
	})
}

// WithVM puts virtual machines on the host.
func WithVM(machines ...VM) Option {
	return arranged(func(h *Host) error {
		for _, m := range machines {
			h.AddVM(m)
		}
		return nil
	})
}

// WithDirectory puts directories on the host.
func WithDirectory(paths ...string) Option {
	return arranged(func(h *Host) error {
		for _, path := range paths {
			h.AddDirectory(path)
		}
		return nil
	})
}

// WithFolder shows a real folder under a path of the host: the virtual hard
// disks in it are read and compacted with qemu-img.
func WithFolder(path, folder string) Option {
	return arranged(func(h *Host) error { return h.MapFolder(path, folder) })
}

// WithMissingViaJob lets a failed job report a missing file, not the return
// value of the method.
func WithMissingViaJob() Option {
	return arranged(func(h *Host) error {
		h.world.missingViaJob = true
		return nil
	})
}

// WithoutSystemName leaves SystemName of Msvm_ImageManagementService null.
func WithoutSystemName() Option {
	return arranged(func(h *Host) error {
		h.world.withoutSystemName = true
		return nil
	})
}

// WithAttachmentNames spells the Name of an attached disk in Msvm_MountedStorageImage. The function
// spell gets the path under which the disk was put on the host, however the request to attach it
// spelled the path.
func WithAttachmentNames(spell func(path string) string) Option {
	return arranged(func(h *Host) error {
		h.world.listed = spell
		return nil
	})
}

func arranged(arrange func(h *Host) error) Option {
	return optionFunc(func(o *options) { o.arrange = append(o.arrange, arrange) })
}
