package secure

import (
	"errors"
	"fmt"
)

// Errors of the logon of the current user of Windows, for [errors.Is].
var (
	// ErrNotWindows says that this system has no such logon.
	ErrNotWindows = errors.New("only Windows has a logon of the current user")
	// ErrContextEnded says that a security context has expired with the ticket beneath it. A new
	// context can take its place.
	ErrContextEnded = errors.New("the security context has run out")
)

// Statuses of the security packages (winerror.h) on which this package itself decides.
const (
	statusInvalidToken   = 0x80090308 // SEC_E_INVALID_TOKEN
	statusLogonDenied    = 0x8009030C // SEC_E_LOGON_DENIED
	statusNoCredentials  = 0x8009030E // SEC_E_NO_CREDENTIALS
	statusContextExpired = 0x80090317 // SEC_E_CONTEXT_EXPIRED
	statusWrongPrincipal = 0x80090322 // SEC_E_WRONG_PRINCIPAL
	statusTimeSkew       = 0x80090324 // SEC_E_TIME_SKEW
)

// SSPIError is the status with which a function of the security packages of Windows failed. The
// texts of statuses depend on the language of the system; the number does not.
type SSPIError struct {
	// Function is the function that was called.
	Function string
	// Status is the status that it returned.
	Status uint32
}

// Error names the function and its status.
func (e *SSPIError) Error() string { return fmt.Sprintf("%s: status 0x%08X", e.Function, e.Status) }

// Is matches the errors of this package that the status stands for.
func (e *SSPIError) Is(target error) bool {
	switch e.Status {
	case statusLogonDenied, statusNoCredentials, statusWrongPrincipal:
		return target == ErrRejected
	case statusInvalidToken:
		return target == ErrMalformed
	case statusContextExpired:
		return target == ErrContextEnded
	case statusTimeSkew:
		return target == ErrClockSkew
	}
	return false
}

// madeHandle reports whether the first step of a context that ended with a status has
// left a handle behind. Only errors leave none; a status such as SEC_I_COMPLETE_NEEDED,
// which no package gives a client today, is no error.
func madeHandle(status uint32) bool {
	const failure = 1 << 31
	return status&failure == 0
}
