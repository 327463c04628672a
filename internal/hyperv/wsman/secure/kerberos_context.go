package secure

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/binary"
	"fmt"

	"github.com/go-krb5/krb5/iana/chksumtype"
	"github.com/go-krb5/krb5/iana/flags"
	"github.com/go-krb5/krb5/iana/keyusage"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"
)

// Flags of a security context (RFC 2743, RFC 4121 4.1.1.1): mutual authentication,
// replay and sequence detection, confidentiality and integrity. Delegation is never
// asked for.
const gssFlags = 2 | 4 | 8 | 16 | 32

// kerberosTicket is a ticket and the session key in it.
type kerberosTicket struct {
	ticket messages.Ticket
	key    kerberosKey
	realm  string // of the client
	name   types.PrincipalName
}

// kerberosContext is a Kerberos context: AP-REQ, AP-REP (RFC 4121 4.1).
type kerberosContext struct {
	ticket        func(context.Context) (kerberosTicket, error)
	spn           string
	binding       []byte
	session       kerberosKey
	authenticator types.Authenticator
	asked         bool
	channel       *kerberosChannel // nil until the host has proven itself
	answered      bool
}

// Format keeps keys out of every print.
func (*kerberosContext) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(kerberosName)) }

func (x *kerberosContext) Next(ctx context.Context, in []byte) (out []byte, established bool, err error) {
	switch {
	case x.answered:
		return nil, false, fmt.Errorf("kerberos: %w", ErrRejected)
	case in == nil && !x.asked:
		x.asked = true
		out, err = x.request(ctx)
	case in == nil || !x.asked:
		err = fmt.Errorf("%w: no answer from the host", ErrMalformed)
	default:
		x.answered = true
		err = x.accept(in)
		established = err == nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("kerberos: %w", err)
	}
	return out, established, nil
}

// request makes the AP-REQ.
func (x *kerberosContext) request(ctx context.Context) ([]byte, error) {
	t, err := x.ticket(ctx)
	if err != nil {
		return nil, err
	}
	x.session = t.key
	a, err := newAuthenticator(t.realm, t.name)
	if err != nil {
		return nil, err
	}
	// A subkey keeps contexts of one ticket apart if the host sends none.
	if err := a.GenerateSeqNumberAndSubKey(t.key.KeyType, len(t.key.KeyValue)); err != nil {
		return nil, err
	}
	a.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: gssChecksum(x.binding)}
	request, err := messages.NewAPReq(t.ticket, t.key.EncryptionKey, a)
	if err != nil {
		return nil, err
	}
	types.SetFlag(&request.APOptions, flags.APOptionMutualRequired)
	b, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	x.authenticator = a
	// Unverified on a real host (kerberos-raw-token): that it accepts the token without SPNEGO.
	return gssToken(tokenAPReq, b)
}

// gssChecksum carries binding and flags (RFC 4121 4.1.1).
func gssChecksum(binding []byte) []byte {
	digest := make([]byte, 16)
	if binding != nil {
		digest = bindingDigest(binding)
	}
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(digest))) //nolint:gosec // 16
	b = append(b, digest...)
	return binary.LittleEndian.AppendUint32(b, gssFlags)
}

// accept checks the AP-REP: only the service that the ticket is for can answer with
// our own time under the session key.
func (x *kerberosContext) accept(in []byte) error {
	id, message, err := parseGSSToken(in)
	if err != nil {
		return err
	}
	switch id {
	case tokenAPRep:
	case tokenError:
		return parseKDCError(message, x.ticketRealm(), x.spn)
	default:
		return fmt.Errorf("%w: token %#04x for an AP-REP", ErrMalformed, id)
	}
	part, err := x.decryptAPRep(message)
	if err != nil {
		return err
	}
	if part.CTime.Unix() != x.authenticator.CTime.Unix() || part.Cusec != x.authenticator.Cusec {
		return fmt.Errorf("%w: the answer belongs to another request", ErrTampered)
	}
	c := &kerberosChannel{
		out: uint64(x.authenticator.SeqNumber),   //nolint:gosec // 30 bits
		in:  uint64(uint32(part.SequenceNumber)), //nolint:gosec // some hosts encode it signed
	}
	key := x.authenticator.SubKey
	if len(part.Subkey.KeyValue) > 0 {
		key, c.flags = part.Subkey, wrapAcceptorSubkey
	}
	if c.key, err = newKerberosKey(key); err != nil {
		return err
	}
	x.channel = c
	return nil
}

func (x *kerberosContext) ticketRealm() string { return x.authenticator.CRealm }

func (x *kerberosContext) decryptAPRep(message []byte) (messages.EncAPRepPart, error) {
	var (
		reply messages.APRep
		part  messages.EncAPRepPart
	)
	if err := reply.Unmarshal(message); err != nil {
		return part, fmt.Errorf("%w: AP-REP", ErrMalformed)
	}
	b, err := x.session.decrypt(reply.EncPart.Cipher, keyusage.AP_REP_ENCPART)
	if err != nil {
		return part, fmt.Errorf("%w: the host does not hold the key of %s", ErrTampered, x.spn)
	}
	if err := part.Unmarshal(b); err != nil {
		return part, fmt.Errorf("%w: AP-REP", ErrMalformed)
	}
	return part, nil
}

func (x *kerberosContext) Wrap(plain []byte) (signature, sealed []byte, err error) {
	if x.channel == nil {
		return nil, nil, fmt.Errorf("kerberos: %w: no context", ErrWeakContext)
	}
	return x.channel.wrap(plain)
}

func (x *kerberosContext) Unwrap(signature, sealed []byte) ([]byte, error) {
	if x.channel == nil {
		return nil, fmt.Errorf("kerberos: %w: no context", ErrTampered)
	}
	plain, err := x.channel.unwrap(signature, sealed)
	if err != nil {
		return nil, fmt.Errorf("kerberos: %w", err)
	}
	return plain, nil
}

// Identifiers of Kerberos tokens (RFC 4121 4.1).
const (
	tokenAPReq = 0x0100
	tokenAPRep = 0x0200
	tokenError = 0x0300
)

// kerberosOID is 1.2.840.113554.1.2.2, encoded.
var kerberosOID = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02}

// gssToken frames a message for GSS-API (RFC 2743 3.1).
func gssToken(id uint16, message []byte) ([]byte, error) {
	b := binary.BigEndian.AppendUint16(bytes.Clone(kerberosOID), id)
	return asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, IsCompound: true, Bytes: append(b, message...)})
}

func parseGSSToken(b []byte) (id uint16, message []byte, err error) {
	var frame asn1.RawValue
	rest, err := asn1.Unmarshal(b, &frame)
	if err != nil || len(rest) > 0 || frame.Class != asn1.ClassApplication || frame.Tag != 0 {
		return 0, nil, fmt.Errorf("%w: not a GSS token", ErrMalformed)
	}
	inner, ok := bytes.CutPrefix(frame.Bytes, kerberosOID)
	if !ok || len(inner) < 2 {
		return 0, nil, fmt.Errorf("%w: not a Kerberos token", ErrMalformed)
	}
	return binary.BigEndian.Uint16(inner), inner[2:], nil
}
