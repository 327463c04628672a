package hyperv

import (
	"errors"
	"net/http"
	"slices"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// Explanation is what an administrator needs to know about an error.
type Explanation struct {
	// Code is the deciding number with its meaning; may be empty.
	Code string
	// Hint is one sentence about what to do; empty for an unknown error.
	Hint string
	// HostWide says that every disk of this host would fail the same way.
	HostWide bool
}

// Explain finds the deciding number in err and what is known about it.
func Explain(err error) Explanation {
	if c, ok := decidingCode(err); ok && !errors.Is(err, ErrInterrupted) {
		return Explanation{Code: c.String(), Hint: c.Hint, HostWide: hostWide(err)}
	}
	return Explanation{Hint: hintOf(err), HostWide: hostWide(err)}
}

// decidingCode finds the number that says most: that of a job or method, then
// the innermost known code of a fault, then the status of an answer.
func decidingCode(err error) (Code, bool) {
	var (
		job    *JobError
		method *MethodError
		fault  *wsman.Fault
		kdc    *secure.KDCError
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

// hints for errors without a number, by what they are.
var hints = [...]struct {
	is   error
	hint string
}{
	{wsman.ErrPlainHTTP, "The port speaks plain http: set https = false (bodies are sealed then), or use the port of the https listener, usually 5986."},
	{wsman.ErrTLS, "The port speaks TLS: set https = true, or use the port of the http listener, usually 5985."},
	{wsman.ErrSchemeNotOffered, "Choose auth among the schemes that the host offers, or enable the scheme: winrm get winrm/config/service/auth."},
	{secure.ErrWeakContext, "Somebody between here and the host may be tampering with the logon: use https, and look at the network."},
	{secure.ErrNoBinding, "Give the host a certificate that is signed with RSA or ECDSA, as Windows' own are; if it has one, somebody in between answers with another."},
	{secure.ErrNoAES, "Enable AES for the account and the host (msDS-SupportedEncryptionTypes); RC4 and DES are refused."},
	{secure.ErrTicketExpired, "Renew the ticket cache (kinit), or give a password or a keytab in place of it."},
	{secure.ErrClockSkew, "Set the clock of this machine or of the KDC: Kerberos allows five minutes."},
	{secure.ErrNoKDC, "Name the KDC in krb5.conf (kerberos.krb5_conf_path), or make the realm's _kerberos._tcp record resolvable, and allow TCP port 88."},
	{secure.ErrTampered, "Somebody between here and the host may be tampering with messages: use https, and look at the network."},
	{ErrNoHyperV, hintNoRole},
	{ErrUnreachable, "Check name, port, firewall and the WinRM listener of the host (winrm enumerate winrm/config/listener); in a fleet, if_unreachable = \"skip\" lets the other hosts go on."},
	{ErrNotFound, "Check the path; when the disk is gone for good, remove the resource from the configuration."},
	{ErrPathNotFound, hintPath},
	{ErrInUse, hintInUse},
	{ErrInterrupted, "Run apply again: what still runs is waited for, and the disk is compacted once more."},
	{ErrJobGone, "Run apply again: the disk is intact, and compacting it once more is safe."},
	{ErrOutcomeUnknown, "Run apply again: what still runs is waited for first, and compacting once more is safe."},
}

func hintOf(err error) string {
	for _, h := range hints {
		if errors.Is(err, h.is) {
			return h.hint
		}
	}
	if _, ok := errors.AsType[*wsman.TLSError](err); ok {
		return "Give the certificate of the authority as cacert_path and the name in the certificate as tls_server_name; insecure = true leaves it unverified and seals the bodies."
	}
	return ""
}

// hostWide reports whether an error is true of the whole host.
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
	denied := errors.Is(err, ErrAccessDenied) && !errors.As(err, &m) && !errors.As(err, &j)
	return denied || errors.As(err, &certificate) || errors.As(err, &status)
}
