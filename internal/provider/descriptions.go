package provider

// Sentences that describe the same input wherever it occurs.
const (
	describePath       = "Absolute path of a `.vhd` or `.vhdx` file on the host: with a drive letter, as a UNC path, or as `\\\\?\\Volume{…}`. Letter case does not matter, nor does the choice between `/` and `\\`."
	describeHost       = "Hyper-V host to ask for the file. Default: the provider's `host`."
	describeMode       = "Compaction mode: `Full`, `Quick`, `Retrim`, `Pretrimmed` or `Prezeroed`. Default: that of Optimize-VHD, which is `Quick` for VHDX and `Full` for VHD. Hosts before Windows Server 2012 have no modes."
	describeAttach     = "Attach the disk to the host, read-only and without a drive letter, while it is compacted. Only an attached disk shows the free space of its file systems. Default: `true` for `Full`, `Quick` and `Retrim`; `false` for `Pretrimmed` and `Prezeroed`, and on hosts without modes."
	describeParent     = "Compact a VHDX that checkpoints or differencing disks of machines that are off depend on. Possible only with `mode = \"Prezeroed\"` and unattached, which drops nothing but blocks of zeros. Default: `false`."
	describeReplicated = "Compact a disk of a virtual machine that Hyper-V Replica replicates from this host. Its next replication cycle is then a resynchronization. Disks on the replica's side are always refused. Default: `false`."
	describeRepeats    = "Most passes of one run, 1 to 5. A run makes fewer once two in a row have each reclaimed less than 1 % of the size before them. Default: `1`."

	describeDirectory  = "Absolute path of a directory on a drive of the host, whose disks are listed. Set either this or `vm_name`. Directories on a share or below a volume path cannot be listed."
	describeRecurse    = "Also list the directories below `directory`. Default: `false`."
	describeVMName     = "Name or GUID of a virtual machine, whose disks and those of its checkpoints are listed. Set either this or `directory`. Hosts before Windows Server 2012 cannot be asked."
	describeExtensions = "File extensions to list: `vhd`, `vhdx` or both. Default: both."
	describeMinimum    = "Leave out files that are smaller than this, in bytes. Default: `0`."

	describeTimeouts    = "Time limits, each at most `8760h`."
	describeReadTimeout = "Time limit for reading, such as `5m` or `30s`. Default: `5m`."

	describeFormat      = "Format of the file: `vhd` or `vhdx`."
	describeVHDType     = "Type of the disk: `dynamic`, `differencing` or `fixed`."
	describeVirtualSize = "Size of the disk as a guest sees it, in bytes."
	describeParentPath  = "Path of the parent of a differencing disk."
	describeInUseBy     = "Virtual machines that use the disk or depend on it; on a cluster, those of every node. Null when none is known and not every host has shown its machines."
)
