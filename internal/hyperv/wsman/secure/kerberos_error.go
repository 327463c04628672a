package secure

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-krb5/krb5/iana/errorcode"
	"github.com/go-krb5/krb5/messages"
)

// Errors of Kerberos, for [errors.Is].
var (
	// ErrClockSkew: the clocks of this machine and of the KDC or the host differ by
	// more than Kerberos allows.
	ErrClockSkew = errors.New("clocks differ by more than Kerberos allows")
	// ErrTicketExpired: the ticket cache holds no ticket that is still valid.
	ErrTicketExpired = errors.New("no valid Kerberos ticket in the cache")
	// ErrNoAES: the user, the service or the ticket has no AES key. RC4 and DES are not used.
	ErrNoAES = errors.New("no AES key; older kinds of keys are not used")
	// ErrNoKDC: no key distribution center of the realm was found or answered.
	ErrNoKDC = errors.New("no KDC answers")
)

// KDCError is an error message of a KDC, or of the host about a ticket (RFC
// 4120 5.9.1). It is not authenticated.
type KDCError struct {
	// Code of the error, RFC 4120 7.5.9.
	Code int32
	// Name of the code, as KDC_ERR_PREAUTH_FAILED.
	Name string
	// Realm that was asked.
	Realm string
	// SPN that a ticket was asked for.
	SPN string

	data []byte // e-data: the preauthentication that the KDC wants
}

// Error names the code, and what to do about the commonest ones.
func (e *KDCError) Error() string {
	s := fmt.Sprintf("Kerberos error %d %s, realm %s, service %s", e.Code, e.Name, e.Realm, e.SPN)
	if hint := kdcHints[e.Code]; hint != "" {
		s += ": " + hint
	}
	return s
}

// Is matches the errors of this package that the code stands for.
func (e *KDCError) Is(target error) bool {
	switch target {
	case ErrRejected:
		return e.badCredentials()
	case ErrClockSkew:
		return e.Code == errorcode.KRB_AP_ERR_SKEW
	case ErrTicketExpired:
		return e.Code == errorcode.KRB_AP_ERR_TKT_EXPIRED
	}
	return false
}

// badCredentials reports whether asking again with the same secret will fail again, and may lock
// the account.
func (e *KDCError) badCredentials() bool {
	switch e.Code {
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, errorcode.KDC_ERR_CLIENT_REVOKED,
		errorcode.KDC_ERR_KEY_EXPIRED, errorcode.KDC_ERR_PREAUTH_FAILED:
		return true
	}
	return false
}

var kdcHints = map[int32]string{
	errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN: "the realm does not know the user",
	errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN: "the realm does not know the service; use the host's full name, or set the SPN",
	errorcode.KDC_ERR_ETYPE_NOSUPP:        "the account has no AES key",
	errorcode.KDC_ERR_CLIENT_REVOKED:      "the account is disabled, expired or locked out",
	errorcode.KDC_ERR_KEY_EXPIRED:         "the password has expired",
	errorcode.KDC_ERR_PREAUTH_FAILED:      "wrong password, or a key table that is out of date",
	errorcode.KRB_AP_ERR_SKEW:             "set the clock of this machine",
	errorcode.KRB_AP_ERR_MODIFIED:         "the host does not hold the key of the service; the SPN may belong to another account",
	errorcode.KDC_ERR_WRONG_REALM:         "the user belongs to another realm",
}

// parseKDCError reads a KRB-ERROR. The error is a *KDCError unless b is something else.
func parseKDCError(b []byte, realm, spn string) error {
	var m messages.KRBError
	if err := m.Unmarshal(b); err != nil {
		return fmt.Errorf("%w: KRB-ERROR", ErrMalformed)
	}
	return &KDCError{Code: m.ErrorCode, Name: kdcErrorName(m.ErrorCode), Realm: realm, SPN: spn, data: m.EData}
}

// kdcErrorName cuts the name out of "(24) KDC_ERR_PREAUTH_FAILED Pre-authentication ...".
func kdcErrorName(code int32) string {
	if words := strings.Fields(errorcode.Lookup(code)); len(words) > 1 && strings.HasPrefix(words[0], "(") {
		return words[1]
	}
	return "UNKNOWN"
}
