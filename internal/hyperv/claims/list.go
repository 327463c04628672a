package claims

// protocol holds the claims about HTTP, authentication and sealing.
var protocol = []Claim{
	{ID: "identify", Text: "Identify after a logon names the protocol, the vendor and the version.", Source: "MS-WSMV 3.1.4.1.23", Evidence: Documented},
	{ID: "identify-hides-version", Text: "Identify without a logon hides the version of Windows.", Source: "MS-WSMV 3.1.4.1.23", Evidence: Documented},
	{ID: "unsealed-refused", Text: "Over http a message in the clear is refused although its sender has logged on.", Source: "MS-WSMV 3.1.4.1.29.1", Evidence: Documented},
	{ID: "unsealed-refused-status", Text: "That refusal is HTTP status 500 without a body.", Source: "none", Evidence: Open},
	{ID: "broken-seal-status", Text: "A body whose seal is broken is answered with HTTP status 400.", Source: "none", Evidence: Open},
	{ID: "http-unknown-path", Text: "A path other than /wsman is answered with HTTP status 404.", Source: "wsmerror.h, HTTP_NOT_FOUND_STATUS", Evidence: Open},
	{ID: "http-other-method", Text: "A GET of /wsman is answered with HTTP status 405.", Source: "none", Evidence: Open},
	{ID: "http-media-type", Text: "A body of another media type is answered with HTTP status 415.", Source: "none", Evidence: Open},
	{ID: "chunked-request", Text: "A chunked request is answered with HTTP status 411.", Source: "MS-WSMV 3.1.4.1.31.8 says so of shells", Evidence: Open},
	{ID: "ntlm-suffix-domain", Text: "NTLM finds the domain of a user name of the form user@suffix.", Source: "none", Evidence: Open},
	{ID: "kerberos-raw-token", Text: "A Kerberos token without SPNEGO around it is taken under Negotiate.", Source: "use by other clients", Evidence: Open},
}

// service holds the claims about WinRM as it is set up on a host.
var service = []Claim{
	{ID: "binding-wrong-refused", Text: "Over https a logon with the channel binding of another certificate is refused.", Source: "Installation and configuration for Windows Remote Management, CbtHardeningLevel", Evidence: Documented},
	{ID: "binding-missing-refused", Text: "With CbtHardeningLevel Strict a logon over https without a channel binding is refused.", Source: "Installation and configuration for Windows Remote Management, CbtHardeningLevel", Evidence: Documented},
	{ID: "filtered-token-refused", Text: "A local administrator is refused until LocalAccountTokenFilterPolicy is set.", Source: "User Account Control and remote restrictions", Evidence: Documented},
	{ID: "plug-in-quota", Text: "The WMI plug-in allows 15 operations of one user at once.", Source: "MS-WSMV 3.1.4.1.34.3.1; the effective number is not known", Evidence: Open},
	{ID: "plug-in-remote-management", Text: "The descriptor of the WMI plug-in lets Remote Management Users in.", Source: "recorded", Evidence: Documented},
	{ID: "idle-connection", Text: "An idle connection is closed after 120 seconds.", Source: "http.sys", Evidence: Open},
	{ID: "utf16-answer", Text: "The answer to a message in UTF-16 is in UTF-16.", Source: "none", Evidence: Open},
	{ID: "rights-remote-management", Text: "An account that is in Remote Management Users alone logs on, and may not use Hyper-V.", Source: "the namespace has rights of its own", Evidence: Open},
	{ID: "rights-hyper-v", Text: "An account that is in Hyper-V Administrators alone is refused by WinRM.", Source: "default RootSDDL, and the descriptor of the WMI plug-in", Evidence: Open},
	{ID: "rights-both", Text: "An account that is in Remote Management Users and in Hyper-V Administrators can do what this provider does.", Source: "recorded descriptor of the WMI plug-in; that of the namespace is not known", Evidence: Open},
	{ID: "rights-namespace", Text: "With Execute Methods and Remote Enable of the namespace as well it can.", Source: "Securing a remote WMI connection", Evidence: Inferred},
	{ID: "rights-root", Text: "With read and execute in RootSDDL as well it can.", Source: "Installation and configuration for Windows Remote Management", Evidence: Inferred},
}

