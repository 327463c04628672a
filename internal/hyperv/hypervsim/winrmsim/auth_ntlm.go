package winrmsim

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:staticcheck // the NT hash is MD4 (MS-NLMP 3.3.1)
)

// Flags of NTLM messages (MS-NLMP 2.2.2.5).
const (
	ntlmUnicode    = 0x1
	ntlmTarget     = 0x4
	ntlmSign       = 0x10
	ntlmSeal       = 0x20
	ntlmNTLM       = 0x200
	ntlmAlwaysSign = 0x8000
	ntlmServer     = 0x20000
	ntlmExtended   = 0x80000
	ntlmTargetInfo = 0x800000
	ntlmVersion    = 0x2000000
	ntlm128        = 0x20000000
	ntlmKeyExch    = 0x40000000
	ntlm56         = 0x80000000
	ntlmNeeded     = ntlmUnicode | ntlmSign | ntlmSeal | ntlmExtended | ntlm128 | ntlmKeyExch
)

// Identifiers in target information (MS-NLMP 2.2.2.1).
const (
	avEnd             = 0
	avNetBIOSComputer = 1
	avNetBIOSDomain   = 2
	avDNSComputer     = 3
	avDNSDomain       = 4
	avFlags           = 6
	avTimestamp       = 7
	avBinding         = 10
)

const ntlmSignature = "NTLMSSP\x00"

func isNTLM(token []byte) bool { return bytes.HasPrefix(token, []byte(ntlmSignature)) }

// ntlmAcceptor accepts one NTLMv2 context with sealing, and nothing weaker.
type ntlmAcceptor struct {
	computer string
	domain   string // NetBIOS and
	dns      string // DNS name; those of the computer in a workgroup
	find     func(name, domain string) (Account, bool)
	judge    func(a Account, right bool) bool
	binding  []byte
	strict   bool
	now      func() time.Time

	negotiate, challenge []byte
	nonce                [8]byte
	in, out              ntlmHalf
	account              Account
}

func (s *Server) newNTLM() *ntlmAcceptor {
	o := s.config
	return &ntlmAcceptor{
		computer: o.ComputerName, domain: cmp.Or(o.Domain, o.ComputerName), dns: cmp.Or(o.DNSDomain, o.ComputerName), find: s.findUser, judge: o.Accounts.judge,
		binding: s.binding(), strict: s.config.StrictBinding, now: s.config.Clock,
	}
}

// ntlmHalf is one direction of an established context.
type ntlmHalf struct {
	sign, seal []byte
	stream     *rc4.Cipher
	sequence   uint32
}

func (n *ntlmAcceptor) user() string { return n.account.String() }

// step takes NEGOTIATE_MESSAGE and returns CHALLENGE_MESSAGE, then takes
// AUTHENTICATE_MESSAGE.
func (n *ntlmAcceptor) step(in []byte) (out []byte, done bool, err error) {
	if len(in) < 16 || !isNTLM(in) {
		return nil, false, errMalformedToken
	}
	switch kind := binary.LittleEndian.Uint32(in[8:]); {
	case kind == 1 && n.challenge == nil:
		out, err = n.answerNegotiate(in)
		return out, false, err
	case kind == 3 && n.challenge != nil && n.out.stream == nil:
		if err := n.authenticate(in); err != nil {
			return nil, false, err
		}
		return nil, true, nil
	}
	return nil, false, errOutOfOrder
}

