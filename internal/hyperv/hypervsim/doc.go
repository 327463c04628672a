// Package hypervsim is a simulated Hyper-V host: a WinRM endpoint in front of
// the WMI classes that compaction needs, for tests, for demonstrations, and for
// trying a configuration out without Windows.
//
// [RunT] starts a host for a test; [New] and [Host.Start] start one elsewhere.
// Disks, virtual machines and files are arranged and looked at with the methods
// of [Host], without the protocol. [Host.AddRule] makes the host misbehave, in a
// deterministic way; [Host.Requests] lists what reached it. With
// [WithoutListener] and [Host.Dial] client and host live in one
// testing/synctest bubble, where a job of hours takes no time.
//
// # Others at work
//
// A second process is a second [Host.DialAs], or [Host.ListenAs] over a socket: what each of them
// does is recorded under its name, even if both use one account. A colleague at the host itself is
// a [Console]. [RunClusterT] starts several nodes with common volumes and a name that moves; in a
// [Network], names lead to any hosts. [Late] begins the work of a request after its answer,
// [Host.Restart] takes away jobs, attachments and their addresses.
//
// The oracle ([Host.Violations]) judges what clients do to each other and to the
// disks; [Host.Check] compares what a client claims with the facts. RunT asks the
// oracle when the test ends. A test that expects violations takes them
// ([Host.TakeViolations]).
//
// # The parts
//
// This package is the world: disks, attachments, jobs, machines and files. The
// wire in front of it is package winrmsim, whose documentation says where HTTP,
// authentication, messages and enumerations come from; what the two halves pass
// to each other is package wmi. None of the three shares code with the client.
//
// # Where the behaviour comes from
//
// Specification: MS-WSMV, DSP0226, MS-NLMP, MS-SPNG, RFC 4121, RFC 4178, RFC
// 5929, wsmerror.h and the reference of the Hyper-V WMI provider. Recorded:
// answers of real hosts, which the tests rebuild to the byte where they are at
// hand. Unverified: supported by plausibility alone; the claim in parentheses
// is one of package claims, and the code names it at that spot with the words
// "Unverified on a real host".
//
// Hyper-V:
//   - Methods, parameters, properties, return values, HRESULTs and job states of
//     both generations: documented. A job's properties, their order and which
//     are null: recorded. [Release] says what came with which Windows.
//   - Modes: Full and Quick fall back without a read-only attachment, Retrim
//     demands one (documented). How much a mode reclaims is up to the [VHD].
//   - A disk in use is refused with 32774 and 0x80070020, a compressed file with
//     32768 and 0xC03A001A: reported from real hosts. Whether a refusal is a
//     return value or a failed job: unverified (refusal-way, missing-file-way), so
//     [Via] can choose. That inspections need no job: recorded; what comes after
//     one that did: unverified (inspection-after-job), see VHD.InspectionJobs.
//   - Codes for fixed VHD files, for a missing mode, for an attachment of an
//     attached disk, and RequestStateChange of a finished job: unverified
//     (compact-fixed-vhd, compact-without-mode, attach-attached,
//     state-change-ended-job).
//   - Creating disks of numbers, dynamic and fixed: documented. The codes for a
//     file that exists, and deletion of a file in use: unverified
//     (create-existing, delete-in-use).
//   - A job's record lives for five minutes (documented). A restart of the
//     service loses all jobs: inferred. A cancelled compaction keeps what it
//     reclaimed: documented for the API below.
//   - Detaching during a compaction makes it fail: documented for that API.
//   - Machines: which settings name which disk is documented; that a disk of a
//     running machine and its parents cannot be opened for compaction: inferred.
//   - root\virtualization keeps the path of a disk in Connection, mounts for
//     writing only, and its jobs cannot be cancelled: documented.
//
// Names, attachments and restarts:
//   - Short names, shares, \\?\Volume{GUID}\ and mount points name one file
//     (documented for Windows). That the service finds a disk in use under every
//     name, and opens a UNC path to its own host: unverified (unc-to-itself).
//   - Under which name an attached disk is listed: unverified (attachment-name),
//     so [WithAttachmentNames] can choose.
//   - The lowest free address is given to the next attachment: inferred
//     (address-reuse). Attachments outlive the service and end with Windows:
//     inferred (attachments-after-restart).
//   - Which MSFT_Disk an attachment is, and that AccessPaths of its partitions
//     hold letters and folders: unverified (attached-device-path,
//     partition-access-paths).
//   - That work begins after its request was answered by a time-out: unverified
//     (late-job).
//
// Clusters: the classes and properties of root\MSCluster are documented; no
// answer of them over WS-Management is recorded. That a file that one node has
// open cannot be read on another is reported of running machines, the numbers
// are not: inferred (read-on-other-node). Everything else about clusters is
// inferred: the name leads to one node under the node's own SystemName; jobs and
// attachments are their node's alone; a volume without access keeps its
// directory. Live migration moves a machine at once.
//
// Machines and accounts: values of VirtualSystemType, ReplicationMode and
// ReplicationState are documented. That an account without rights gets empty
// lists without the host itself: unverified (machines-hidden-from-account). The
// code of a denied namespace: wsmerror.h.
//
// Volumes: the entries of Win32_Volume and Win32_MountPoint while a mounted
// volume is offline: unverified (mount-point-offline). Cluster shared volumes
// are in neither.
//
// Parents: a child whose parent is not there cannot be opened; a child whose parent is merely
// closed to the service can: inferred. The status of a share that is not there: unverified
// (unreachable-share-code).
//
// Files: Win32_Directory and CIM_DataFile know local drives only and write names
// in lower case: unverified (file-classes-local-drives,
// file-class-letter-case). CIM_DataFile lists virtual hard disks, nothing else.
// Win32_Share lists ADMIN$, which every Windows has (documented), nothing else.
//
// Real disks ([WithFolder]): dynamic VHD and VHDX files are read from their own
// headers and compacted by qemu-img into a copy, which replaces the file when
// qemu-img has checked it and found the same content, and when the file was not
// written to meanwhile. Only zero blocks vanish: no file system is looked at, so
// modes make no difference. Differencing disks, sectors other than 512 bytes and
// VHD files with blocks other than 2 MiB are refused. Attaching a real disk
// attaches nothing on this machine.
//
// Not modelled: differencing disks that are created, creation in real folders,
// resizing, converting and merging disks, VHD Sets, pass-through disks, the
// resources and groups of a cluster, the work of Hyper-V Replica, change
// tracking, and what a guest does.
package hypervsim
