// Package attack holds tests of the client against an attacker between it and the host, who reads
// and changes messages on plain http, or answers TLS with another certificate. Whatever the
// attacker does, no message may be readable, no forged answer may be believed, and nothing may be
// done twice.
package attack
