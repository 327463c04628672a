package secure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-krb5/krb5/crypto"
	"github.com/go-krb5/krb5/iana/errorcode"
	"github.com/go-krb5/krb5/iana/flags"
	"github.com/go-krb5/krb5/iana/keyusage"
	"github.com/go-krb5/krb5/iana/nametype"
	"github.com/go-krb5/krb5/iana/patype"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"
)

const (
	ticketGranting = "krbtgt"
	maxReferrals   = 8
	// maxSkew is how far the clock of a KDC may be off, the default of Windows and MIT.
	maxSkew = 5 * time.Minute
)

// grantedTicket is a ticket that a KDC has granted, with the time of its end.
type grantedTicket struct {
	kerberosTicket

	end time.Time
}

// fresh reports whether there is a ticket that is valid long enough for a new context.
func (g grantedTicket) fresh() bool {
	return len(g.key.KeyValue) > 0 && time.Until(g.end) > ticketMargin
}

// logIn gets a ticket-granting ticket (RFC 4120 3.1).
func (k *Kerberos) logIn(ctx context.Context, c *loginCredentials) (grantedTicket, error) {
	request, err := messages.NewASReqForTGT(c.realm, k.config, c.name)
	if err != nil {
		return grantedTicket{}, err
	}
	reply, err := k.sendLogin(ctx, c, request)
	var key kerberosKey
	if kdc := (*KDCError)(nil); errors.As(err, &kdc) && kdc.Code == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		if key, err = preauthenticate(&request, c, kdc.data); err != nil {
			return grantedTicket{}, err
		}
		reply, err = k.sendLogin(ctx, c, request)
	}
	if err != nil {
		return grantedTicket{}, err
	}
	// The answer need not repeat the salt of the key.
	if key.KeyType != reply.EncPart.EType {
		if key, err = c.keyForType(reply.EncPart.EType, reply.PAData); err != nil {
			return grantedTicket{}, err
		}
	}
	return openLogin(key, request, reply)
}

func (k *Kerberos) sendLogin(ctx context.Context, c *loginCredentials, request messages.ASReq) (messages.ASRep, error) {
	var reply messages.ASRep
	b, err := request.Marshal()
	if err != nil {
		return reply, err
	}
	answer, err := k.kdc.exchange(ctx, c.realm, ticketGranting+"/"+c.realm, b)
	if err != nil {
		return reply, err
	}
	if err := reply.Unmarshal(answer); err != nil {
		return reply, fmt.Errorf("%w: AS-REP", ErrMalformed)
	}
	return reply, nil
}

// preauthenticate adds the encrypted time that proves the secret (RFC 4120 5.2.7.2)
// and returns the key that it was encrypted with.
func preauthenticate(request *messages.ASReq, c *loginCredentials, data []byte) (kerberosKey, error) {
	var offered types.PADataSequence
	if err := offered.Unmarshal(data); err != nil {
		return kerberosKey{}, fmt.Errorf("%w: preauthentication data", ErrMalformed)
	}
	key, kvno, err := c.keyFor(offered)
	if err != nil {
		return kerberosKey{}, err
	}
	now, err := preauthenticationTime()
	if err != nil {
		return kerberosKey{}, err
	}
	sealed, err := crypto.GetEncryptedData(now, key.EncryptionKey, keyusage.AS_REQ_PA_ENC_TIMESTAMP, kvno)
	if err != nil {
		return kerberosKey{}, err
	}
	value, err := sealed.Marshal()
	if err != nil {
		return kerberosKey{}, err
	}
	request.PAData = types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}}
	return key, nil
}

// openLogin checks that the sender of the answer knows the secret too, and that the answer belongs
// to the request.
func openLogin(key kerberosKey, request messages.ASReq, reply messages.ASRep) (grantedTicket, error) {
	part, err := openKDCReply(key, reply.EncPart, keyusage.AS_REP_ENCPART)
	if err != nil {
		return grantedTicket{}, fmt.Errorf("%w: wrong password or key", err)
	}
	body := request.ReqBody
	if err := checkReply(reply.KDCRepFields, part, body, body.Realm); err != nil {
		return grantedTicket{}, err
	}
	if !sameName(part.SName, body.SName) {
		return grantedTicket{}, errOtherRequest
	}
	if skew := time.Since(part.AuthTime); skew > maxSkew || skew < -maxSkew {
		return grantedTicket{}, ErrClockSkew
	}
	return granted(reply.KDCRepFields, part)
}

func openKDCReply(key kerberosKey, sealed types.EncryptedData, usage uint32) (messages.EncKDCRepPart, error) {
	var part messages.EncKDCRepPart
	b, err := key.decrypt(sealed.Cipher, usage)
	if err != nil {
		return part, ErrTampered
	}
	if err := part.Unmarshal(b); err != nil {
		return part, fmt.Errorf("%w: KDC reply", ErrMalformed)
	}
	return part, nil
}

