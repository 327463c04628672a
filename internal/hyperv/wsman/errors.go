package wsman

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// OpError adds to an error the operation that failed.
type OpError struct {
	// Op is get, invoke, enumerate, pull, release or identify.
	Op string
	// ResourceURI is the resource URI of the request; empty for identify.
	ResourceURI string
	// Method is the method of an invocation; empty for other operations.
	Method string
	// Err is the cause.
	Err error

	refused bool // see Refused
}

// Error implements error: the cause first, what was asked for last.
func (e *OpError) Error() string {
	subject := e.ResourceURI
	if _, class, ok := cim.SplitResourceURI(e.ResourceURI); ok {
		subject = class
	}
	if e.Method != "" {
		subject += "." + e.Method
	}
	return e.Err.Error() + " (" + strings.TrimSpace(e.Op+" "+subject) + ")"
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// OutcomeError says that a request that changes something went out and that no
// trustworthy answer proves that the host refused it: the host may have carried
// it out. See [Refused].
type OutcomeError struct{ Err error }

// Error implements error.
func (e *OutcomeError) Error() string {
	return "the host may have carried the request out: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OutcomeError) Unwrap() error { return e.Err }

// ConfirmError says that a connection could not be confirmed, see
// [Confirmation], so that the request that needed it never went out.
type ConfirmError struct{ Err error }

// Error implements error.
func (e *ConfirmError) Error() string { return "confirm the connection: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ConfirmError) Unwrap() error { return e.Err }

// NodeError says that the connections to a host lead to a node other than the
// one that a request is for, see [ExpectNode]. The request did not go out.
type NodeError struct {
	// Want is the node that was expected.
	Want string
	// Got is the node that the connection leads to, empty if the host did not
	// name it.
	Got string
}

// Error implements error.
func (e *NodeError) Error() string {
	if e.Got == "" {
		return "the host does not tell its node, expected " + e.Want
	}
	return "the host is node " + e.Got + " now, expected " + e.Want
}

// UnreachableError says that no connection could be made, so nothing was asked.
type UnreachableError struct {
	// Address is the host and port.
	Address string
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	return "no connection to " + e.Address + ": " + dialFailure(e.Err).Error()
}

// dialFailure is a failure to dial without the address, which stands beside it,
// and without the names of calls.
func dialFailure(err error) error {
	op, ok := err.(*net.OpError) //nolint:errorlint // what wraps one says more
	if !ok {
		return err
	}
	if call, ok := op.Err.(*os.SyscallError); ok { //nolint:errorlint // as above
		return call.Err
	}
	return op.Err
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// ConnectionError says that a connection was made and then broke. For a read
// this is all there is to know; a request that changes something and was under
// way ends in an [OutcomeError] around it.
type ConnectionError struct {
	// Address is the host and port.
	Address string
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *ConnectionError) Error() string {
	return "connection to " + e.Address + " lost: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ConnectionError) Unwrap() error { return e.Err }

// ErrNoAnswer says that a connection was made and that the host did not answer within
// the time for one. It is wrapped by a [ConnectionError].
var ErrNoAnswer = errors.New("no answer")

// noAnswerError is an [ErrNoAnswer] that says how long the wait was.
type noAnswerError struct{ within time.Duration }

func (e *noAnswerError) Error() string { return "no answer within " + e.within.String() }

// Is: a time limit that is over is one to every caller.
func (e *noAnswerError) Is(target error) bool {
	return target == ErrNoAnswer || target == context.DeadlineExceeded
}

// Wrong protocols, wrapped by a [TLSError].
var (
	// ErrPlainHTTP: the port answers, but not in TLS.
	ErrPlainHTTP = errors.New("the port does not speak TLS; it may be the one for plain http")
	// ErrTLS: the port answers plain http in TLS.
	ErrTLS = errors.New("the port speaks TLS; it is one for https")
)

// Reasons why no TLS connection could be made, wrapped by a [TLSError].
var (
	// ErrTLSVersion: the host speaks no version that this client accepts.
	ErrTLSVersion = errors.New("the host speaks no TLS 1.2 or later")
	// ErrTLSCipher: the host accepts none of the cipher suites that this client
	// offers.
	ErrTLSCipher = errors.New("the host has no cipher suite in common with this program")
	// ErrUnknownAuthority: the certificate is not signed by an authority that
	// is trusted here.
	ErrUnknownAuthority = errors.New("the host's certificate is not signed by a trusted authority")
	// ErrWrongName: the certificate is for another host.
	ErrWrongName = errors.New("the host's certificate is for another name")
	// ErrExpired: the certificate is not valid now.
	ErrExpired = errors.New("the host's certificate has expired, or is not valid yet")
	// ErrShortKey: the key of the certificate is too short, whichever authority
	// signed it.
	ErrShortKey = errors.New("the key of the host's certificate is too short")
	// ErrTLSHandshake: this client does not accept a message of the host. For
	// example, its certificate may have a negative serial number.
	ErrTLSHandshake = errors.New("the TLS handshake failed")
)

// Ways in which a TLS handshake ends without a reason, wrapped by an
// [UnreachableError].
var (
	// ErrTLSClosed: the connection was reset or closed.
	ErrTLSClosed = errors.New("the connection was ended amid the TLS handshake")
	// ErrTLSTimeout: no answer came.
	ErrTLSTimeout = errors.New("the host accepts connections, but does not answer in TLS")
)

// TLSError says that a connection was made but that TLS over it failed: the
// certificate is not trusted or for another name, or the port does not speak
// what was expected. Nothing was asked.
type TLSError struct {
	// Address is the host and port.
	Address string
	// Expected is the name that the certificate had to be for.
	Expected string
	// Found lists the names that the certificate is for, if there was one.
	Found []string
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *TLSError) Error() string {
	if len(e.Found) == 0 || !errors.Is(e.Err, ErrWrongName) {
		return fmt.Sprintf("TLS with %s: %v", e.Address, e.Err)
	}
	return fmt.Sprintf("TLS with %s: certificate for %s, expected %s: %v", e.Address, strings.Join(e.Found, ", "), e.Expected, e.Err)
}

// Unwrap returns the cause.
func (e *TLSError) Unwrap() error { return e.Err }

// Reasons of an [AuthError], in addition to those of package secure.
var (
	// ErrSchemeNotOffered: the host does not offer the authentication scheme.
	ErrSchemeNotOffered = errors.New("the host does not offer this kind of authentication")
	// ErrContextRefused: the host no longer accepts a security context that it
	// had accepted before.
	ErrContextRefused = errors.New("the host no longer accepts the security context")
)

// AuthError says that the logon failed.
type AuthError struct {
	// Schemes are the authentication schemes that the host offers, as far as it
	// named them.
	Schemes []string
	// Err is the cause: secure.ErrRejected when the host refused the credentials.
	Err error
	// Again is the time from which a logon is tried again after a rejection, see [Account]; zero if
	// none is.
	Again time.Time
	// RejectedBy is the address of the host that rejected the credentials, if that was another host
	// and this one was not asked; see [Account].
	RejectedBy string

	vouched bool // a verified TLS connection says that it is from the host
}

// Error implements error.
func (e *AuthError) Error() string {
	text := "authentication: " + e.Err.Error()
	if e.RejectedBy != "" {
		text += "; that was " + e.RejectedBy + ", and nothing was sent to this host"
	}
	if len(e.Schemes) > 0 {
		text += " (the host offers " + strings.Join(e.Schemes, ", ") + ")"
	}
	if !e.Again.IsZero() {
		text += "; the next logon is tried at " + e.Again.Format(time.TimeOnly)
	}
	return text
}

// Unwrap returns the cause.
func (e *AuthError) Unwrap() error { return e.Err }

// HTTPError is an answer that holds no SOAP, or none that can be trusted.
type HTTPError struct {
	// Status is the HTTP status code.
	Status int

	vouched bool // the seal or a verified TLS connection says that it is from the host
}

// Error implements error.
func (e *HTTPError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("HTTP status %d %s", e.Status, http.StatusText(e.Status)))
}

// DecodeError says that an answer is not what the protocol defines.
type DecodeError struct{ Err error }

// Error implements error.
func (e *DecodeError) Error() string { return "malformed answer: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }
