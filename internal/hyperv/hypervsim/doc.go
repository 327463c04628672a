// Package hypervsim is a simulated Hyper-V host: a WinRM endpoint in front of
// the WMI classes that compaction needs, for tests, for demonstrations, and for
// trying a configuration out without Windows.
//
// [RunT] starts a host for a test; [New] and [Host.Start] start one elsewhere.
// Disks, virtual machines and files are arranged and looked at with the methods
// of [Host], without the protocol. [Host.AddRule] makes the host misbehave, in a
// deterministic way; [Host.Requests] tells what reached it. With
// [WithoutListener] and [Host.Dial] client and host live in one
// testing/synctest bubble, where a job of hours takes no time.
//
// The host shares no code with the client: it decodes, encodes, authenticates
// and seals on its own, so that a mistake has to be made twice to go unnoticed.
//
// # Where the behaviour comes from
//
// Specification: MS-WSMV, DSP0226, MS-NLMP, MS-SPNG, RFC 4121, RFC 4178, RFC
// 5929, wsmerror.h and the reference of the Hyper-V WMI provider. Recorded:
// answers of real hosts, which the tests rebuild to the byte where they are at
// hand. Unverified: nothing but plausibility; the claim in parentheses is one
// of package claims, and the code names it at the spot with the words
// "Unverified on a real host".
//
// HTTP and connections:
//   - POST to /wsman only; 401 with the schemes; 413 above MaxEnvelopeSizekb:
//     specification (MS-WSMV 3.1.4.1.20).
//   - 404, 405, 415 and 400 for a broken seal, 411 for a chunked request:
//     unverified (http-unknown-path, http-other-method, http-media-type,
//     broken-seal-status, chunked-request).
//   - An unsealed message without TLS is refused (MS-WSMV 3.1.4.1.29.1); that the
//     answer is an empty 500: unverified (unsealed-refused-status).
//   - An idle connection is closed after 120 s: unverified (idle-connection).
//   - Identify without a logon hides the version: specification (3.1.4.1.23).
//
// Authentication:
//   - NTLMv2 with sealing, MIC checked when announced; raw and in SPNEGO, there
//     with mechListMIC and the restart of the key streams (MS-SPNG 3.3.5.1); raw
//     and SPNEGO Kerberos under Negotiate and under Kerberos: specification, and
//     the form of clients that are in use with real hosts. Windows also takes
//     contexts without sealing; this host does not. That Kerberos is taken raw,
//     and that NTLM finds the domain of user@suffix: unverified
//     (kerberos-raw-token, ntlm-suffix-domain), so [WithoutRawKerberos] and
//     [WithoutPrincipalNames] refuse them.
//   - Channel binding: missing passes unless strict, wrong never does: inferred
//     from the names of the levels.
//   - Client certificates are asked for in the TLS handshake; http.sys asks after
//     the request. CredSSP and Digest do not exist. Accounts have no rights: who
//     is let in may do everything; a [Rule] plays a refusal.
//   - A Kerberos authenticator may be presented twice; there is no replay cache.
//
// Messages:
//   - Headers, selectors, limits and their faults: MS-WSMV 3.1.4.1 and
//     wsmerror.h. Which fault answers XML that is not well-formed or a malformed
//     duration: unverified (malformed-xml-fault, malformed-duration-fault).
//   - Locale is accepted and has no effect: texts are in the language of the
//     host, as recorded without the header. That a host without the asked
//     language behaves so: unverified (locale-without-effect). The texts are this package's own.
//   - The order of different input parameters does not matter, their spelling
//     does (documented); an input element in another namespace, a reference in a
//     wrapper, and an instance as elements are refused (reported).
//   - Invoke with the one selector CreationClassName, and the refusal without
//     any: reported from real hosts; the code of the refusal: unverified
//     (invoke-without-selectors-code).
//   - Clients that use the DMTF form of resource URIs get references in that
//     form (MS-WSMV note 46).
//   - A class that is missing: recorded for WQL and for Get. A namespace that is
//     missing: unverified (missing-namespace-codes, missing-namespace-wmi-code).
//   - FragmentTransfer, Put, Create, Delete, Subscribe and shells are refused.
//     Keep-alives of robust connections are never sent. OperationTimeout is
//     checked but nothing takes that long; a [Rule] plays the fault.
//
// Enumerations:
//   - Empty context in a complete optimized answer, items in two namespaces, one
//     item by default, one-item first page, contexts that change: recorded.
//   - Expiry after 240 s: recorded configuration. Pull with other limits than
//     Enumerate: wsmerror.h; which limits count exactly: unverified
//     (pull-other-limits).
//   - WQL: SELECT with AND, OR, NOT, LIKE and comparisons. ASSOCIATORS OF,
//     REFERENCES OF, ISA and event queries are refused as invalid.
//   - Base classes do not return the instances of their subclasses.
//
// Quotas: an open enumeration is an operation of its user. The number, 15, and
// the fault of Windows Server 2008 are recorded, the fault of later ones is from
// wsmerror.h and MS-WSMV 3.1.4.1.34.3.1; the effective number there: unverified
// (plug-in-quota).
//
// Too large an answer: a fault, and after a method UnreportableSuccess
// (wsmerror.h); which of the codes comes when: unverified (too-large-code).
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
// Files: Win32_Directory and CIM_DataFile know local drives only and write names
// in lower case: unverified (file-classes-local-drives,
// file-class-letter-case). CIM_DataFile lists virtual hard disks, nothing else.
// Win32_Share lists ADMIN$, which every Windows has (documented), nothing else.
//
// Real disks ([WithFolder]): dynamic VHD and VHDX files are read from their own
// headers and compacted by qemu-img into a copy, which replaces the file when
// qemu-img has checked it and found the same content, and when nobody wrote to
// the file meanwhile. Only zero blocks vanish: no file system is looked at, so
// modes make no difference. Differencing disks, sectors other than 512 bytes and
// VHD files with blocks other than 2 MiB are refused. Attaching a real disk
// attaches nothing on this machine.
//
// Not modelled: differencing disks that are created, creation in real folders,
// resizing, converting and merging disks, VHD Sets,
// pass-through disks, clusters, Hyper-V Replica, change tracking, and what a
// guest does.
package hypervsim