// messages holds the claims about SOAP messages that apply to every class.
var messages = []Claim{
	{ID: "relates-to", Text: "An answer repeats the message ID of the request in RelatesTo.", Source: "MS-WSMV 3.1.4.1.5", Evidence: Documented},
	{ID: "envelope-too-small", Text: "MaxEnvelopeSize below 8192 is refused with the subcode EncodingLimit.", Source: "MS-WSMV 3.1.4.1.7", Evidence: Documented},
	{ID: "malformed-xml-fault", Text: "XML that is not well-formed is answered with a fault of the subcode SchemaValidationError.", Source: "none", Evidence: Open},
	{ID: "malformed-duration-fault", Text: "A malformed OperationTimeout is answered with a fault of the subcode SchemaValidationError.", Source: "none", Evidence: Open},
	{ID: "locale-without-effect", Text: "A Locale that the host does not have is accepted.", Source: "recorded without the header only", Evidence: Open},
	{ID: "locale-must-understand", Text: "A Locale that must be understood is refused with the subcode UnsupportedFeature.", Source: "MS-WSMV 3.1.4.1.8", Evidence: Documented},
	{ID: "unknown-class-get", Text: "Get of a class that does not exist is answered with DestinationUnreachable and 2150858752.", Source: "recorded", Evidence: Documented},
	{ID: "unknown-class-wql", Text: "WQL about a class that does not exist is answered with 2150858778.", Source: "recorded", Evidence: Documented},
	{ID: "missing-namespace-codes", Text: "Invoke in a namespace that does not exist is answered with one of 2147749902, 2147749904, 2150858752, 2150858811 and 2150858778.", Source: "wsmerror.h, wbemcli.h", Evidence: Open},
	{ID: "missing-namespace-wmi-code", Text: "Get in a namespace that does not exist carries the code 2147749902 of WMI.", Source: "none", Evidence: Open},
	{ID: "missing-method-codes", Text: "A method that does not exist is answered with one of 2147749934, 2147749935, 2150858817 and 2150858771.", Source: "wbemcli.h", Evidence: Open},
	{ID: "wrong-selector", Text: "A selector that is no key is refused with the subcode InvalidSelectors.", Source: "MS-WSMV 3.1.4.1.2", Evidence: Documented},
	{ID: "unknown-parameter", Text: "An input parameter that the method does not have is refused with a fault.", Source: "wsmerror.h, 0x80338055", Evidence: Documented},
	{ID: "parameter-type", Text: "An input parameter of the wrong type is refused with a fault.", Source: "wsmerror.h, 0x80338054", Evidence: Documented},
	{ID: "null-is-nil", Text: "A property without a value comes as xsi:nil.", Source: "recorded", Evidence: Documented},
	{ID: "enumeration-optimized", Text: "An optimized enumeration that is complete has Items and EndOfSequence in the namespace of wsman.xsd.", Source: "recorded", Evidence: Documented},
	{ID: "enumeration-plain", Text: "Enumerate without OptimizeEnumeration returns a context and no items.", Source: "recorded", Evidence: Documented},
	{ID: "pull-one", Text: "Pull without MaxElements returns one item.", Source: "recorded", Evidence: Documented},
	{ID: "pull-other-limits", Text: "Pull with another MaxElements than Enumerate is refused with 2150859181.", Source: "wsmerror.h; which limits count is not said", Evidence: Open},
	{ID: "wql-needs-star", Text: "WQL with the URI of a class is refused with 2150859003.", Source: "wsmerror.h, and seen", Evidence: Documented},
	{ID: "wql-instances", Text: "SELECT * returns elements named after the class.", Source: "recorded", Evidence: Documented},
	{ID: "wql-projection", Text: "A projection returns XmlFragment elements.", Source: "MS-WSMV notes 58 and 59", Evidence: Documented},
	{ID: "selector-filter", Text: "SelectorFilter returns only the instances that match.", Source: "MS-WSMV 3.1.4.1.13", Evidence: Documented},
	{ID: "too-large-code", Text: "An instance that is larger than the MaxEnvelopeSize of the request is answered with EncodingLimit and 2150858824.", Source: "wsmerror.h", Evidence: Open},
}

