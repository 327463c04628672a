// Package attack holds tests of the client against somebody between it and the host:
// who reads and changes what passes on plain http, and who answers TLS with a
// certificate of his own. Whatever he does, no message may reach him in the clear, no
// answer of his may be believed, and nothing may be done twice.
package attack
