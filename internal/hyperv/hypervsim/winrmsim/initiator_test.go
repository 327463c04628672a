package winrmsim_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rc4"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:staticcheck // the NT hash is MD4 (MS-NLMP 3.3.1)

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// ntlmClient is an NTLMv2 client for what the product's own never does: a MIC
// over SPNEGO's mechanism list, a missing or wrong MIC, a request without
// sealing.
type ntlmClient struct {
	user, password string
	flags          uint32
	breakMIC       bool

	negotiate []byte
	out, in   direction
}

const wantedFlags = 0x2000000 | 0x1 | 0x4 | 0x10 | 0x20 | 0x200 | 0x8000 | 0x80000 | 0x800000 | 0x20000000 | 0x40000000

// direction is one half of an established context.
type direction struct {
	sign, seal []byte
	stream     *rc4.Cipher
	sequence   uint32
}

func newDirection(session []byte, name string) direction {
	key := func(what string) []byte {
		sum := md5.Sum(append(bytes.Clone(session), "session key to "+name+" "+what+" key magic constant\x00"...))
		return sum[:]
	}
	d := direction{sign: key("signing"), seal: key("sealing")}
	d.restart()
	return d
}

func (d *direction) restart() {
	stream, err := rc4.NewCipher(d.seal)
	if err != nil {
		panic(err)
	}
	d.stream = stream
}

func (d *direction) mac(plain []byte) []byte {
	sequence := binary.LittleEndian.AppendUint32(nil, d.sequence)
	sum := md5HMAC(d.sign, sequence, plain)[:8]
	d.stream.XORKeyStream(sum, sum)
	d.sequence++
	return append(append([]byte{1, 0, 0, 0}, sum...), sequence...)
}