// classes holds the claims about the classes that are read.
var classes = []Claim{
	{ID: "namespaces-by-release", Text: `root\virtualization\v2 exists from Server 2012 on, and root\virtualization does not from Server 2016 on.`, Source: "reference of the Hyper-V WMI provider", Evidence: Inferred},
	{ID: "v1-on-2012r2", Text: `Server 2012 R2 has no root\virtualization.`, Source: "the sources disagree", Evidence: Open},
	{ID: "service-one-selector", Text: "The image management service is found by CreationClassName alone.", Source: "libvirt, go-wsman", Evidence: Documented},
	{ID: "service-name", Text: "The Name of the image management service is vhdsvc.", Source: "reference of Msvm_ImageManagementService", Evidence: Documented},
	{ID: "invoke-without-selectors", Text: "Invoke on the service without selectors is refused with a fault.", Source: "seen on a real host", Evidence: Documented},
	{ID: "invoke-without-selectors-code", Text: "The code of that fault is 2147749935.", Source: "seen for a sibling of the service", Evidence: Open},
	{ID: "rights-to-invoke", Text: "An account that may read the service may also call its methods.", Source: "MS-WSMV 3.1.4.1.28 asks for another right", Evidence: Open},
	{ID: "access-denied-code", Text: "A refusal for lack of rights carries one of 5, 2147942405, 2147749891, 2150859012, 2150859013 and 2150859014.", Source: "wsmerror.h", Evidence: Open},
	{ID: "dead-job", Text: "Get of a job that does not exist is answered with DestinationUnreachable and 2150858752.", Source: "recorded", Evidence: Documented},
	{ID: "find-mounted-nothing", Text: "FindMountedStorageImageInstance returns 32789 for a disk that is not attached.", Source: "reference of FindMountedStorageImageInstance", Evidence: Documented},
	{ID: "missing-file-value", Text: "An inspection of a missing file ends with 32779, as a return value or as the ErrorCode of a job.", Source: "reference of CompactVirtualHardDisk", Evidence: Inferred},
	{ID: "missing-file-way", Text: "A missing file is reported by the return value, not by a job.", Source: "none", Evidence: Open},
	{ID: "inspection-immediate", Text: "The inspection calls return 0 with the instance at once.", Source: "recorded", Evidence: Inferred},
	{ID: "inspection-after-job", Text: "When an inspection call starts a job, the same call after its end returns the instance.", Source: "none", Evidence: Open},
	{ID: "inspection-properties", Text: "The inspection calls return FileSize, MaxInternalSize and Type.", Source: "reference of the embedded classes", Evidence: Documented},
	{ID: "file-classes-get-by-name", Text: "Win32_Directory and CIM_DataFile answer a Get by Name for a directory and a file that exist.", Source: "local use", Evidence: Open},
	{ID: "file-class-absent-file", Text: "Get of a CIM_DataFile that does not exist is answered with 2150858752 or 2147749890.", Source: "as for other classes", Evidence: Open},
	{ID: "file-class-letter-case", Text: "The file classes write names in lower case, whatever was asked for.", Source: "local use", Evidence: Open},
	{ID: "file-classes-local-drives", Text: "The file classes know no path behind a share.", Source: "local use", Evidence: Open},
	{ID: "directory-junctions", Text: `Win32_Directory lists junctions, such as C:\Documents and Settings.`, Source: "none", Evidence: Open},
	{ID: "service-system-name", Text: "SystemName of the image management service is the name of the computer.", Source: "reference of Msvm_ImageManagementService", Evidence: Documented},
	{ID: "own-computer-system", Text: "An enumeration of Msvm_ComputerSystem lists the host itself, for an account that may see machines.", Source: "recorded", Evidence: Documented},
	{ID: "storage-jobs-of-other-users", Text: "An enumeration of Msvm_StorageJob lists the jobs of every user.", Source: "none", Evidence: Open},
}

