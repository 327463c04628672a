package hyperv

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// Explanation holds what is known about an error.
type Explanation struct {
	// Code is the deciding number with its meaning; may be empty.
	Code string
	// Hint is one sentence about what an administrator can do on the host or the
	// network; may be empty.
	Hint string
	// Reasons say which settings of the caller may matter, the nearest first.
	Reasons []Reason
	// Brief is the cause in one line: Code, else the error without what was asked for.
	Brief string
	// HostWide says that every disk of this host would fail the same way.
	HostWide bool
}

// Explain finds the deciding number in err and what is known about it; without
// a number, it takes the first of the [Causes] that matches.
func Explain(err error) Explanation {
	if err == nil {
		return Explanation{}
	}
	e := Explanation{HostWide: hostWide(err), Reasons: reasonOf(err)}
	found := causesOf(err)
	if len(found) > 0 {
		e.Hint = found[0].Hint
	}
	if c, ok := decidingCode(err); ok && !errors.Is(err, ErrInterrupted) {
		e.Code, e.Hint, e.Reasons = c.String(), c.Hint, append(e.Reasons, c.Reasons()...)
	}
	if own, ok := errors.AsType[explained](err); ok {
		e.Hint = own.Hint()
	}
	if errors.Is(err, ErrNotFound) {
		e.Hint = hintAbsent // its volume has answered
	}
	e.Brief = cmp.Or(e.Code, briefly(err))
	for _, c := range found {
		if c.Reason != ReasonNone && !slices.Contains(e.Reasons, c.Reason) {
			e.Reasons = append(e.Reasons, c.Reason)
		}
	}
	return e
}

