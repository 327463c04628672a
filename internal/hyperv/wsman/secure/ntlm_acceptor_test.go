package secure_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:staticcheck // NTLM is defined on MD4
)

// Negotiate flags of the acceptor below.
const (
	flagUnicode = 0x00000001
	flagSign    = 0x00000010
	flagSeal    = 0x00000020
	flagESS     = 0x00080000
	flag128     = 0x20000000
	flagKeyExch = 0x40000000

	sealFlags = flagUnicode | flagSign | flagSeal | flagESS | flag128 | flagKeyExch
)

// capitals is the part of the table of MS-UCODEREF 3.1.5.3 that the names of these tests need: a
// dotless i has no capital.
var capitals = strings.NewReplacer("a", "A", "d", "D", "e", "E", "g", "G", "i", "I", "j", "J", "l", "L", "m", "M", "n", "N",
	"o", "O", "r", "R", "s", "S", "t", "T", "u", "U", "x", "X", "y", "Y", "z", "Z", "c", "C", "p", "P", "ü", "Ü")

// ntlmAcceptor is the host's half of NTLMv2, written from MS-NLMP without any of the
// code under test, so that the two can disagree.
type ntlmAcceptor struct {
	password  string
	binding   []byte // demanded of the client if not nil
	flags     uint32 // of the challenge; 0: all
	noTime    bool   // leave the timestamp out of the challenge
	noInfo    bool   // leave the target information out altogether
	nameless  bool   // leave the name of the host out of it
	noVersion bool   // a challenge with a fixed part of 48 bytes, as old hosts send it
	honest    bool   // leave out target information that only a client may send

	negotiate, challenge []byte
	nonce                [8]byte

	user, domain string
	pairs        map[uint16][]byte // of the response
	in, out      *ntlmHalf
}

type ntlmHalf struct {
	sign []byte
	rc4  *rc4.Cipher
	seq  uint32
}

func av(id uint16, v []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, id)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(v)))
	return append(b, v...)
}

func securityBuffer(n, offset int) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(n))
	b = binary.LittleEndian.AppendUint16(b, uint16(n))
	return binary.LittleEndian.AppendUint32(b, uint32(offset))
}

// challengeFor answers a negotiate message.
func (a *ntlmAcceptor) challengeFor(negotiate []byte) []byte {
	a.negotiate = bytes.Clone(negotiate)
	_, _ = rand.Read(a.nonce[:])
	if a.flags == 0 {
		a.flags = sealFlags | 0x00828204
	}
	name := u16("HOST")
	parts := [][]byte{av(2, name), av(3, name), av(6, []byte{0xfd, 0xff, 0xff, 0xff})}
	if !a.nameless {
		parts = append(parts, av(1, name))
	}
	if !a.noTime {
		parts = append(parts, av(7, binary.LittleEndian.AppendUint64(nil, uint64(time.Now().UnixNano()/100)+116444736000000000)))
	}
	if !a.honest { // pairs that only a client may send must not be echoed
		parts = append(parts, av(9, u16("HTTP/evil")), av(10, make([]byte, 16)))
	}
	parts = append(parts, av(0, nil))
	info := bytes.Join(parts, nil)
	if a.noInfo {
		info = nil
	}
	head := 56
	if a.noVersion {
		head = 48
	}
	b := append([]byte("NTLMSSP\x00\x02\x00\x00\x00"), securityBuffer(len(name), head)...)
	b = binary.LittleEndian.AppendUint32(b, a.flags)
	b = append(append(b, a.nonce[:]...), make([]byte, 8)...)
	b = append(b, securityBuffer(len(info), head+len(name))...)
	if !a.noVersion {
		b = append(b, 10, 0, 0x61, 0x4a, 0, 0, 0, 15)
	}
	a.challenge = append(append(b, name...), info...)
	return bytes.Clone(a.challenge)
}

