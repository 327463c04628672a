package winrmsim

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
func (s *Server) authenticate(x *exchange) bool {
	header := x.r.Header.Get("Authorization")
	scheme, credentials, _ := strings.Cut(header, " ")
	switch {
	case header == "":
		if !x.c.established {
			s.unauthorized(x)
			return false
		}
	case header == certificateProfile:
		return s.certificate(x)
	case strings.EqualFold(scheme, string(SchemeBasic)):
		return s.basic(x)
	case strings.EqualFold(scheme, string(SchemeNegotiate)):
		return s.negotiate(x, SchemeNegotiate, credentials)
	case strings.EqualFold(scheme, string(SchemeKerberos)):
		return s.negotiate(x, SchemeKerberos, credentials)
	default:
		s.unauthorized(x)
		return false
	}
	x.user = x.c.user
	return true
}

// accepts reports whether the host accepts a scheme.
func (s *Server) accepts(scheme Scheme) bool { return slices.Contains(s.config.Schemes, scheme) }

// unauthorized answers 401 with the schemes and forgets the security context.
func (s *Server) unauthorized(x *exchange) {
	x.c.context, x.c.established, x.c.user = nil, false, ""
	header := x.w.Header()
	for _, scheme := range s.config.Schemes {
		switch scheme {
		case SchemeBasic:
			header.Add("WWW-Authenticate", `Basic realm="WSMAN"`)
		case SchemeNegotiate, SchemeKerberos:
			header.Add("WWW-Authenticate", string(scheme))
		case SchemeCertificate:
		}
	}
	s.finish(x, http.StatusUnauthorized)
}

// refuse counts a failed logon and answers 401.
func (s *Server) refuse(x *exchange, scheme Scheme, err error) bool {
	s.record.count(&s.record.failedLogons)
	s.log.Warn("logon refused", "scheme", scheme, "err", err)
	s.unauthorized(x)
	return false
}

// admitOnce counts the logon of a scheme that has no context.
func (s *Server) admitOnce(x *exchange, user string) bool {
	if !x.c.counted || x.c.user != user {
		s.record.count(&s.record.logons)
	}
	x.c.counted, x.c.user, x.user = true, user, user
	return true
}

// certificate accepts a client certificate that the TLS handshake has verified.
func (s *Server) certificate(x *exchange) bool {
	if !s.accepts(SchemeCertificate) || x.r.TLS == nil || len(x.r.TLS.VerifiedChains) == 0 {
		return s.refuse(x, SchemeCertificate, errLogon)
	}
	return s.admitOnce(x, s.config.ClientUser)
}

// negotiate takes one token of a security context.
func (s *Server) negotiate(x *exchange, scheme Scheme, credentials string) bool {
	token, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	if err != nil || len(token) == 0 || !s.accepts(scheme) {
		s.unauthorized(x)
		return false
	}
	c := x.c
	if c.context == nil || c.established {
		c.context, c.established, c.scheme = s.newAcceptor(scheme, token), false, scheme
	}
	if c.context == nil {
		return s.refuse(x, scheme, errMalformedToken)
	}
	out, done, err := c.context.step(token)
	if err != nil {
		return s.refuse(x, scheme, err)
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
	s.record.count(&s.record.logons)
	return true
}

// newAcceptor chooses the mechanism by the first token: raw NTLM, raw Kerberos,
// or SPNEGO around one of them.
func (s *Server) newAcceptor(scheme Scheme, token []byte) acceptor {
	switch {
	case isNTLM(token) && scheme == SchemeNegotiate:
		return s.newNTLM()
	case isGSSToken(token, oidKerberos) && s.config.Keytab != nil && !s.config.NoRawKerberos:
		return s.newKerberos()
	case isGSSToken(token, oidSPNEGO):
		return &spnegoAcceptor{server: s, kerberosOnly: scheme == SchemeKerberos}
	}
	return nil
}

// findUser returns the account of a user, however its name is written.
func (s *Server) findUser(name, domain string) (Account, bool) {
	if at := strings.LastIndexByte(name, '@'); at >= 0 && domain == "" {
		if s.config.NoPrincipalNames {
			return Account{}, false
		}
		name, domain = name[:at], name[at+1:]
	}
	if s.config.DNSDomain != "" && strings.EqualFold(domain, s.config.DNSDomain) {
		domain = s.config.Domain
	}
	for _, a := range s.config.Users {
		if upper(a.Name) == upper(name) && s.holds(domain, a) {
			a.Password = s.config.Accounts.password(a)
			return a, true
		}
	}
	return Account{}, false
}

// holds reports whether the domain that a client names is that of the account. A
// computer of a workgroup takes every domain for its own.
func (s *Server) holds(domain string, a Account) bool {
	switch {
	case domain == "", a.Domain == "" && s.config.Domain == "":
		return true
	case a.Domain == "":
		return strings.EqualFold(domain, s.config.ComputerName)
	}
	return strings.EqualFold(domain, a.Domain)
}

// binding is the channel binding that contexts on this host must carry, nil
// without TLS.
func (s *Server) binding() []byte {
	if s.tls == nil {
		return nil
	}
	return s.tls.binding
}
