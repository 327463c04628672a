package winrmsim

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-krb5/krb5/asn1tools"
	"github.com/go-krb5/krb5/crypto"
	"github.com/go-krb5/krb5/crypto/etype"
	"github.com/go-krb5/krb5/iana"
	"github.com/go-krb5/krb5/iana/asn1apptag"
	"github.com/go-krb5/krb5/iana/keyusage"
	"github.com/go-krb5/krb5/iana/msgtype"
	"github.com/go-krb5/krb5/keytab"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"
	"github.com/go-krb5/x/encoding/asn1"
)

// kerberosAcceptor accepts one Kerberos context with mutual authentication and
// sealing (RFC 4121).
type kerberosAcceptor struct {
	keytab  *keytab.Keytab
	binding []byte
	strict  bool

	name    string
	key     types.EncryptionKey
	etype   etype.EType
	in, out uint64 // next sequence numbers
}

func (s *Server) newKerberos() *kerberosAcceptor {
	return &kerberosAcceptor{keytab: s.config.Keytab, binding: s.binding(), strict: s.config.StrictBinding}
}

func (k *kerberosAcceptor) user() string { return k.name }

// Token identifiers in front of a Kerberos message (RFC 4121 4.1).
var (
	tokenAPReq = []byte{1, 0}
	tokenAPRep = []byte{2, 0}
)

// GSS flags that a client must ask for.
const (
	gssMutual    = 2
	gssConf      = 16
	gssInteg     = 32
	gssDemanded  = gssMutual | gssConf | gssInteg
	maxClockSkew = 5 * time.Minute
)