func granted(reply messages.KDCRepFields, part messages.EncKDCRepPart) (grantedTicket, error) {
	key, err := newKerberosKey(part.Key)
	if err != nil {
		return grantedTicket{}, err
	}
	return grantedTicket{kerberosTicket{ticket: reply.Ticket, key: key, realm: reply.CRealm, name: reply.CName}, part.EndTime}, nil
}

// serviceTicket gets a ticket for the service, following referrals from realm to
// realm (RFC 4120 3.3, RFC 6806 8).
func (k *Kerberos) serviceTicket(ctx context.Context, tgt grantedTicket, spn servicePrincipal) (grantedTicket, error) {
	realm := tgt.realm
	for range maxReferrals {
		name := spn.name
		if spn.realm != "" && spn.realm != realm {
			name = krbtgt(spn.realm)
		}
		reply, err := k.requestTicket(ctx, tgt, realm, name, spn)
		if err != nil {
			return grantedTicket{}, err
		}
		next, referred := referral(reply.ticket.SName, realm)
		if !referred {
			return reply, nil
		}
		tgt, realm = reply, next
	}
	return grantedTicket{}, fmt.Errorf("%w: more than %d referrals for %s", ErrMalformed, maxReferrals, spn)
}

// requestTicket asks one realm.
func (k *Kerberos) requestTicket(ctx context.Context, tgt grantedTicket, realm string, name types.PrincipalName, spn servicePrincipal) (grantedTicket, error) {
	request, err := messages.NewTGSReq(tgt.name, tgt.realm, realm, k.config, tgt.ticket, tgt.key.EncryptionKey, name, false)
	if err != nil {
		return grantedTicket{}, err
	}
	types.SetFlag(&request.ReqBody.KDCOptions, flags.Canonicalize) // KDCs refer only those who ask
	if err := authorize(&request, tgt); err != nil {
		return grantedTicket{}, err
	}
	b, err := request.Marshal()
	if err != nil {
		return grantedTicket{}, err
	}
	answer, err := k.kdc.exchange(ctx, realm, spn.String(), b)
	if err != nil {
		return grantedTicket{}, err
	}
	var reply messages.TGSRep
	if err := reply.Unmarshal(answer); err != nil {
		return grantedTicket{}, fmt.Errorf("%w: TGS-REP", ErrMalformed)
	}
	part, err := openKDCReply(tgt.key, reply.EncPart, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	if err != nil {
		return grantedTicket{}, err
	}
	if err := checkReply(reply.KDCRepFields, part, request.ReqBody, tgt.realm); err != nil {
		return grantedTicket{}, err
	}
	if _, referred := referral(part.SName, realm); !referred && !sameName(part.SName, name) {
		return grantedTicket{}, errOtherRequest
	}
	return granted(reply.KDCRepFields, part)
}

// authorize proves that the request comes from the owner of the ticket-granting
// ticket (RFC 4120 5.4.1), by an authenticator of our own clock.
func authorize(request *messages.TGSReq, tgt grantedTicket) error {
	body, err := request.ReqBody.Marshal()
	if err != nil {
		return err
	}
	sum, err := tgt.key.algorithm.GetChecksumHash(tgt.key.KeyValue, body, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
	if err != nil {
		return err
	}
	a, err := newAuthenticator(tgt.realm, tgt.name)
	if err != nil {
		return err
	}
	a.Cksum = types.Checksum{CksumType: tgt.key.algorithm.GetHashID(), Checksum: sum}
	proof, err := messages.NewAPReq(tgt.ticket, tgt.key.EncryptionKey, a)
	if err != nil {
		return err
	}
	b, err := proof.Marshal()
	request.PAData = types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: b}}
	return err
}

func krbtgt(realm string) types.PrincipalName {
	return types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{ticketGranting, realm}}
}

// servicePrincipal is the service a ticket is for. An empty realm is for the KDC to find.
type servicePrincipal struct {
	name  types.PrincipalName
	realm string
}

func parseSPN(s string) (servicePrincipal, error) {
	name, realm, _ := strings.Cut(s, "@")
	service, host, ok := strings.Cut(name, "/")
	if !ok || service == "" || host == "" {
		return servicePrincipal{}, fmt.Errorf("SPN %q: want service/host", s)
	}
	return servicePrincipal{
		name:  types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: strings.Split(name, "/")},
		realm: realm,
	}, nil
}

func (s servicePrincipal) String() string {
	if s.realm == "" {
		return s.name.PrincipalNameString()
	}
	return s.name.PrincipalNameString() + "@" + s.realm
}
