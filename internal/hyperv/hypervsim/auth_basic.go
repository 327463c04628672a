package hypervsim

import (
	"crypto/subtle"
	"strings"
)

// basic checks the credentials that come with every request.
func (h *Host) basic(x *exchange) bool {
	user, password, ok := x.r.BasicAuth()
	if !ok || !h.accepts(SchemeBasic) {
		h.unauthorized(x)
		return false
	}
	domain, name, qualified := strings.Cut(user, `\`)
	if !qualified {
		domain, name = "", user
	}
	a, known := h.findUser(name, domain)
	if subtle.ConstantTimeCompare([]byte(a.password), []byte(password)) != 1 || !known {
		return h.refuse(x, SchemeBasic, errLogon)
	}
	return h.admitOnce(x, a.String())
}
