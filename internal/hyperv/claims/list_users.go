package claims

// users holds the claims about the users of a disk and those who depend on it:
// machines, their settings, and the other nodes of a cluster.
var users = []Claim{
	{ID: "state-timestamp", Text: "Timestamp of Msvm_VirtualHardDiskState is the same for two reads of a disk that was not changed.", Source: "none", Evidence: Open},
	{ID: "cluster-nodes", Text: `root\MSCluster lists the cluster with Name and Fqdn, and its nodes with Name and State.`, Source: "reference of the failover cluster provider; over WS-Management not recorded", Evidence: Inferred},
	{ID: "file-classes-cluster-volume", Text: "Win32_Directory and CIM_DataFile list what lies in the directory of a cluster shared volume.", Source: "none", Evidence: Open},
	{ID: "machines-hidden-from-account", Text: "An account without rights in Hyper-V gets empty lists of machines and settings, in which the host itself is missing too.", Source: "reports of monitoring software", Evidence: Open, Untestable: "the kit has one account, and that one has the rights"},
	{ID: "mount-point-offline", Text: "Win32_MountPoint lists a mount point whose volume is offline, and Win32_Volume lists that volume without a file system.", Source: "none", Evidence: Open, Untestable: "it would take a volume offline"},
	{ID: "compact-parent", Text: "After the compaction of a parent its children refuse to open, unless nothing but blocks of zeros was dropped from a VHDX.", Source: "MS-VHDX 2.2.2 and 2.6.2.6.3, which do not decide it", Evidence: Open, Untestable: "the kit makes no differencing disks"},
	{ID: "compact-replicated", Text: "After the compaction of a disk of a primary its replication is resynchronised.", Source: "reports of disks that were changed while the machine was off", Evidence: Inferred, Untestable: "it takes a second host and a machine that is replicated to it"},
	{ID: "read-on-other-node", Text: "While a machine runs with a disk on one node, another node refuses to read its settings with 32774 or 0x80070020.", Source: "reports of Get-VHD, which does not run there; the numbers are not reported", Evidence: Inferred, Untestable: "it takes a cluster with a machine that runs"},
}
