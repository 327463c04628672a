package claims

// users is what holds for those who use a disk or depend on it: machines, their
// settings, and the other nodes of a cluster.
var users = []Claim{
	{ID: "machines-hidden-from-account", Text: "An account without rights in Hyper-V gets empty lists of machines and settings, in which the host itself is missing too.", Source: "reports of monitoring software", Evidence: Open, Untestable: "the kit has one account, and that one has the rights"},
	{ID: "mount-point-offline", Text: "Win32_MountPoint lists a mount point whose volume is offline, and Win32_Volume lists that volume without a file system.", Source: "none", Evidence: Open, Untestable: "it would take a volume offline"},
	{ID: "read-on-other-node", Text: "While a machine runs with a disk on one node, another node refuses to read its settings with 32774 or 0x80070020.", Source: "reports of Get-VHD, which does not run there; the numbers are not reported", Evidence: Inferred, Untestable: "it takes a cluster with a machine that runs"},
}