// machines holds the claims about virtual machines; they are asked of a host that has some for this
// purpose.
var machines = []Claim{
	{ID: "state-number-running", Text: "EnabledState of a running machine is 2.", Source: "recorded", Evidence: Documented},
	{ID: "state-number-off", Text: "EnabledState of a machine that is off is 3.", Source: "recorded", Evidence: Documented},
	{ID: "state-number-saved", Text: "EnabledState of a saved machine is 6 in the newer generation.", Source: "recorded; the reference names 32769 too", Evidence: Documented},
	{ID: "state-number-paused", Text: "EnabledState of a paused machine is 9 in the newer generation.", Source: "recorded; the reference names 32768 too", Evidence: Documented},
	{ID: "machine-disk-named", Text: "HostResource of Msvm_StorageAllocationSettingData names the disk of a machine, and its InstanceID begins with that of the settings.", Source: "reference of Msvm_StorageAllocationSettingData", Evidence: Documented},
	{ID: "checkpoint-kind", Text: "The settings of a machine have the VirtualSystemType Microsoft:Hyper-V:System:Realized, those of its checkpoint Microsoft:Hyper-V:Snapshot:Realized.", Source: "reference of Msvm_VirtualSystemSettingData", Evidence: Documented},
	{ID: "checkpoint-disks", Text: "A checkpoint names the disk from before, and its machine a differencing disk that has it as its parent.", Source: "Hyper-V Manager", Evidence: Inferred},
	{ID: "replication-mode-none", Text: "ReplicationMode of a machine that is not replicated is 0.", Source: "recorded", Evidence: Documented},
	{ID: "notes-unset", Text: "Notes of a machine that has none are null or empty.", Source: "reference of Msvm_VirtualSystemSettingData", Evidence: Open},
	{ID: "inspect-running", Text: "The disk of a running machine can be inspected on its own host.", Source: "Get-VHD", Evidence: Inferred},
	{ID: "inspect-saved", Text: "The disk of a saved machine can be inspected.", Source: "Get-VHD", Evidence: Inferred},
	{ID: "compact-running", Text: "The compaction of the disk of a running machine is refused with 32774, or by a job that fails with 0x80070020.", Source: "seen in the field", Evidence: Documented},
}

