package rehearsal

import (
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

const (
	mib = int64(1) << 20
	// full and free are the size of a disk on which data was written and deleted
	// again, and how much of that a compaction finds while the disk is attached.
	full, free = 256 * mib, 192 * mib
	blockSize  = 32 * mib
)

// kinds are the disks by purpose.
var kinds = []struct {
	purpose, file string
	disk          hypervsim.VHD
}{
	{"lifecycle", "lifecycle.vhdx", hypervsim.VHD{ReclaimableMounted: free}},
	{"modes", "modes.vhdx", hypervsim.VHD{ReclaimableMounted: free, ReclaimableUnmounted: 32 * mib}},
	{"time-out", "time-out.vhdx", hypervsim.VHD{ReclaimableMounted: free}},
	{"killed", "killed.vhdx", hypervsim.VHD{ReclaimableMounted: free}},
	{"shared", "shared.vhdx", hypervsim.VHD{ReclaimableMounted: free}},
	{"action", "action.vhdx", hypervsim.VHD{ReclaimableMounted: free}},
	{"trimmed", "trimmed.vhdx", hypervsim.VHD{}},
	{"old format", "old.vhd", hypervsim.VHD{ReclaimableMounted: free}},
	{"large sectors", "sectors.vhdx", hypervsim.VHD{ReclaimableMounted: free, LogicalSectorSize: 4096}},
	{"fixed", "fixed.vhdx", hypervsim.VHD{Type: hypervsim.TypeFixed}},
}

// Disks are virtual hard disks in no use, in a directory. A compaction takes the given time, so
// that something can happen meanwhile.
func Disks(directory string, takes time.Duration) ([]hypervsim.Option, []conformance.FixtureDisk) {
	var options []hypervsim.Option
	var fixtures []conformance.FixtureDisk
	for _, k := range kinds {
		v := k.disk
		v.Path, v.FileSize, v.JobDuration = winpath.Join(directory, k.file), full, takes
		f := conformance.FixtureDisk{For: k.purpose, Path: v.Path, BlockSize: blockSize}
		if v.ReclaimableMounted > 0 {
			f.Optimized = full - v.ReclaimableMounted
		}
		options, fixtures = append(options, hypervsim.WithVHD(v)), append(fixtures, f)
	}
	return options, fixtures
}
