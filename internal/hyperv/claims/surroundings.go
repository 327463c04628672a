package claims

// surroundings holds the claims about the surroundings of a disk: its names,
// the volumes on it, other nodes and other people.
var surroundings = []Claim{
	{ID: "attached-device-path", Text: "PnpDevicePath of Msvm_MountedStorageImage is Path of the MSFT_Disk of the attached disk, but for letter case.", Source: "none", Evidence: Open},
	{ID: "partition-access-paths", Text: `AccessPaths of MSFT_Partition lists drive letters, folder mount points and the \\?\Volume{GUID}\ name of a partition.`, Source: "reference of MSFT_Partition", Evidence: Inferred},
	{ID: "unc-to-itself", Text: "The image management service opens a UNC path to its own host, and finds a file in use that is open under its local path.", Source: "none", Evidence: Open, Untestable: "it takes delegation or a share with rights of its own"},
	{ID: "attachment-name", Text: "Name of Msvm_MountedStorageImage is the path as the file is spelled, not as the attach spelled it.", Source: "none", Evidence: Open},
	{ID: "attachments-after-restart", Text: "Attached disks stay attached when the management service restarts, and none is attached after a restart of Windows.", Source: "the API attaches for the lifetime of the system", Evidence: Inferred, Untestable: "it would stop what others run"},
	{ID: "address-reuse", Text: "The address of a detached disk (PortNumber, PathId, TargetId, Lun) is given to the next disk that is attached.", Source: "the lowest free LUN is usual", Evidence: Inferred},
	{ID: "unreachable-share-code", Text: "A job that finds no server behind a UNC path completes with 0x80070035.", Source: "winerror.h, ERROR_BAD_NETPATH", Evidence: Open, Untestable: "a server that is missing today may exist tomorrow"},
	{ID: "late-job", Text: "A request to compact that was answered by a time-out may start its job afterwards.", Source: "none", Evidence: Open, Untestable: "no host can be made slow at will"},
}