// step takes AP-REQ and returns AP-REP with a subkey of the host's.
func (k *kerberosAcceptor) step(in []byte) (out []byte, done bool, err error) {
	if k.etype != nil {
		return nil, false, errOutOfOrder
	}
	mechanism, inner, ok := gssToken(in)
	if !ok || !mechanism.Equal(oidKerberos) || !bytes.HasPrefix(inner, tokenAPReq) {
		return nil, false, errMalformedToken
	}
	var req messages.APReq
	if err := req.Unmarshal(inner[2:]); err != nil {
		return nil, false, errMalformedToken
	}
	if ok, err := req.Verify(k.keytab, maxClockSkew, types.HostAddress{}, nil); err != nil || !ok {
		return nil, false, fmt.Errorf("kerberos: %w", err)
	}
	if err := k.checkAuthenticator(req.Authenticator); err != nil {
		return nil, false, err
	}
	out, err = k.answer(&req)
	if err != nil {
		return nil, false, err
	}
	credentials := req.Ticket.DecryptedEncPart
	k.name = credentials.CRealm + `\` + credentials.CName.PrincipalNameString()
	return out, true, nil
}

// checkAuthenticator reads the checksum that carries flags and channel binding
// (RFC 4121 4.1.1).
func (k *kerberosAcceptor) checkAuthenticator(a types.Authenticator) error {
	sum := a.Cksum.Checksum
	if len(sum) < 24 {
		return errMalformedToken
	}
	if flags := binary.LittleEndian.Uint32(sum[20:]); flags&gssDemanded != gssDemanded {
		return errNoSealing
	}
	return checkBinding(sum[4:20], k.binding, k.strict)
}

// answer makes AP-REP. Its sequence number is the host's own, as on Windows.
func (k *kerberosAcceptor) answer(req *messages.APReq) ([]byte, error) {
	session := req.Ticket.DecryptedEncPart.Key
	var err error
	if k.etype, err = crypto.GetEtype(session.KeyType); err != nil {
		return nil, err
	}
	k.key = types.EncryptionKey{KeyType: session.KeyType, KeyValue: make([]byte, len(session.KeyValue))}
	var seed [4]byte
	if _, err := rand.Read(k.key.KeyValue); err != nil {
		return nil, err
	}
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	k.out = uint64(binary.BigEndian.Uint32(seed[:]) & 0x3fffffff)
	k.in = uint64(uint32(req.Authenticator.SeqNumber)) //nolint:gosec // 32 bits on the wire
	part, err := asn1.Marshal(messages.EncAPRepPart{
		CTime: req.Authenticator.CTime, Cusec: req.Authenticator.Cusec,
		Subkey: k.key, SequenceNumber: int64(k.out), //nolint:gosec // at most 30 bits
	})
	if err != nil {
		return nil, err
	}
	sealed, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(part, asn1apptag.EncAPRepPart), session, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		return nil, err
	}
	rep, err := asn1.Marshal(messages.APRep{PVNO: iana.PVNO, MsgType: msgtype.KRB_AP_REP, EncPart: sealed})
	if err != nil {
		return nil, err
	}
	return kerberosToken(tokenAPRep, asn1tools.AddASNAppTag(rep, asn1apptag.APREP))
}

// kerberosToken frames a Kerberos message (RFC 2743 3.1).
func kerberosToken(id, message []byte) ([]byte, error) {
	oid, err := asn1.Marshal(asn1.ObjectIdentifier(oidKerberos))
	if err != nil {
		return nil, err
	}
	return asn1tools.AddASNAppTag(bytes.Join([][]byte{oid, id, message}, nil), 0), nil
}

// Flags of a Wrap token (RFC 4121 4.2.2).
const (
	wrapByAcceptor = 1
	wrapSealed     = 2
	wrapSubkey     = 4
	wrapHeaderSize = 16
)

func wrapHeader(flags byte, sequence uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{5, 4, flags, 0xff, 0, 0, 0, 0}, sequence)
}

// wrap makes a Wrap token with EC 0 and everything but the data rotated to its
// front, which is how Windows splits it into signature and data.
func (k *kerberosAcceptor) wrap(plain []byte) (signature, sealed []byte, err error) {
	if k.etype == nil {
		return nil, nil, errOutOfOrder
	}
	header := wrapHeader(wrapByAcceptor|wrapSealed|wrapSubkey, k.out)
	_, text, err := k.etype.EncryptMessage(k.key.KeyValue, append(bytes.Clone(plain), header...), keyusage.GSSAPI_ACCEPTOR_SEAL)
	if err != nil {
		return nil, nil, err
	}
	k.out++
	rotation := wrapHeaderSize + k.etype.GetHMACBitLength()/8
	binary.BigEndian.PutUint16(header[6:], uint16(rotation)) //nolint:gosec // at most 40
	token := bytes.Join([][]byte{header, text[len(text)-rotation:], text[:len(text)-rotation]}, nil)
	size := wrapHeaderSize + rotation + k.etype.GetConfounderByteSize()
	return token[:size], token[size:], nil
}

// unwrap opens the client's next Wrap token.
func (k *kerberosAcceptor) unwrap(signature, sealed []byte) ([]byte, error) {
	if k.etype == nil || len(signature) < wrapHeaderSize {
		return nil, errBadSeal
	}
	header := bytes.Clone(signature[:wrapHeaderSize])
	text := append(bytes.Clone(signature[wrapHeaderSize:]), sealed...)
	if len(text) < wrapHeaderSize+k.etype.GetConfounderByteSize()+k.etype.GetHMACBitLength()/8 {
		return nil, errBadSeal
	}
	rotation := int(binary.BigEndian.Uint16(header[6:])) % len(text)
	header[6], header[7] = 0, 0 // the encrypted copy has no rotation
	if !bytes.Equal(header, wrapHeader(wrapSealed|wrapSubkey, k.in)) {
		return nil, errBadSeal
	}
	text = append(bytes.Clone(text[rotation:]), text[:rotation]...)
	plain, err := k.etype.DecryptMessage(k.key.KeyValue, text, keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil || len(plain) < wrapHeaderSize {
		return nil, errBadSeal
	}
	data, copied := plain[:len(plain)-wrapHeaderSize], plain[len(plain)-wrapHeaderSize:]
	if subtle.ConstantTimeCompare(copied, header) != 1 {
		return nil, errBadSeal
	}
	k.in++
	return data, nil
}
