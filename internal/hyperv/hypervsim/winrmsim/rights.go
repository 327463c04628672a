package winrmsim

import (
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

const (
	codeAccessDenied    = 5          // ERROR_ACCESS_DENIED, by the service
	codeWMIAccessDenied = 2147749891 // WBEM_E_ACCESS_DENIED, by the plug-in
)

// refuses returns the failure for a request that its account may not make, nil if it may.
// Enumerations are not refused: of what the account may not see they return nothing.
//
// Unverified on a real host (rights-remote-management, rights-hyper-v,
// access-denied-code): which account is refused which request, and by which
// code.
func (s *Server) refuses(x *exchange) *wmi.Failure {
	switch {
	case s.accountOf(x.user).NoRights:
		return fault(codeAccessDenied)
	case !s.isBlind(x) || x.envelope.operation == OperationEnumerate:
		return nil
	case x.envelope.operation == OperationGet:
		return wmi.NotFound()
	}
	return fault(codeWMIAccessDenied)
}

// isBlind reports whether the user of an exchange sees nothing in its namespace.
func (s *Server) isBlind(x *exchange) bool {
	blind := s.accountOf(x.user).Blind
	return blind != "" && isWithin(x.envelope.target.namespace, blind)
}

func (s *Server) accountOf(user string) Account {
	for _, a := range s.config.Users {
		if strings.EqualFold(a.String(), user) {
			return a
		}
	}
	return Account{}
}

// isWithin reports whether a namespace is another or below it.
func isWithin(namespace, other string) bool {
	namespace, other = strings.ToLower(namespace), strings.ToLower(other)
	return namespace == other || strings.HasPrefix(namespace, other+`\`)
}
