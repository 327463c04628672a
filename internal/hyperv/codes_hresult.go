package hyperv

// HRESULTs that the service reports as the completion status of a storage job.
const (
	hresultFileNotFound     = 0x80070002
	hresultPathNotFound     = 0x80070003
	hresultAccessDenied     = 0x80070005
	hresultSharingViolation = 0x80070020
	hresultNotCompactable   = 0xC03A001A
	hresultParentNotFound   = 0xC03A000D
)

var hresults = []Code{
	{KindHRESULT, hresultFileNotFound, "the file was not found", hintPath, errHostFindsNothing},
	{KindHRESULT, hresultPathNotFound, "the path was not found", hintPath, ErrPathNotFound},
	{KindHRESULT, hresultAccessDenied, "access to the file is denied", hintFile, ErrAccessDenied},
	{KindHRESULT, 0x80070013, "the volume is write-protected", "Make the volume writable on the host (Get-Disk shows IsReadOnly).", nil},
	{KindHRESULT, 0x80070015, "the device is not ready", hintPath, ErrPathNotFound},
	{KindHRESULT, hresultSharingViolation, "another process has the file open", hintInUse, ErrInUse},
	{KindHRESULT, 0x80070021, "another process has locked a part of the file", hintInUse, ErrInUse},
	{KindHRESULT, 0x80070035, "the network path was not found", hintPath, ErrPathNotFound},
	{KindHRESULT, 0x80070070, "the volume is full", "Free some space on the volume: compacting rearranges blocks and writes a log first.", nil},
	{KindHRESULT, 0x80070570, "the file or directory is corrupted and unreadable", hintCorrupt, nil},
	{KindHRESULT, 0x800703E3, "the operation was aborted", "", nil},
	{KindHRESULT, 0xC03A0001, "the disk is corrupted: footer missing", hintCorrupt, nil},
	{KindHRESULT, 0xC03A0002, "the disk is corrupted: footer checksum", hintCorrupt, nil},
	{KindHRESULT, 0xC03A0003, "the disk is corrupted: footer", hintCorrupt, nil},
	{KindHRESULT, 0xC03A0005, "unknown format of the disk", "This version of Windows does not know the format of the disk.", ErrNotSupported},
	{KindHRESULT, 0xC03A0006, "the disk is corrupted: sparse header checksum", hintCorrupt, nil},
	{KindHRESULT, 0xC03A0007, "unsupported version of the format", "This version of Windows does not know the version of the disk's format.", ErrNotSupported},
	{KindHRESULT, 0xC03A0008, "the disk is corrupted: sparse header", hintCorrupt, nil},
	{KindHRESULT, 0xC03A000A, "the disk is corrupted: block allocation table", hintCorrupt, nil},
	{KindHRESULT, 0xC03A000B, "unsupported block size", "This version of Windows does not know the block size of the disk.", ErrNotSupported},
	{KindHRESULT, 0xC03A000C, "the disk is corrupted: bitmap", hintCorrupt, nil},
	{KindHRESULT, hresultParentNotFound, "a parent of the disk was not found", hintChain, nil},
	{KindHRESULT, 0xC03A000E, "a parent of the disk has another identifier", hintChain, nil},
	{KindHRESULT, 0xC03A000F, "a parent of the disk was changed after its child was made", hintChain, nil},
	{KindHRESULT, 0xC03A0012, "invalid size of the disk", hintCorrupt, nil},
	{KindHRESULT, 0xC03A0013, "invalid size of the file", hintCorrupt, nil},
	{KindHRESULT, 0xC03A0014, "no support for disks of this kind", "Only .vhd and .vhdx can be compacted.", ErrNotSupported},
	{KindHRESULT, 0xC03A0015, "the file is not a virtual disk", "Only .vhd and .vhdx can be compacted, no tracking files and no pass-through disks.", ErrNotSupported},
	{KindHRESULT, 0xC03A0016, "access to a parent of the disk is denied", "Give the account of the provider rights on every file of the chain.", ErrAccessDenied},
	{KindHRESULT, 0xC03A0017, "a parent of the disk has another size", hintChain, nil},
	{KindHRESULT, 0xC03A0018, "the chain of parents has a cycle", hintChain, nil},
	{KindHRESULT, 0xC03A0019, "an error further up the chain of parents", hintChain, nil},
	{KindHRESULT, hresultNotCompactable, "the file is compressed, encrypted or sparse", hintPlain, nil},
	{KindHRESULT, 0xC03A001B, "impossible with a disk of this type", "Fixed disks cannot be compacted: convert the disk to dynamic or leave it out.", ErrNotSupported},
	{KindHRESULT, 0xC03A001C, "impossible in the disk's current state", "Mode Retrim needs the disk attached read-only.", nil},
	{KindHRESULT, 0xC03A001D, "the sector size of the host's disk is not supported", "Move the file to a volume with 512-byte or 512e sectors.", ErrNotSupported},
	{KindHRESULT, 0xC03A001E, "another client has already attached the disk", hintInUse, ErrInUse},
	{KindHRESULT, 0xC03A001F, "the disk must be offline or read-only", hintInUse, ErrInUse},
	{KindHRESULT, 0xC03A0022, "the disk was changed offline", "Change tracking is invalid: expect a full backup or a resynchronised replica next.", nil},
}