// answerNegotiate makes the challenge. It is Unicode whatever the client says.
func (n *ntlmAcceptor) answerNegotiate(in []byte) ([]byte, error) {
	asked := binary.LittleEndian.Uint32(in[12:])
	if asked|ntlmUnicode|^uint32(ntlmNeeded) != 0xffffffff {
		return nil, errNoSealing
	}
	flags := asked&(ntlmNeeded|ntlm56) | ntlmUnicode | ntlmTarget | ntlmNTLM | ntlmAlwaysSign | ntlmServer | ntlmTargetInfo | ntlmVersion
	n.negotiate = bytes.Clone(in)
	if _, err := rand.Read(n.nonce[:]); err != nil {
		return nil, err
	}
	computer, name := utf16Bytes(n.computer), utf16Bytes(n.domain)
	info := bytes.Join([][]byte{
		avPair(avNetBIOSDomain, name), avPair(avNetBIOSComputer, computer),
		avPair(avDNSDomain, utf16Bytes(n.dns)), avPair(avDNSComputer, computer),
		avPair(avTimestamp, binary.LittleEndian.AppendUint64(nil, fileTime(n.now()))),
		avPair(avEnd, nil),
	}, nil)
	const payload = 56
	b := append([]byte(ntlmSignature), 2, 0, 0, 0)
	b = appendField(b, len(name), payload)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, n.nonce[:]...)
	b = append(b, make([]byte, 8)...)
	b = appendField(b, len(info), payload+len(name))
	b = append(b, 10, 0, 0x7c, 0x4f, 0, 0, 0, 15) // version 10.0.20348, NTLM revision 15
	n.challenge = append(append(b, name...), info...)
	return n.challenge, nil
}

func avPair(id uint16, value []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, id)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value))) //nolint:gosec // lengths of a few names
	return append(b, value...)
}

func appendField(b []byte, size, offset int) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(size))      //nolint:gosec // lengths of a few names
	b = binary.LittleEndian.AppendUint16(b, uint16(size))      //nolint:gosec // lengths of a few names
	return binary.LittleEndian.AppendUint32(b, uint32(offset)) //nolint:gosec // lengths of a few names
}

// fileTime counts 100 ns since 1601.
func fileTime(t time.Time) uint64 {
	const epoch = 116444736000000000
	return uint64(t.UnixNano()/100) + epoch
}

// ntlmField returns the bytes that a field of a message refers to, nil if they
// lie outside of it.
func ntlmField(message []byte, at int) []byte {
	size := uint64(binary.LittleEndian.Uint16(message[at:]))
	offset := uint64(binary.LittleEndian.Uint32(message[at+4:]))
	if offset+size > uint64(len(message)) {
		return nil
	}
	return message[offset : offset+size]
}

// authenticate checks the last message (MS-NLMP 3.2.5.2.2).
func (n *ntlmAcceptor) authenticate(m []byte) error {
	if len(m) < 64 {
		return errMalformedToken
	}
	response, encryptedKey := ntlmField(m, 20), ntlmField(m, 52)
	domain, name := utf16Text(ntlmField(m, 28)), utf16Text(ntlmField(m, 36))
	if flags := binary.LittleEndian.Uint32(m[60:]); flags&ntlmNeeded != ntlmNeeded {
		return errNoSealing
	}
	const proofSize, fixedSize = 16, 28
	if len(response) < proofSize+fixedSize || len(encryptedKey) != 16 {
		return errMalformedToken
	}
	proof, client := response[:proofSize], response[proofSize:]
	a, known := n.find(name, domain)
	key := hmacMD5(ntHash(a.Password), utf16Bytes(upper(name)+domain))
	if right := hmac.Equal(proof, hmacMD5(key, n.nonce[:], client)); !known || !n.judge(a, right) {
		return errLogon
	}
	session := make([]byte, 16)
	exchange, err := rc4.NewCipher(hmacMD5(key, proof))
	if err != nil {
		return err
	}
	exchange.XORKeyStream(session, encryptedKey)
	info := avPairs(client[fixedSize:])
	if err := n.checkMIC(m, session, info); err != nil {
		return err
	}
	if err := checkBinding(info[avBinding], n.binding, n.strict); err != nil {
		return err
	}
	if n.in, err = newNTLMHalf(session, "client-to-server"); err != nil {
		return err
	}
	n.out, err = newNTLMHalf(session, "server-to-client")
	n.account = a
	return err
}

