package secure

import (
	"encoding/binary"
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

// Attributes that are requested of a context with ISC_REQ_, and reported with ISC_RET_ (sspi.h).
const (
	contextMutual    = 0x2
	contextReplay    = 0x4
	contextSequence  = 0x8
	contextSeals     = 0x10
	contextIntegrity = 0x10000

	contextSafe = contextReplay | contextSequence | contextSeals | contextIntegrity
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

// channelBindings returns SEC_CHANNEL_BINDINGS (sspi.h) with binding as its application data and no
// addresses: eight numbers, the last two of which say how long the data is and where it begins.
func channelBindings(binding []byte) []byte {
	if binding == nil {
		return nil
	}
	const head = 32
	b := make([]byte, head, head+len(binding))
	binary.LittleEndian.PutUint32(b[24:], uint32(len(binding))) //nolint:gosec // prefix and hash: at most 85 bytes
	binary.LittleEndian.PutUint32(b[28:], head)
	return append(b, binding...)
}

// sufficient returns an error unless a context has the needed attributes. If it is Kerberos, the
// host must have proven its identity, too; NTLM never proves that, whatever the attribute says.
func sufficient(attributes, needed uint32, securityPackage string) error {
	if securityPackage == "Kerberos" {
		needed |= contextMutual
	}
	if attributes&needed != needed {
		return fmt.Errorf("%w: attributes %#x", ErrWeakContext, attributes)
	}
	return nil
}
