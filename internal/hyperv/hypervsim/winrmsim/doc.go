// Package winrmsim is the wire half of a simulated Hyper-V host: a WinRM service
// that authenticates, unseals, decodes strictly, asks a [wmi.Model], and answers
// as Windows does. It knows no disks and no machines.
//
// It shares no code with the client: it decodes, encodes, authenticates and
// seals on its own, so that a mistake has to be made twice to go unnoticed. A
// [Rule] makes it misbehave, in a deterministic way; [Server.Requests]
// lists what reached it.
//
// # Where the behaviour comes from
//
// The kinds of evidence are those of package hypervsim.
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
//     (kerberos-raw-token, ntlm-suffix-domain), so Config.NoRawKerberos and
//     Config.NoPrincipalNames refuse them.
//   - Channel binding: missing passes unless strict, wrong never does: inferred
//     from the names of the levels.
//   - Client certificates are asked for in the TLS handshake; http.sys asks after
//     the request. CredSSP and Digest do not exist.
//   - An account that is let in may do everything, unless its [Account] lacks
//     the
//     rights of the service, or sees nothing in a namespace; which account gets
//     which
//     refusal: unverified (rights-remote-management, rights-hyper-v). A [Rule]
//     plays another refusal.
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
//     REFERENCES OF, ISA and event queries are refused as invalid, and so are
//     more than 64 groups and NOTs within one another, a bound of its own.
//   - Base classes do not return the instances of their subclasses.
//
// Quotas: an open enumeration is an operation of its user. The number, 15, and
// the fault of Windows Server 2008 are recorded, the fault of later ones is from
// wsmerror.h and MS-WSMV 3.1.4.1.34.3.1; the effective number there: unverified
// (plug-in-quota).
//
// Too large an answer: a fault, and after a method UnreportableSuccess
// (wsmerror.h); which of the codes comes when: unverified (too-large-code).
package winrmsim
