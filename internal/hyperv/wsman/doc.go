// Package wsman is a WS-Management client for the WMI provider of Windows:
// Get, Enumerate, Invoke and Identify over authenticated connections.
//
// # Requests
//
// A request is an envelope of github.com/masterzen/winrm and goes out through
// that library's client with the transporter of this package, which carries the
// caller's context and the shared connections. The library never holds
// credentials.
//
// Requests follow MS-WSMV to the letter; answers are matched by namespace and
// local name, never by prefix, order or text.
//
// # Connections
//
// One connection carries one security context and one request at a time. On
// plain http, and on https whose certificate is not verified, every body is
// sealed in both directions; an answer in the clear is refused.
//
// # Repetition
//
// A request goes out again only if the host provably did not look at it, or if
// it is a read. An [Invocation] that is not ReadOnly and whose answer is lost
// ends in an [OutcomeError]: the host may have carried it out.
package wsman