// scratch holds the claims about changes to disks; they are asked with disks
// that the conformance kit makes and removes.
var scratch = []Claim{
	{ID: "create-disk", Text: "A disk is created by the image management service; afterwards it can be inspected.", Source: "reference of CreateVirtualHardDisk", Evidence: Documented},
	{ID: "create-existing", Text: "Creating a disk over a file that exists fails with 32768 and 0x80070050, by a job.", Source: "none", Evidence: Open},
	{ID: "delete-file", Text: "CIM_DataFile.Delete removes a file and returns 0.", Source: "reference of CIM_DataFile", Evidence: Documented},
	{ID: "delete-in-use", Text: "CIM_DataFile.Delete of an attached disk returns 15.", Source: "reference of CIM_DataFile", Evidence: Open},
	{ID: "job-reference-form", Text: "The reference to a job has no EndpointReference element and names Msvm_StorageJob and InstanceID.", Source: "recorded", Evidence: Documented},
	{ID: "job-type-compaction", Text: "The job of a compaction has JobType 3, or Type 3 in the older generation.", Source: "reference of Msvm_StorageJob", Evidence: Documented},
	{ID: "job-record-kept", Text: "TimeBeforeRemoval of a job is five minutes.", Source: "reference of Msvm_StorageJob", Evidence: Documented},
	{ID: "job-start-time", Text: "StartTime of a storage job and the times of Win32_OperatingSystem are by one clock and name their offset from UTC: the job began after LastBootUpTime, and as long before LocalDateTime as it was asked for.", Source: "none", Evidence: Open},
	{ID: "job-wrong-class", Text: "Get of a storage job as Msvm_ConcreteJob is answered with DestinationUnreachable.", Source: "go-wsman", Evidence: Documented},
	{ID: "storage-job-enumeration", Text: "An enumeration of Msvm_StorageJob lists the job of a compaction.", Source: "none", Evidence: Open},
	{ID: "storage-job-wql", Text: "WQL about Msvm_StorageJob finds the job of a compaction by its JobType.", Source: "none", Evidence: Open},
	{ID: "affected-element", Text: "Msvm_AffectedStorageJobElement links the job of a compaction to the image management service.", Source: "none", Evidence: Open},
	{ID: "compact-output", Text: "A compaction answers 4096 with a job, or 0 without one.", Source: "reference of CompactVirtualHardDisk", Evidence: Documented},
	{ID: "compact-detached", Text: "A detached dynamic VHDX is compacted in the modes 0, 1, 3 and 4.", Source: "reference of Optimize-VHD", Evidence: Documented},
	{ID: "compact-detached-retrim", Text: "Mode 2 of a detached disk is refused with 32775, or by a job that fails with 0xC03A001C.", Source: "reference of Optimize-VHD, without the code", Evidence: Inferred},
	{ID: "compact-attached-read-only", Text: "A dynamic VHDX that is attached read-only is compacted in the modes 0 to 4.", Source: "reference of Optimize-VHD", Evidence: Documented},
	{ID: "compact-vhd-full", Text: "A detached dynamic VHD is compacted in mode 0, or without a mode in the older generation.", Source: "Hyper-V Manager", Evidence: Inferred},
	{ID: "compact-fixed-vhd", Text: "A fixed VHD is refused by a job that fails with 32770 and 0xC03A001B.", Source: "none", Evidence: Open},
	{ID: "compact-fixed-vhdx", Text: "The compaction of a fixed VHDX succeeds without effect.", Source: "reference of CompactVirtualHardDisk", Evidence: Inferred},
	{ID: "compact-without-mode", Text: "A compaction without a mode is refused with 32773.", Source: "none", Evidence: Open},
	{ID: "compact-unknown-mode", Text: "A compaction in mode 99 is refused with 32773.", Source: "none", Evidence: Open},
	{ID: "compact-missing-file", Text: "The compaction of a missing file ends with 32779.", Source: "reference of CompactVirtualHardDisk", Evidence: Inferred},
	{ID: "compact-in-use", Text: "A disk that is attached with write access is refused with 32774, or by a job that fails with 0x80070020.", Source: "seen in the field", Evidence: Documented},
	{ID: "refusal-way", Text: "A disk in use is refused by the return value, not by a job.", Source: "none", Evidence: Open},
	{ID: "compact-twice", Text: "A second compaction of a disk while the first runs is refused with 32774, or by a job that fails with 0x80070020.", Source: "one writer at a time", Evidence: Inferred},
	{ID: "inspect-compacting", Text: "A disk can be inspected while a compaction works on it.", Source: "none", Evidence: Open},
	{ID: "cancel-answer", Text: "RequestStateChange 4 of a running compaction returns 0 or 4096.", Source: "reference of RequestStateChange", Evidence: Open},
	{ID: "cancelled-state", Text: "A cancelled compaction ends in JobState 8.", Source: "reference of Msvm_StorageJob", Evidence: Open},
	{ID: "cancelled-disk-opens", Text: "A disk can be inspected after its compaction was cancelled.", Source: "reference of CompactVirtualDisk", Evidence: Documented},
	{ID: "state-change-ended-job", Text: "RequestStateChange 4 of a job that has ended returns 4097.", Source: "reference of CIM_ConcreteJob", Evidence: Open},
	{ID: "attach-listed", Text: "A disk that is attached read-only without a drive letter is listed by Msvm_MountedStorageImage with Access 1.", Source: "reference of Msvm_MountedStorageImage", Evidence: Documented},
	{ID: "find-mounted", Text: "FindMountedStorageImageInstance finds an attached disk by its path.", Source: "reference of FindMountedStorageImageInstance", Evidence: Documented},
	{ID: "attach-attached", Text: "Attaching a disk that is attached is refused with 32774, or by a job that fails with 0x80070020.", Source: "none", Evidence: Open},
	{ID: "detach", Text: "DetachVirtualHardDisk returns 0, and the disk is no longer listed.", Source: "reference of Msvm_MountedStorageImage", Evidence: Documented},
	{ID: "job-owner", Text: `Owner of a storage job is the account that started it, as DOMAIN\user or COMPUTER\user.`, Source: "recorded", Evidence: Documented},
	{ID: "inspect-attached", Text: "A disk that is attached to the host read-only can be inspected.", Source: "Get-VHD", Evidence: Inferred},
	{ID: "attached-lun-order", Text: "A second disk is attached to the same bus and target as the first, at a higher LUN.", Source: "none", Evidence: Open},
}

// outOfReach holds the claims that the kit cannot ask a host about.
var outOfReach = []Claim{
	{ID: "kerberos-ec-rotation", Text: "With filler, a Kerberos wrap token is rotated by EC as well.", Source: "RFC 4121 and clients", Evidence: Open, Untestable: "a host decides by itself when it pads"},
	{ID: "upcase-table", Text: "File names are equal by the upper-case table that this project has.", Source: "NTFS", Evidence: Open, Untestable: "it would take a file for every character"},
	{ID: "state-change-not-cancellable", Text: "RequestStateChange 4 of a job that cannot be cancelled returns 4.", Source: "none", Evidence: Open, Untestable: "no harmless job is known that cannot be cancelled"},
}
