package hypervsim

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// acceptor is the host's half of a security context.
type acceptor interface {
	// step takes the client's token and returns the host's, nil for none.
	step(in []byte) (out []byte, done bool, err error)
	// user is DOMAIN\name once the context is established.
	user() string
	wrap(plain []byte) (signature, sealed []byte, err error)
	unwrap(signature, sealed []byte) ([]byte, error)
}

var (
	errMalformedToken = errors.New("malformed token")
	errNoSealing      = errors.New("the client asks for no sealing")
	errLogon          = errors.New("unknown user or bad password")
	errBinding        = errors.New("wrong channel binding")
	errOutOfOrder     = errors.New("token out of order")
	errBadSeal        = errors.New("bad seal")
)

// certificateProfile stands for a scheme in the Authorization header of clients
// that authenticate by their certificate.
const certificateProfile = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

// authenticate lets the request pass or answers it.
func (h *Host) authenticate(x *exchange) bool {
	header := x.r.Header.Get("Authorization")
	scheme, credentials, _ := strings.Cut(header, " ")
	switch {
	case header == "":
		if !x.c.established {
			h.unauthorized(x)
			return false
		}
	case header == certificateProfile:
		return h.certificate(x)
	case strings.EqualFold(scheme, string(SchemeBasic)):
		return h.basic(x)
	case strings.EqualFold(scheme, string(SchemeNegotiate)):
		return h.negotiate(x, SchemeNegotiate, credentials)
	case strings.EqualFold(scheme, string(SchemeKerberos)):
		return h.negotiate(x, SchemeKerberos, credentials)
	default:
		h.unauthorized(x)
		return false
	}
	x.user = x.c.user
	return true
}

// accepts reports whether the host accepts a scheme.
func (h *Host) accepts(s Scheme) bool { return slices.Contains(h.options.schemes, s) }

// unauthorized answers 401 with the schemes and forgets the security context.
func (h *Host) unauthorized(x *exchange) {
	x.c.context, x.c.established, x.c.user = nil, false, ""
	header := x.w.Header()
	for _, s := range h.options.schemes {
		switch s {
		case SchemeBasic:
			header.Add("WWW-Authenticate", `Basic realm="WSMAN"`)
		case SchemeNegotiate, SchemeKerberos:
			header.Add("WWW-Authenticate", string(s))
		case SchemeCertificate:
		}
	}
	h.finish(x, http.StatusUnauthorized)
}

// refuse counts a failed logon and answers 401.
func (h *Host) refuse(x *exchange, scheme Scheme, err error) bool {
	h.record.count(&h.record.failedLogons)
	h.log.Warn("logon refused", "scheme", scheme, "err", err)
	h.unauthorized(x)
	return false
}

// admitOnce counts the logon of a scheme that has no context.
func (h *Host) admitOnce(x *exchange, user string) bool {
	if !x.c.counted || x.c.user != user {
		h.record.count(&h.record.logons)
	}
	x.c.counted, x.c.user, x.user = true, user, user
	return true
}

// certificate accepts a client certificate that the TLS handshake has verified.
func (h *Host) certificate(x *exchange) bool {
	if !h.accepts(SchemeCertificate) || x.r.TLS == nil || len(x.r.TLS.VerifiedChains) == 0 {
		return h.refuse(x, SchemeCertificate, errLogon)
	}
	return h.admitOnce(x, h.options.clientUser)
}

// negotiate takes one token of a security context.
func (h *Host) negotiate(x *exchange, scheme Scheme, credentials string) bool {
	token, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	if err != nil || len(token) == 0 || !h.accepts(scheme) {
		h.unauthorized(x)
		return false
	}
	c := x.c
	if c.context == nil || c.established {
		c.context, c.established, c.scheme = h.newAcceptor(scheme, token), false, scheme
	}
	if c.context == nil {
		return h.refuse(x, scheme, errMalformedToken)
	}
	out, done, err := c.context.step(token)
	if err != nil {
		return h.refuse(x, scheme, err)
	}
	if out != nil {
		x.w.Header().Set("WWW-Authenticate", string(scheme)+" "+base64.StdEncoding.EncodeToString(out))
	}
	if !done {
		x.w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	c.established, c.user = true, c.context.user()
	x.user = c.user
	h.record.count(&h.record.logons)
	return true
}

// newAcceptor chooses the mechanism by the first token: raw NTLM, raw Kerberos,
// or SPNEGO around one of them.
func (h *Host) newAcceptor(scheme Scheme, token []byte) acceptor {
	switch {
	case isNTLM(token) && scheme == SchemeNegotiate:
		return h.newNTLM()
	case isGSSToken(token, oidKerberos) && h.options.keytab != nil && !h.options.noRawKerberos:
		return h.newKerberos()
	case isGSSToken(token, oidSPNEGO):
		return &spnegoAcceptor{host: h, kerberosOnly: scheme == SchemeKerberos}
	}
	return nil
}

// findUser returns the account of a user, however its name is written.
func (h *Host) findUser(name, domain string) (account, bool) {
	if at := strings.LastIndexByte(name, '@'); at >= 0 && domain == "" {
		if h.options.noPrincipalNames {
			return account{}, false
		}
		name, domain = name[:at], name[at+1:]
	}
	if h.options.dnsDomain != "" && strings.EqualFold(domain, h.options.dnsDomain) {
		domain = h.options.domain
	}
	for _, a := range h.options.users {
		if strings.EqualFold(a.name, name) && (a.domain == "" || domain == "" || strings.EqualFold(a.domain, domain)) {
			return a, true
		}
	}
	return account{}, false
}

// String is the name of the account, without its password.
func (a account) String() string {
	if a.domain == "" {
		return a.name
	}
	return a.domain + `\` + a.name
}

// GoString implements fmt.GoStringer.
func (a account) GoString() string { return a.String() }

// binding is the channel binding that contexts on this host must carry, nil
// without TLS.
func (h *Host) binding() []byte {
	if h.tls == nil {
		return nil
	}
	return h.tls.binding
}