func md5HMAC(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func littleUTF16(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// Next implements secure.Context.
func (c *ntlmClient) Next(_ context.Context, in []byte) ([]byte, bool, error) {
	if in == nil {
		b := binary.LittleEndian.AppendUint32([]byte("NTLMSSP\x00\x01\x00\x00\x00"), c.flags)
		c.negotiate = append(b, make([]byte, 24)...)
		return c.negotiate, false, nil
	}
	if c.out.stream != nil {
		return nil, false, errors.New("rejected")
	}
	return c.authenticate(in), true, nil
}

func (c *ntlmClient) authenticate(challenge []byte) []byte {
	size, offset := binary.LittleEndian.Uint16(challenge[40:]), binary.LittleEndian.Uint32(challenge[44:])
	info := bytes.Clone(challenge[offset : offset+uint32(size)-4]) // without the end
	info = append(info, 6, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0)        // announces a MIC
	h := md4.New()
	h.Write(littleUTF16(c.password))
	domain, name, _ := strings.Cut(c.user, `\`)
	key := md5HMAC(h.Sum(nil), littleUTF16(strings.ToUpper(name)+domain))
	random := make([]byte, 24)
	_, _ = rand.Read(random)
	temp := bytes.Join([][]byte{{1, 1, 0, 0, 0, 0, 0, 0}, make([]byte, 8), random[:8], make([]byte, 4), info, make([]byte, 4)}, nil)
	proof := md5HMAC(key, challenge[24:32], temp)
	session := random[8:]
	exchange, err := rc4.NewCipher(md5HMAC(key, proof))
	if err != nil {
		panic(err)
	}
	encrypted := make([]byte, 16)
	exchange.XORKeyStream(encrypted, session)
	message, payload := []byte("NTLMSSP\x00\x03\x00\x00\x00"), []byte(nil)
	for _, f := range [][]byte{make([]byte, 24), append(bytes.Clone(proof), temp...), littleUTF16(domain), littleUTF16(name), nil, encrypted} {
		message = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(message, uint16(len(f))), uint16(len(f)))
		message = binary.LittleEndian.AppendUint32(message, uint32(88+len(payload)))
		payload = append(payload, f...)
	}
	message = binary.LittleEndian.AppendUint32(message, binary.LittleEndian.Uint32(challenge[20:]))
	message = append(append(message, make([]byte, 24)...), payload...)
	copy(message[72:], md5HMAC(session, c.negotiate, challenge, message))
	if c.breakMIC {
		message[72] ^= 1
	}
	c.out, c.in = newDirection(session, "client-to-server"), newDirection(session, "server-to-client")
	return message
}

// Wrap implements secure.Context.
func (c *ntlmClient) Wrap(plain []byte) (signature, sealed []byte, err error) {
	sealed = make([]byte, len(plain))
	c.out.stream.XORKeyStream(sealed, plain)
	return c.out.mac(plain), sealed, nil
}

// Unwrap implements secure.Context.
func (c *ntlmClient) Unwrap(signature, sealed []byte) ([]byte, error) {
	plain := make([]byte, len(sealed))
	c.in.stream.XORKeyStream(plain, sealed)
	if !hmac.Equal(signature, c.in.mac(plain)) {
		return nil, errors.New("bad seal")
	}
	return plain, nil
}

// TestNTLM_weak refuses handshakes that are not what a Windows client does now.
func TestNTLM_weak(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		client ntlmClient
		status int
	}{
		{"good", ntlmClient{flags: wantedFlags}, http.StatusOK},
		{"no Unicode in the first message", ntlmClient{flags: wantedFlags &^ 1}, http.StatusOK},
		{"no sealing", ntlmClient{flags: wantedFlags &^ 0x20}, http.StatusUnauthorized},
		{"no key exchange", ntlmClient{flags: wantedFlags &^ 0x40000000}, http.StatusUnauthorized},
		{"no 128 bits", ntlmClient{flags: wantedFlags &^ 0x20000000}, http.StatusUnauthorized},
		{"wrong MIC", ntlmClient{flags: wantedFlags, breakMIC: true}, http.StatusUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, newHost(t))
			x := test.client
			x.user, x.password = hypervsim.DefaultUser, hypervsim.DefaultPassword
			if got := p.establish(&x); got != test.status {
				t.Fatalf("logon = %d, want %d", got, test.status)
			}
			if test.status == http.StatusOK {
				p.send(getService()).wantOK(t, "vhdsvc")
			}
		})
	}
}

// micClient exchanges codes over the mechanism list with the last tokens.
type micClient struct {
	ntlmClient
	list    []byte
	step    int
	badCode bool
}

// Next implements secure.Context.
func (c *micClient) Next(ctx context.Context, in []byte) ([]byte, bool, error) {
	answer := negotiation{State: -1}
	if c.step > 0 {
		var wrapper asn1.RawValue
		if _, err := asn1.Unmarshal(in, &wrapper); err != nil {
			return nil, false, err
		}
		if _, err := asn1.Unmarshal(wrapper.Bytes, &answer); err != nil {
			return nil, false, err
		}
	}
	c.step++
	switch c.step {
	case 1:
		c.list = must(asn1.Marshal([]asn1.ObjectIdentifier{oidNTLM}))
		token, _, _ := c.ntlmClient.Next(ctx, nil)
		return (&spnego{offer: []asn1.ObjectIdentifier{oidNTLM}}).first(token), false, nil
	case 2:
		token, _, err := c.ntlmClient.Next(ctx, answer.Token)
		code := c.out.mac(c.list)
		if c.badCode {
			code[5] ^= 1
		}
		return tagged(asn1.ClassContextSpecific, 1, must(asn1.Marshal(negotiation{State: -1, Token: token, MIC: code}))), false, err
	}
	if answer.State != 0 || !hmac.Equal(answer.MIC, c.in.mac(c.list)) {
		return nil, false, errors.New("the host's code is wrong")
	}
	c.out.restart()
	c.in.restart()
	return nil, true, nil
}

// TestSPNEGO_mic: with codes over the mechanism list the key streams start again
// and the first message is number one.
func TestSPNEGO_mic(t *testing.T) {
	t.Parallel()
	for _, bad := range []bool{false, true} {
		p := newPeer(t, newHost(t))
		x := &micClient{ntlmClient: ntlmClient{user: hypervsim.DefaultUser, password: hypervsim.DefaultPassword, flags: wantedFlags}, badCode: bad}
		status := p.establish(x)
		if bad {
			if status != http.StatusUnauthorized {
				t.Errorf("a wrong code: logon = %d, want 401", status)
			}
			continue
		}
		if status != http.StatusOK {
			t.Fatalf("logon = %d", status)
		}
		if x.out.sequence != 1 {
			t.Errorf("the first message has number %d, want 1", x.out.sequence)
		}
		p.send(getService()).wantOK(t, "vhdsvc")
		p.send(getService()).wantOK(t, "vhdsvc")
	}
}