// briefly is the first line of an error, without what was asked for.
func briefly(err error) string {
	if op, ok := errors.AsType[*wsman.OpError](err); ok {
		err = op.Err
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// decidingCode finds the most specific number: that of a job or method, else
// the innermost known code of a fault, else the status of an answer.
func decidingCode(err error) (Code, bool) {
	var (
		job    *JobError
		method *MethodError
		fault  *wsman.Fault
		kdc    *secure.KDCError
		sspi   *secure.SSPIError
		status *wsman.HTTPError
		auth   *wsman.AuthError
	)
	switch {
	case errors.As(err, &job):
		if c, ok := lookUp(hresults, job.CompletionStatus); ok {
			return c, true
		}
		return lookUp(returnValues, job.ErrorCode)
	case errors.As(err, &method):
		return lookUp(returnValues, method.ReturnValue)
	case errors.As(err, &fault):
		return faultCode(fault)
	case errors.As(err, &kdc):
		return lookUp(kdcErrors, uint32(kdc.Code)) //nolint:gosec // KDC errors are small
	case errors.As(err, &sspi):
		return lookUp(sspiStatuses, sspi.Status)
	case errors.As(err, &status):
		return lookUp(httpStatuses, uint32(status.Status)) //nolint:gosec // HTTP statuses are small
	case errors.As(err, &auth) && errors.Is(err, secure.ErrRejected):
		return lookUp(httpStatuses, http.StatusUnauthorized)
	}
	return Code{}, false
}

func faultCode(f *wsman.Fault) (Code, bool) {
	for _, number := range slices.Backward(f.Codes) {
		for _, list := range [...][]Code{faultCodes, hresults} {
			if c, ok := lookUp(list, number); ok {
				return c, true
			}
		}
	}
	return Code{}, false
}

// Cause is an error without a number, and what is known about it.
type Cause struct {
	Err    error
	Reason Reason
	Hint   string // as in an [Explanation]
}

// Causes lists the errors without a number that this package knows.
func Causes() []Cause { return slices.Clone(causes[:]) }

// causes are in the order in which they are looked for: inner errors come
// first.
var causes = [...]Cause{
	{wsman.ErrPlainHTTP, ReasonPlainHTTP, "Use the port of the https listener, usually 5986."},
	{wsman.ErrTLS, ReasonTLS, "Use the port of the http listener, usually 5985."},
	{wsman.ErrTLSVersion, ReasonNone, "Enable TLS 1.2 on the host (SCHANNEL in its registry)."},
	{wsman.ErrTLSCipher, ReasonNone, "Enable cipher suites with ECDHE and AES-GCM on the host (Get-TlsCipherSuite), and give the listener a certificate that they can use."},
	{wsman.ErrShortKey, ReasonNone, "Give the listener a certificate with an RSA key of 2048 bits or more."},
	{wsman.ErrWrongName, ReasonName, ""},
	{wsman.ErrExpired, ReasonUnverified, "Renew the certificate of the listener; if it is valid, set the clock of this machine."},
	{wsman.ErrUnknownAuthority, ReasonAuthority, ""},
	{wsman.ErrTLSHandshake, ReasonNone, "Give the listener another certificate: this one may have a negative serial number, or another mistake that is not overlooked here."},
	{wsman.ErrTLSClosed, ReasonNone, "Check whether the certificate of the listener and its key are still in the host's store (winrm enumerate winrm/config/listener), whether the host has TLS 1.2, and whether a firewall interferes."},
	{wsman.ErrTLSTimeout, ReasonNone, "Look at what serves the port on the host, and at firewalls that let a connection pass and then nothing more."},
	{wsman.ErrUnanswered, ReasonTryAgain, "The host received logons and answered none: check its load, and the services WinRM and Windows Management Instrumentation. The account waits meanwhile, so that it is not locked."},
	{wsman.ErrNoAnswer, ReasonTimedOut, "The host is busy or hangs: check its load, and the services WinRM and Windows Management Instrumentation."},
	{wsman.ErrSchemeNotOffered, ReasonScheme, "Enable the scheme on the host (winrm get winrm/config/service/auth)."},
	{secure.ErrWeakContext, ReasonTampering, "An attacker between here and the host may be tampering with the logon: check the network."},
	{secure.ErrNoBinding, ReasonNone, "Give the host a certificate that is signed with RSA or ECDSA, as Windows' own are; if it has one, something in between answers with another."},
	{secure.ErrNoAES, ReasonNone, "Enable AES for the account and the host (msDS-SupportedEncryptionTypes); RC4 and DES are refused."},
	{secure.ErrWeakKey, ReasonNone, "An attacker between here and the KDC may be after the password: check the network, and the iteration count that the KDC is set to."},
	{secure.ErrTicketExpired, ReasonTicket, "Renew the ticket cache (kinit)."},
	{secure.ErrClockSkew, ReasonNone, "Set the clock of this machine or of the KDC: Kerberos allows five minutes."},
	{secure.ErrNotWindows, ReasonNone, "Run this on Windows, or log on with a user name and a password."},
	{secure.ErrNoKDC, ReasonNoKDC, "Name the KDC in krb5.conf, or make the realm's _kerberos._tcp record resolvable, and allow TCP port 88."},
	{secure.ErrTampered, ReasonTampering, hintTampered},
	{ErrNoHyperV, ReasonNone, hintNoRole},
	{ErrUnreachable, ReasonUnreachable, "Check name, port, firewall and the WinRM listener of the host (winrm enumerate winrm/config/listener)."},
	{ErrNotFound, ReasonNotFound, hintAbsent},
	{ErrPathNotFound, ReasonNone, hintPath},
	{ErrInUse, ReasonInUse, hintInUse},
	{ErrDependedOn, ReasonDependedOn, "Leave the disk alone: compacting it can break what depends on it."},
	{ErrUnseen, ReasonNone, "Let the account see every virtual machine, and every disk of theirs on the volume."},
	{ErrInterrupted, ReasonUnfinished, "The disk is intact, and compacting it once more is safe."},
	{ErrJobGone, ReasonUnfinished, "The disk is intact, and compacting it once more is safe."},
	{ErrOutcomeUnknown, ReasonUnfinished, "The host may have compacted the disk; compacting it once more is safe."},
}

// causesOf finds what is known about an error apart from its numbers.
func causesOf(err error) []Cause {
	var found []Cause
	for _, c := range causes {
		if errors.Is(err, c.Err) {
			found = append(found, c)
		}
	}
	return found
}

// hostWide reports whether an error concerns the whole host.
func hostWide(err error) bool {
	var certificate *wsman.TLSError
	var status *wsman.HTTPError
	for _, wide := range [...]error{ErrUnreachable, ErrUnauthenticated, ErrNoHyperV} {
		if errors.Is(err, wide) {
			return true
		}
	}
	var m *MethodError
	var j *JobError
	if _, unseen := errors.AsType[*unseenError](err); unseen {
		return true
	}
	denied := errors.Is(err, ErrAccessDenied) && !errors.As(err, &m) && !errors.As(err, &j)
	return denied || errors.As(err, &certificate) || errors.As(err, &status)
}
