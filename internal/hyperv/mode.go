package hyperv

// Mode is a mode of CompactVirtualHardDisk, by Microsoft's name. Hosts that
// only have root\virtualization know no modes.
type Mode string

// The modes, as Optimize-VHD and Msvm_ImageManagementService name them.
const (
	ModeFull       Mode = "Full"
	ModeQuick      Mode = "Quick"
	ModeRetrim     Mode = "Retrim"
	ModePretrimmed Mode = "Pretrimmed"
	ModePrezeroed  Mode = "Prezeroed"
)

// modes holds the properties of each mode (Optimize-VHD reference), in the
// order of Microsoft's numbers, 0 to 4.
var modes = [...]struct {
	name Mode
	// attaches: the mode gains from the disk being attached read-only, because
	// only then does Windows see the free space of a file system.
	attaches bool
	// needs: the host accepts the mode only for an attached disk.
	needs bool
}{
	{name: ModeFull, attaches: true},
	{name: ModeQuick, attaches: true},
	{name: ModeRetrim, attaches: true, needs: true},
	{name: ModePretrimmed},
	{name: ModePrezeroed},
}

// Modes returns every mode in the order of Microsoft's numbers, 0 to 4.
func Modes() []Mode {
	var all []Mode
	for _, m := range modes {
		all = append(all, m.name)
	}
	return all
}

// Attaches reports whether the disk is attached read-only for the mode: only
// then does the mode see the free space of a file system, or is it allowed at
// all.
func (m Mode) Attaches() bool {
	n := m.number()
	return n >= 0 && modes[n].attaches
}

// NeedsAttachment reports whether the host accepts the mode only for an
// attached disk.
func (m Mode) NeedsAttachment() bool {
	n := m.number()
	return n >= 0 && modes[n].needs
}

// number returns Microsoft's number of the mode, -1 if it is not a mode.
func (m Mode) number() int {
	for n, known := range modes {
		if known.name == m {
			return n
		}
	}
	return -1
}
