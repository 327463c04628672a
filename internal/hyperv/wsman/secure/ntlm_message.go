package secure

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf16"
)

// Negotiate flags (MS-NLMP 2.2.2.5).
const (
	flagUnicode       = 0x00000001
	flagRequestTarget = 0x00000004 // some acceptors send target information only if asked
	flagSign          = 0x00000010
	flagSeal          = 0x00000020
	flagNTLM          = 0x00000200
	flagAlwaysSign    = 0x00008000
	flagESS           = 0x00080000 // extended session security
	flagTargetInfo    = 0x00800000
	flagVersion       = 0x02000000
	flag128           = 0x20000000
	flagKeyExchange   = 0x40000000
	flag56            = 0x80000000

	// ntlmRequired holds the flags that a context needs in order to seal with its own key.
	ntlmRequired = flagUnicode | flagSign | flagSeal | flagESS | flag128 | flagKeyExchange
	ntlmFlags    = ntlmRequired | flagRequestTarget | flagNTLM | flagAlwaysSign | flagTargetInfo | flagVersion | flag56
)

const (
	ntlmSignature = "NTLMSSP\x00"

	typeNegotiate    = 1
	typeChallenge    = 2
	typeAuthenticate = 3

	negotiateSize    = 40 // with Version
	challengeSize    = 48 // without Version, as some acceptors send it
	authenticateSize = 88 // with Version and MIC
	micOffset        = 72

	maxNTLMMessage = 1<<16 - 1 // lengths have 16 bits
)

// ntlmVersion is Windows 10.0.19041 with revision 15 of the protocol. Some
// acceptors refuse messages without a version.
var ntlmVersion = [8]byte{10, 0, 0x61, 0x4a, 0, 0, 0, 15}

func ntlmHeader(messageType uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte(ntlmSignature), messageType)
}

// negotiateMessage returns the first message (MS-NLMP 2.2.1.1), without names.
func negotiateMessage() []byte {
	b := binary.LittleEndian.AppendUint32(ntlmHeader(typeNegotiate), ntlmFlags)
	b = append(b, make([]byte, 16)...)
	return append(b, ntlmVersion[:]...)
}

// ntlmChallenge holds the parts of a challenge that matter (MS-NLMP 2.2.1.2).
type ntlmChallenge struct {
	flags uint32
	nonce []byte
	info  avPairs
}

func parseChallenge(b []byte) (ntlmChallenge, error) {
	var c ntlmChallenge
	if len(b) < challengeSize || !bytes.HasPrefix(b, ntlmHeader(typeChallenge)) {
		return c, fmt.Errorf("%w: not a challenge", ErrMalformed)
	}
	c.flags = binary.LittleEndian.Uint32(b[20:])
	c.nonce = b[24:32]
	info, ok := field(b, 40)
	if !ok {
		return c, fmt.Errorf("%w: target information out of bounds", ErrMalformed)
	}
	var err error
	c.info, err = parseAvPairs(info)
	return c, err
}

// check refuses a challenge that leads to a context without sealing, or to a
// handshake without MIC.
//
// The challenge is not authenticated when it is answered, and the first sealed message goes along
// with that answer. An attacker in between can clear the sealing flags; only the MIC reveals that
// to the host, and the client adds a MIC only if the challenge carries a timestamp (MS-NLMP
// 3.1.5.1.2). So neither may be missing.
func (c ntlmChallenge) check() error {
	if c.flags&ntlmRequired != ntlmRequired || c.info.timestamp() == nil {
		return ErrWeakContext
	}
	return nil
}

// authenticateMessage is the last message (MS-NLMP 2.2.1.3).
type authenticateMessage struct {
	flags        uint32
	domain, user string
	response     []byte
	encryptedKey []byte
}

// encode lays the message out with a zero MIC.
func (m authenticateMessage) encode() []byte {
	// Where the challenge has a timestamp, the LM response is 24 zero bytes.
	fields := [][]byte{make([]byte, 24), m.response, utf16le(m.domain), utf16le(m.user), nil, m.encryptedKey}
	b := ntlmHeader(typeAuthenticate)
	var payload []byte
	for _, f := range fields {
		b = appendField(b, len(f), authenticateSize+len(payload))
		payload = append(payload, f...)
	}
	b = binary.LittleEndian.AppendUint32(b, m.flags)
	b = append(b, ntlmVersion[:]...)
	b = append(b, make([]byte, 16)...)
	return append(b, payload...)
}

// sign writes the MIC, which covers the whole handshake, into the encoded message.
func (authenticateMessage) sign(encoded, sessionKey, negotiate, challenge []byte) {
	copy(encoded[micOffset:], hmacMD5(sessionKey, negotiate, challenge, encoded))
}

// field reads the payload that the length and offset at b[at:] point to.
func field(b []byte, at int) ([]byte, bool) {
	n := uint64(binary.LittleEndian.Uint16(b[at:]))
	offset := uint64(binary.LittleEndian.Uint32(b[at+4:]))
	if n == 0 {
		return nil, true
	}
	if offset+n > uint64(len(b)) {
		return nil, false
	}
	return b[offset : offset+n], true
}

func appendField(b []byte, n, offset int) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(n))         //nolint:gosec // maxNTLMMessage
	b = binary.LittleEndian.AppendUint16(b, uint16(n))         //nolint:gosec // as above
	return binary.LittleEndian.AppendUint32(b, uint32(offset)) //nolint:gosec // as above
}

func utf16le(s string) []byte {
	units := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func fromUTF16LE(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
