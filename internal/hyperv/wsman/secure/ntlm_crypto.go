package secure

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"encoding/binary"

	"golang.org/x/crypto/md4" //nolint:staticcheck // NTLM is defined on MD4 (MS-NLMP 3.3.1)
)

// ntHash returns what hosts keep of a password (MS-NLMP 3.3.1).
func ntHash(password string) []byte {
	h := md4.New()
	h.Write(utf16le(password))
	return h.Sum(nil)
}

// ntowfv2 returns the key of one user, which stands for the password (MS-NLMP 3.3.2).
func ntowfv2(hash []byte, user, domain string) []byte {
	return hmacMD5(hash, utf16le(upper(user)+domain))
}

// ntlmv2Response answers the challenge and derives the session base key
// (MS-NLMP 3.3.2).
func ntlmv2Response(key, serverNonce, clientNonce, timestamp, info []byte) (response, baseKey []byte) {
	temp := bytes.Join([][]byte{{1, 1, 0, 0, 0, 0, 0, 0}, timestamp, clientNonce, make([]byte, 4), info, make([]byte, 4)}, nil)
	proof := hmacMD5(key, serverNonce, temp)
	return append(bytes.Clone(proof), temp...), hmacMD5(key, proof)
}

func rc4Once(key, in []byte) []byte {
	out := make([]byte, len(in))
	newRC4(key).XORKeyStream(out, in)
	return out
}

func newRC4(key []byte) *rc4.Cipher {
	c, err := rc4.NewCipher(key)
	if err != nil {
		panic(err) // every key here is an MD5 sum: 16 bytes
	}
	return c
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// Directions of a session, as the key derivation names them (MS-NLMP 3.4.5).
const (
	clientToServer = "client-to-server"
	serverToClient = "server-to-client"
)

// ntlmHalf seals or opens the messages of one direction (MS-NLMP 3.4.3, 3.4.4.2).
type ntlmHalf struct {
	signKey  []byte
	stream   *rc4.Cipher
	sequence uint32
}

func newNTLMHalf(sessionKey []byte, direction string) *ntlmHalf {
	return &ntlmHalf{
		signKey: directionKey(sessionKey, direction, "signing"),
		stream:  newRC4(directionKey(sessionKey, direction, "sealing")),
	}
}

func directionKey(sessionKey []byte, direction, use string) []byte {
	magic := "session key to " + direction + " " + use + " key magic constant\x00"
	sum := md5.Sum(append(bytes.Clone(sessionKey), magic...))
	return sum[:]
}

func (h *ntlmHalf) seal(plain []byte) (signature, sealed []byte) {
	sealed = make([]byte, len(plain))
	h.stream.XORKeyStream(sealed, plain)
	return h.signature(plain), sealed
}

func (h *ntlmHalf) open(signature, sealed []byte) ([]byte, bool) {
	plain := make([]byte, len(sealed))
	h.stream.XORKeyStream(plain, sealed)
	if !hmac.Equal(signature, h.signature(plain)) {
		return nil, false
	}
	return plain, true
}

// signature runs the checksum through the key stream, after the message: the order
// is part of the protocol.
func (h *ntlmHalf) signature(plain []byte) []byte {
	sequence := binary.LittleEndian.AppendUint32(nil, h.sequence)
	checksum := hmacMD5(h.signKey, sequence, plain)[:8]
	h.stream.XORKeyStream(checksum, checksum)
	h.sequence++
	return bytes.Join([][]byte{{1, 0, 0, 0}, checksum, sequence}, nil)
}
