package conformance

import (
	"slices"
	"strings"
)

// Fixtures describes what was put on a host for the kit to look at, and what the set-up has
// observed of the host itself. A host with fixtures belongs to the kit: logons may fail there, and
// time does not matter.
type Fixtures struct {
	Machines []FixtureMachine `json:"machines"`
	// Disks are virtual hard disks in no use, one for each purpose.
	Disks []FixtureDisk `json:"disks,omitempty"`
	// Formatted is a disk with one volume, in no use; it is attached and detached.
	Formatted string `json:"formatted,omitempty"`
	// PlugIn is the configuration of the WMI plug-in of WinRM, as the registry has it.
	PlugIn string `json:"plug_in,omitempty"`
	// ChannelBinding is CbtHardeningLevel of WinRM, for example Strict.
	ChannelBinding string `json:"channel_binding,omitempty"`
	// FilteredTokenRefused says whether a local administrator was refused before
	// LocalAccountTokenFilterPolicy was set; nil when that was not tried.
	FilteredTokenRefused *bool `json:"filtered_token_refused,omitempty"`
}

// FixtureMachine is a virtual machine.
type FixtureMachine struct {
	// Name is its ElementName.
	Name string `json:"name"`
	// State is off, running, saved or paused.
	State string `json:"state"`
	// Disk is the path of its virtual hard disk; of one with a checkpoint, the base.
	Disk string `json:"disk"`
	// Parent is the path of the parent of a linked clone's disk.
	Parent string `json:"parent,omitempty"`
	// Checkpoint says that it has one checkpoint.
	Checkpoint bool `json:"checkpoint,omitempty"`
	// LongNotes says that its notes are longer than the smallest MaxEnvelopeSize.
	LongNotes bool `json:"long_notes,omitempty"`
}

// FixtureDisk is a virtual hard disk that may be compacted.
type FixtureDisk struct {
	// For is the purpose, for example lifecycle.
	For  string `json:"for"`
	Path string `json:"path"`
	// Optimized is the length in bytes of the file of a copy after Optimize-VHD in the mode Full,
	// attached read-only; 0 when that was not tried. BlockSize is that of the disk.
	Optimized int64 `json:"optimized,omitempty"`
	BlockSize int64 `json:"block_size,omitempty"`
}

// Disk finds the disk for a purpose; false when there is none.
func (f *Fixtures) Disk(purpose string) (FixtureDisk, bool) {
	i := slices.IndexFunc(f.Disks, func(d FixtureDisk) bool { return d.For == purpose })
	if i < 0 {
		return FixtureDisk{}, false
	}
	return f.Disks[i], true
}

// Machine finds a machine by the end of its name; false when there is none.
func (f *Fixtures) Machine(suffix string) (FixtureMachine, bool) {
	i := slices.IndexFunc(f.Machines, func(m FixtureMachine) bool { return strings.HasSuffix(m.Name, suffix) })
	if i < 0 {
		return FixtureMachine{}, false
	}
	return f.Machines[i], true
}

// ReadFixtures reads a file that describes fixtures.
func ReadFixtures(name string) (*Fixtures, error) {
	var f Fixtures
	return &f, readJSON(name, &f)
}

// fixture finds a machine; nil when there is none of that kind.
func (k *kit) fixture(is func(FixtureMachine) bool) *FixtureMachine {
	if k.options.Fixtures == nil {
		return nil
	}
	i := slices.IndexFunc(k.options.Fixtures.Machines, is)
	if i < 0 {
		return nil
	}
	return &k.options.Fixtures.Machines[i]
}

func inState(state string) func(FixtureMachine) bool {
	return func(m FixtureMachine) bool { return m.State == state && !m.Checkpoint }
}

// noFixture is the verdict where a host has no machine of a kind.
func noFixture(kind string) verdict {
	return notTested("no machine that is there for this is %s", kind)
}