// checkMIC checks the code over the whole handshake when the client announces
// one. Windows clients announce it whenever the challenge has a timestamp.
func (n *ntlmAcceptor) checkMIC(m, session []byte, info map[uint16][]byte) error {
	const at, announced = 72, 2
	if f := info[avFlags]; len(f) != 4 || f[0]&announced == 0 {
		return nil
	}
	if len(m) < at+16 {
		return errMalformedToken
	}
	zeroed := bytes.Clone(m)
	copy(zeroed[at:at+16], make([]byte, 16))
	if !hmac.Equal(m[at:at+16], hmacMD5(session, n.negotiate, n.challenge, zeroed)) {
		return errors.New("wrong message integrity code")
	}
	return nil
}

// checkBinding compares the hash of the channel binding. A hash that is missing
// or zero passes unless the host is strict (CbtHardeningLevel Relaxed).
func checkBinding(got, binding []byte, strict bool) error {
	if binding == nil {
		return nil
	}
	if len(got) == 0 || bytes.Equal(got, make([]byte, len(got))) {
		if strict {
			return errBinding
		}
		return nil
	}
	// gss_channel_bindings_struct without addresses (RFC 4121 4.1.1.2).
	data := binary.LittleEndian.AppendUint32(make([]byte, 16), uint32(len(binding))) //nolint:gosec // lengths of a few names
	want := md5.Sum(append(data, binding...))
	if !hmac.Equal(got, want[:]) {
		return errBinding
	}
	return nil
}

func avPairs(b []byte) map[uint16][]byte {
	pairs := map[uint16][]byte{}
	for len(b) >= 4 {
		id, size := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if id == avEnd || len(b) < 4+size {
			break
		}
		pairs[id], b = b[4:4+size], b[4+size:]
	}
	return pairs
}

func newNTLMHalf(session []byte, direction string) (ntlmHalf, error) {
	key := func(purpose string) []byte {
		constant := "session key to " + direction + " " + purpose + " key magic constant\x00"
		sum := md5.Sum(append(bytes.Clone(session), constant...))
		return sum[:]
	}
	h := ntlmHalf{sign: key("signing"), seal: key("sealing")}
	return h, h.restart()
}

// restart begins the key stream anew; the sequence number goes on. SPNEGO does
// so after the mechListMIC (MS-SPNG 3.3.5.1).
func (h *ntlmHalf) restart() (err error) {
	h.stream, err = rc4.NewCipher(h.seal)
	return err
}

// mac signs a message and moves on to the next sequence number.
func (h *ntlmHalf) mac(plain []byte) []byte {
	sequence := binary.LittleEndian.AppendUint32(nil, h.sequence)
	sum := hmacMD5(h.sign, sequence, plain)[:8]
	h.stream.XORKeyStream(sum, sum)
	h.sequence++
	return append(append([]byte{1, 0, 0, 0}, sum...), sequence...)
}

func (n *ntlmAcceptor) wrap(plain []byte) (signature, sealed []byte, err error) {
	if n.out.stream == nil {
		return nil, nil, errOutOfOrder
	}
	sealed = make([]byte, len(plain))
	n.out.stream.XORKeyStream(sealed, plain)
	return n.out.mac(plain), sealed, nil
}

func (n *ntlmAcceptor) unwrap(signature, sealed []byte) ([]byte, error) {
	if n.in.stream == nil {
		return nil, errOutOfOrder
	}
	plain := make([]byte, len(sealed))
	n.in.stream.XORKeyStream(plain, sealed)
	if !hmac.Equal(signature, n.in.mac(plain)) {
		return nil, errBadSeal
	}
	return plain, nil
}

func ntHash(password string) []byte {
	h := md4.New()
	h.Write(utf16Bytes(password))
	return h.Sum(nil)
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func utf16Text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
