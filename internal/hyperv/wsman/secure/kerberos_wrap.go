package secure

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"github.com/go-krb5/krb5/crypto"
	"github.com/go-krb5/krb5/crypto/etype"
	"github.com/go-krb5/krb5/iana/etypeID"
	"github.com/go-krb5/krb5/iana/keyusage"
	"github.com/go-krb5/krb5/types"
)

// kerberosTypes are the encryption types in use, the most widely spoken first.
// RC4 and DES are neither asked for nor accepted.
var kerberosTypes = []int32{
	etypeID.AES256_CTS_HMAC_SHA1_96,
	etypeID.AES128_CTS_HMAC_SHA1_96,
	etypeID.AES256_CTS_HMAC_SHA384_192,
	etypeID.AES128_CTS_HMAC_SHA256_128,
}

// kerberosKey is a key with the algorithms of its type.
type kerberosKey struct {
	types.EncryptionKey

	algorithm etype.EType
}

func newKerberosKey(k types.EncryptionKey) (kerberosKey, error) {
	var size int
	switch k.KeyType {
	case etypeID.AES128_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA256_128:
		size = 16
	case etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES256_CTS_HMAC_SHA384_192:
		size = 32
	default:
		return kerberosKey{}, fmt.Errorf("%w: encryption type %d", ErrNoAES, k.KeyType)
	}
	if len(k.KeyValue) != size {
		return kerberosKey{}, fmt.Errorf("%w: key of %d bytes for encryption type %d", ErrMalformed, len(k.KeyValue), k.KeyType)
	}
	algorithm, err := crypto.GetEtype(k.KeyType)
	if err != nil {
		return kerberosKey{}, err
	}
	return kerberosKey{EncryptionKey: k, algorithm: algorithm}, nil
}

func (k kerberosKey) checksumSize() int { return k.algorithm.GetHMACBitLength() / 8 }

func (k kerberosKey) encrypt(plain []byte, usage uint32) ([]byte, error) {
	_, out, err := k.algorithm.EncryptMessage(k.KeyValue, plain, usage)
	return out, err
}

func (k kerberosKey) decrypt(b []byte, usage uint32) ([]byte, error) {
	if len(b) < k.algorithm.GetConfounderByteSize()+k.checksumSize() {
		return nil, ErrMalformed
	}
	return k.algorithm.DecryptMessage(k.KeyValue, b, usage)
}

// Flags of a wrap token (RFC 4121 4.2.2).
const (
	wrapByAcceptor     = 1
	wrapSealed         = 2
	wrapAcceptorSubkey = 4

	wrapHeaderSize = 16
)

// wrapHeader has EC and RRC zero, as in the copy within the ciphertext.
func wrapHeader(flags byte, sequence uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{5, 4, flags, 0xff, 0, 0, 0, 0}, sequence)
}

// kerberosChannel seals and opens the messages of an established context
// (RFC 4121 4.2.4).
type kerberosChannel struct {
	key     kerberosKey
	flags   byte // wrapAcceptorSubkey or nothing
	out, in uint64
	broken  bool
}

// wrap makes the token the way Windows' EncryptMessage lays it out: EC is zero, and everything but
// the data is rotated to the front. The bytes in front of the data are the signature: header,
// rotated checksum and header copy, confounder.
func (c *kerberosChannel) wrap(plain []byte) (signature, sealed []byte, err error) {
	header := wrapHeader(c.flags|wrapSealed, c.out)
	encrypted, err := c.key.encrypt(append(bytes.Clone(plain), header...), keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil {
		return nil, nil, err
	}
	c.out++
	rotation := wrapHeaderSize + c.key.checksumSize()
	binary.BigEndian.PutUint16(header[6:], uint16(rotation)) //nolint:gosec // at most 40
	token := append(header, rotateLeft(encrypted, len(encrypted)-rotation)...)
	n := wrapHeaderSize + rotation + c.key.algorithm.GetConfounderByteSize()
	return token[:n:n], token[n:], nil
}

// unwrap takes any rotation, and filler if the host adds it. Sequence numbers must follow one
// another without a gap: a connection neither loses nor reorders messages.
func (c *kerberosChannel) unwrap(signature, sealed []byte) ([]byte, error) {
	if c.broken {
		return nil, ErrTampered
	}
	plain, err := c.open(append(bytes.Clone(signature), sealed...))
	if err != nil {
		c.broken = true
		return nil, err
	}
	c.in++
	return plain, nil
}

func (c *kerberosChannel) open(token []byte) ([]byte, error) {
	smallest := wrapHeaderSize + c.key.algorithm.GetConfounderByteSize() + wrapHeaderSize + c.key.checksumSize()
	if len(token) < smallest {
		return nil, fmt.Errorf("%w: short token", ErrMalformed)
	}
	header, encrypted := token[:wrapHeaderSize], token[wrapHeaderSize:]
	want := wrapHeader(c.flags|wrapSealed|wrapByAcceptor, c.in)
	copy(want[4:6], header[4:6])
	if !bytes.Equal(header[:6], want[:6]) || !bytes.Equal(header[8:], want[8:]) {
		return nil, fmt.Errorf("%w: not the next message", ErrTampered)
	}
	extra, rotation := int(binary.BigEndian.Uint16(header[4:])), int(binary.BigEndian.Uint16(header[6:]))
	plain, err := c.decrypt(encrypted, rotation)
	if err != nil && extra > 0 {
		// Unverified on a real host (kerberos-ec-rotation): with filler, Windows is said to rotate
		// by EC and RRC together. The checksum shows which of the two it was.
		plain, err = c.decrypt(encrypted, rotation+extra)
	}
	if err != nil || len(plain) < wrapHeaderSize+extra {
		return nil, ErrTampered
	}
	data, trailer := plain[:len(plain)-wrapHeaderSize], plain[len(plain)-wrapHeaderSize:]
	if subtle.ConstantTimeCompare(trailer, want) != 1 {
		return nil, ErrTampered
	}
	return data[:len(data)-extra], nil
}

func (c *kerberosChannel) decrypt(encrypted []byte, rotation int) ([]byte, error) {
	return c.key.decrypt(rotateLeft(encrypted, rotation%len(encrypted)), keyusage.GSSAPI_ACCEPTOR_SEAL)
}

func rotateLeft(b []byte, n int) []byte {
	return append(bytes.Clone(b[n:]), b[:n]...)
}
