package winrmsim

import (
	"crypto/subtle"
	"strings"
)

// basic checks the credentials that come with every request.
func (s *Server) basic(x *exchange) bool {
	user, password, ok := x.r.BasicAuth()
	if !ok || !s.accepts(SchemeBasic) {
		s.unauthorized(x)
		return false
	}
	domain, name, qualified := strings.Cut(user, `\`)
	if !qualified {
		domain, name = "", user
	}
	a, known := s.findUser(name, domain)
	right := subtle.ConstantTimeCompare([]byte(a.Password), []byte(password)) == 1
	if !known || !s.config.Accounts.judge(a, right) {
		return s.refuse(x, SchemeBasic, errLogon)
	}
	return s.admitOnce(x, a.String())
}
