// Package conformance asks a Hyper-V host about the claims of package claims
// and records the answers.
//
// The first part only reads: harmless requests, some of them wrong on purpose.
// The second part, on demand, works on virtual hard disks that it creates in a
// directory of the user's choice and removes again, whatever happens meanwhile.
// Names, addresses, paths and identifiers are replaced before anything is
// written, and the files are searched for them afterwards.
package conformance
