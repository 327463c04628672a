package provider

// Sentences that describe the same input wherever it occurs.
const (
	describePath       = "Absolute path of a `.vhd` or `.vhdx` file on the host: with a drive letter, UNC or `\\\\?\\Volume{…}`. Letter case, `/` and `\\` do not matter."
	describeHost       = "Hyper-V host that serves the file. Default: `host` of the provider."
	describeMode       = "Mode of the compaction: `Full`, `Quick`, `Retrim`, `Pretrimmed` or `Prezeroed`. Default: as Optimize-VHD, `Quick` for VHDX and `Full` for VHD. Hosts before Windows Server 2012 have no modes."
	describeAttach     = "Attach the disk to the host, read-only and without a drive letter, while it is compacted: only then is the free space of its file systems seen. Default: `true` for `Full`, `Quick` and `Retrim`, `false` for `Pretrimmed` and `Prezeroed` and for hosts without modes."
	describeParent     = "Compact a VHDX on which checkpoints or differencing disks of machines that are off depend; only with `mode = \"Prezeroed\"` and unattached, which drops blocks of zeros and no others. Default: `false`."
	describeReplicated = "Compact a disk of the primary in a replication (Hyper-V Replica): its next replication is a resynchronisation. Disks of a replica are refused always. Default: `false`."
	describeRepeats    = "Passes of one run, 1 to 5: it repeats while a pass reclaims at least 1 % of the size before it. Default: `1`."

	describeDirectory  = "Absolute path of a directory on a drive of the host. Its disks are listed; give either this or `vm_name`. Directories behind a share or a volume path cannot be listed."
	describeRecurse    = "List the directories below `directory` too. Default: `false`."
	describeVMName     = "Name or GUID of a virtual machine whose disks, and those of its checkpoints, are listed; give either this or `directory`. Hosts before Windows Server 2012 cannot be asked."
	describeExtensions = "Extensions of the files to list, among `vhd` and `vhdx`. Default: both."
	describeMinimum    = "Size in bytes below which a file is left out. Default: `0`."

	describeTimeouts    = "Bounds of operations."
	describeReadTimeout = "Bound of the reading, as `5m` or `30s`. Default: `5m`."

	describeFormat      = "Format of the file: `vhd` or `vhdx`."
	describeVHDType     = "Type of the disk: `dynamic`, `differencing` or `fixed`."
	describeVirtualSize = "Size in bytes of the disk that a guest sees."
	describeParentPath  = "Path of the parent of a differencing disk."
	describeInUseBy     = "Virtual machines that use the disk or depend on it, on a cluster those of every node; null when none is known and not every host has shown its machines."
)
