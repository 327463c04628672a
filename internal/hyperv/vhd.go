package hyperv

// Format is the file format of a virtual hard disk.
type Format string

// The formats of virtual hard disks.
const (
	FormatVHD    Format = "vhd"
	FormatVHDX   Format = "vhdx"
	FormatVHDSet Format = "vhds"
)

// DiskType is the way in which a virtual hard disk allocates its blocks.
type DiskType string

// The types of virtual hard disks.
const (
	TypeFixed        DiskType = "fixed"
	TypeDynamic      DiskType = "dynamic"
	TypeDifferencing DiskType = "differencing"
)

// VHD is what a host reports about a virtual hard disk. Fields that a host may
// leave out are pointers.
type VHD struct {
	Path       string
	Format     Format
	Type       DiskType
	ParentPath string
	// FileSizeBytes is the size of the file on the volume of the host.
	FileSizeBytes int64
	// VirtualSizeBytes is the size of the disk that a guest sees.
	VirtualSizeBytes int64

	MinimumVirtualSizeBytes *int64
	FragmentationPercent    *int64
	BlockSizeBytes          *int64
	LogicalSectorSizeBytes  *int64
	PhysicalSectorSizeBytes *int64
	VirtualDiskID           *string

	// changed is the Timestamp of the disk in nanoseconds since 1970, 0 if the host gives none,
	// which is so before Windows Server 2016.
	changed int64
	// What the older generation reports in place of naming a machine: the disk
	// is mounted or used by one, or belongs to one in saved state.
	usedV1, savedV1 bool
	inspectedV1     bool
}

// Attachment is the way in which a virtual hard disk is attached to the host
// itself, not to a virtual machine.
type Attachment string

// The ways in which a disk can be attached to the host.
const (
	AttachedNone      Attachment = "none"
	AttachedReadOnly  Attachment = "read_only"
	AttachedReadWrite Attachment = "read_write"
)
