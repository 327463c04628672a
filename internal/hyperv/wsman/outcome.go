package wsman

import (
	"errors"
	"net/http"
)

// Refused reports whether err, which an [Invocation] that changes something
// failed with, proves that the host did not carry the request out and that
// nothing of it runs. There are three proofs:
//
//   - The message never went out: there was no connection, the logon or the
//     confirmation of the connection failed, or the caller gave up before then.
//   - A fault came over a channel that vouches for it, the seal or verified TLS,
//     and all its numbers are those of a refusal, see [FaultCodes].
//   - A status of 400 to 499 without a fault came over such a channel. On a
//     sealed http connection nothing vouches for a bare status: an attacker on
//     the way can forge a 401 after the host has acted.
//
// Every other error of such a request is an [OutcomeError]. Refused is false
// for the error of a read.
func Refused(err error) bool {
	op, ok := errors.AsType[*OpError](err)
	return ok && op.refused
}

// settle classifies the error of a request: if it changes something and its
// message went out, the outcome is unknown unless the answer proves a refusal.
func (r request) settle(a answer, err error) error {
	if err == nil || !r.effectful || !a.written || refuses(err) {
		return err
	}
	return &OutcomeError{Err: err}
}

// refuses reports whether an answer proves a refusal.
func refuses(err error) bool {
	if status, ok := errors.AsType[*HTTPError](err); ok {
		return status.vouched && status.Status >= http.StatusBadRequest && status.Status < http.StatusInternalServerError
	}
	if auth, ok := errors.AsType[*AuthError](err); ok {
		return auth.vouched
	}
	fault, ok := errors.AsType[*Fault](err)
	return ok && fault.Refused()
}
