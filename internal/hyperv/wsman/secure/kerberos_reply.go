package secure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"
)

var errOtherRequest = fmt.Errorf("%w: the answer of the KDC is to another request", ErrMalformed)

// checkReply compares a reply with the request that it answers (RFC 4120 3.1.5, 3.3.4). Only its
// sealed part is authenticated by the KDC: the names outside of it have to be those of the request,
// and the names of the ticket have to be the sealed ones. Which services are allowed depends on the
// request.
func checkReply(r messages.KDCRepFields, part messages.EncKDCRepPart, body messages.KDCReqBody, clientRealm string) error {
	switch {
	case part.Nonce != body.Nonce,
		!sameName(r.CName, body.CName), !strings.EqualFold(r.CRealm, clientRealm), // the client
		!strings.EqualFold(part.SRealm, body.Realm),                      // the KDC
		!r.Ticket.SName.Equal(part.SName), r.Ticket.Realm != part.SRealm: // the service
		return errOtherRequest
	}
	return nil
}

// sameName compares names as Windows does, which ignores letter case and answers with its own
// spelling.
func sameName(a, b types.PrincipalName) bool {
	return slices.EqualFunc(a.NameString, b.NameString, strings.EqualFold)
}

// referral returns the other realm to whose KDC a ticket refers, if it is a referral.
func referral(name types.PrincipalName, from string) (realm string, ok bool) {
	s := name.NameString
	if len(s) != 2 || s[0] != ticketGranting || strings.EqualFold(s[1], from) {
		return "", false
	}
	return s[1], true
}
