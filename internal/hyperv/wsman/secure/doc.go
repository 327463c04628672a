// Package secure holds the client half of the security contexts that WinRM
// uses, NTLMv2 and Kerberos 5, and the form in which they seal a message.
//
// A context belongs to exactly one connection. It either seals with
// confidentiality and integrity or is refused: nothing here falls back to a
// weaker context or to none.
package secure
