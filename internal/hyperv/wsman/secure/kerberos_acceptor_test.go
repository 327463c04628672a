package secure_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-krb5/krb5/asn1tools"
	"github.com/go-krb5/krb5/crypto"
	"github.com/go-krb5/krb5/iana"
	"github.com/go-krb5/krb5/iana/asn1apptag"
	"github.com/go-krb5/krb5/iana/keyusage"
	"github.com/go-krb5/krb5/iana/msgtype"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"
	"github.com/go-krb5/x/encoding/asn1"
)

// kerberosAcceptor is the host's half of a Kerberos context.
type kerberosAcceptor struct {
	service  types.EncryptionKey
	told     func(types.Authenticator) // if not nil, told of the authenticator
	binding  []byte                    // demanded if not nil
	noSubkey bool
	extra    int  // filler in sealed answers
	unrotate bool // answers with RRC 0
	together bool // rotate by EC and RRC
	shift    time.Duration

	key     types.EncryptionKey
	in, out uint64
	flags   byte
}

// accept answers an AP-REQ token with an AP-REP token.
func (a *kerberosAcceptor) accept(token []byte) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	rest, err := asn1.UnmarshalWithParams(token, &oid, "application,explicit,tag:0")
	if err != nil || !bytes.HasPrefix(rest, []byte{1, 0}) {
		return nil, fmt.Errorf("no AP-REQ: %w", err)
	}
	var r messages.APReq
	if err := r.Unmarshal(rest[2:]); err != nil {
		return nil, err
	}
	session := openTicket(r.Ticket, a.service).Key
	if err := r.DecryptAuthenticator(session); err != nil {
		return nil, err
	}
	if a.told != nil {
		a.told(r.Authenticator)
	}
	checksum := r.Authenticator.Cksum.Checksum
	if r.Authenticator.Cksum.CksumType != 0x8003 || len(checksum) != 24 || binary.LittleEndian.Uint32(checksum) != 16 {
		return nil, fmt.Errorf("checksum % x", checksum)
	}
	if f := binary.LittleEndian.Uint32(checksum[20:]); f != 2|4|8|16|32 {
		return nil, fmt.Errorf("context flags %#x", f)
	}
	want := make([]byte, 16)
	if a.binding != nil {
		want = bindingMD5(a.binding)
	}
	if !bytes.Equal(checksum[4:20], want) {
		return nil, fmt.Errorf("wrong channel binding")
	}
	if r.APOptions.Bytes[0]&0x20 == 0 {
		return nil, fmt.Errorf("no mutual authentication asked for")
	}
	part := messages.EncAPRepPart{CTime: r.Authenticator.CTime.Add(a.shift), Cusec: r.Authenticator.Cusec, SequenceNumber: 0x12345678}
	a.key = r.Authenticator.SubKey
	if !a.noSubkey {
		a.key = randomKey(session.KeyType)
		part.Subkey, a.flags = a.key, 4
	}
	a.in, a.out = uint64(r.Authenticator.SeqNumber), 0x12345678
	b := asn1tools.AddASNAppTag(must(asn1.Marshal(part, marshalOptions...)), asn1apptag.EncAPRepPart)
	rep := messages.APRep{PVNO: iana.PVNO, MsgType: msgtype.KRB_AP_REP, EncPart: must(crypto.GetEncryptedData(b, session, keyusage.AP_REP_ENCPART, 0))}
	b = asn1tools.AddASNAppTag(must(asn1.Marshal(rep, marshalOptions...)), asn1apptag.APREP)
	return gssFrame(2, b), nil
}

// gssFrame puts the token identifier and the mechanism in front of a message.
func gssFrame(id byte, message []byte) []byte {
	head := []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, id, 0}
	return asn1tools.AddASNAppTag(append(head, message...), 0)
}

func (a *kerberosAcceptor) wrap(plain []byte) (signature, sealed []byte) {
	et := must(crypto.GetEtype(a.key.KeyType))
	header := binary.BigEndian.AppendUint64([]byte{5, 4, 1 | 2 | a.flags, 0xff, 0, byte(a.extra), 0, 0}, a.out)
	message := append(append(bytes.Clone(plain), bytes.Repeat([]byte{0x5a}, a.extra)...), header...)
	_, c, err := et.EncryptMessage(a.key.KeyValue, message, keyusage.GSSAPI_ACCEPTOR_SEAL)
	if err != nil {
		panic(err)
	}
	a.out++
	if a.unrotate {
		token := append(header, c...)
		return token[:16], token[16:]
	}
	rrc := 16 + et.GetHMACBitLength()/8
	header[7] = byte(rrc)
	by := rrc
	if a.together {
		by += a.extra
	}
	token := append(append(header, c[len(c)-by:]...), c[:len(c)-by]...)
	n := len(token) - len(plain)
	return token[:n], token[n:]
}

// unwrap insists on the form that MIT and Windows read: EC 0, all but the data in front.
func (a *kerberosAcceptor) unwrap(signature, sealed []byte) ([]byte, error) {
	et := must(crypto.GetEtype(a.key.KeyType))
	rrc := 16 + et.GetHMACBitLength()/8
	if len(signature) != 16+rrc+16 {
		return nil, fmt.Errorf("signature of %d bytes", len(signature))
	}
	want := binary.BigEndian.AppendUint64([]byte{5, 4, 2 | a.flags, 0xff, 0, 0, 0, byte(rrc)}, a.in)
	if !bytes.Equal(signature[:16], want) {
		return nil, fmt.Errorf("header % x, want % x", signature[:16], want)
	}
	c := append(bytes.Clone(signature[16:]), sealed...)
	b, err := et.DecryptMessage(a.key.KeyValue, append(bytes.Clone(c[rrc:]), c[:rrc]...), keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil {
		return nil, err
	}
	want[7] = 0
	if !bytes.HasSuffix(b, want) {
		return nil, fmt.Errorf("header copy % x", b[len(b)-16:])
	}
	a.in++
	return b[:len(b)-16], nil
}