// accept checks an authenticate message.
func (a *ntlmAcceptor) accept(m []byte) error {
	if len(m) < 88 || !bytes.HasPrefix(m, []byte("NTLMSSP\x00\x03\x00\x00\x00")) {
		return errors.New("not an authenticate message")
	}
	get := func(at int) []byte {
		n, offset := int(binary.LittleEndian.Uint16(m[at:])), int(binary.LittleEndian.Uint32(m[at+4:]))
		return m[offset : offset+n]
	}
	lm, nt := get(12), get(20)
	a.domain, a.user = from16(get(28)), from16(get(36))
	if f := binary.LittleEndian.Uint32(m[60:]); f&sealFlags != sealFlags {
		return fmt.Errorf("flags %#x do not seal", f)
	}
	if !bytes.Equal(lm, make([]byte, 24)) {
		return errors.New("an LM response beside a timestamp")
	}
	h := md4.New()
	h.Write(u16(a.password))
	key := hmd5(h.Sum(nil), u16(capitals.Replace(a.user)+a.domain))
	proof, temp := nt[:16], nt[16:]
	if !hmac.Equal(proof, hmd5(key, a.nonce[:], temp)) {
		return errors.New("logon failure")
	}
	a.pairs = map[uint16][]byte{}
	for rest := temp[28:]; ; {
		id, n := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
		if id == 0 {
			break
		}
		if _, twice := a.pairs[id]; twice {
			return fmt.Errorf("pair %d twice", id)
		}
		a.pairs[id] = rest[4 : 4+n]
		rest = rest[4+n:]
	}
	session := make([]byte, 16)
	c, err := rc4.NewCipher(hmd5(key, proof))
	if err != nil {
		return err
	}
	c.XORKeyStream(session, get(52))
	if fl := a.pairs[6]; len(fl) != 4 || fl[0]&2 == 0 {
		return errors.New("no MIC announced")
	}
	zeroed := bytes.Clone(m)
	clear(zeroed[72:88])
	if !hmac.Equal(m[72:88], hmd5(session, a.negotiate, a.challenge, zeroed)) {
		return errors.New("wrong MIC")
	}
	if a.binding != nil && !bytes.Equal(a.pairs[10], bindingMD5(a.binding)) {
		return errors.New("wrong channel binding")
	}
	a.in, a.out = newNTLMHalf(session, "client-to-server"), newNTLMHalf(session, "server-to-client")
	return nil
}

func (a *ntlmAcceptor) wrap(plain []byte) (signature, sealed []byte) {
	sealed = make([]byte, len(plain))
	a.out.rc4.XORKeyStream(sealed, plain)
	return a.out.mac(plain), sealed
}

func (a *ntlmAcceptor) unwrap(signature, sealed []byte) ([]byte, error) {
	plain := make([]byte, len(sealed))
	a.in.rc4.XORKeyStream(plain, sealed)
	if !bytes.Equal(signature, a.in.mac(plain)) {
		return nil, errors.New("bad signature")
	}
	return plain, nil
}

func newNTLMHalf(session []byte, direction string) *ntlmHalf {
	key := func(use string) []byte {
		d := md5.Sum(append(bytes.Clone(session), "session key to "+direction+" "+use+" key magic constant\x00"...))
		return d[:]
	}
	c, err := rc4.NewCipher(key("sealing"))
	if err != nil {
		panic(err)
	}
	return &ntlmHalf{sign: key("signing"), rc4: c}
}

func (h *ntlmHalf) mac(plain []byte) []byte {
	s := binary.LittleEndian.AppendUint32(nil, h.seq)
	sum := hmd5(h.sign, s, plain)[:8]
	h.rc4.XORKeyStream(sum, sum)
	h.seq++
	return append(append([]byte{1, 0, 0, 0}, sum...), s...)
}

func hmd5(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func bindingMD5(binding []byte) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 16), uint32(len(binding)))
	d := md5.Sum(append(b, binding...))
	return d[:]
}

func u16(s string) []byte {
	var b []byte
	for _, r := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, r)
	}
	return b
}

func from16(b []byte) string {
	r := make([]uint16, len(b)/2)
	for i := range r {
		r[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(r))
}
