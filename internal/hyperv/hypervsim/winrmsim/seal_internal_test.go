package winrmsim

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func sealedExample() *sealedPart {
	return &sealedPart{protocol: protocolNegotiate, content: "application/soap+xml;charset=UTF-8", length: 3, signature: []byte("signature of 16!"), data: []byte("\r\n-")}
}

// TestDecodeSealed reads the forms that clients send and nothing else.
func TestDecodeSealed(t *testing.T) {
	t.Parallel()
	good := sealedExample().encode()
	change := func(old, replacement string) []byte {
		return bytes.Replace(good, []byte(old), []byte(replacement), 1)
	}
	long := bytes.Clone(good)
	at := bytes.Index(long, []byte("octet-stream\r\n")) + len("octet-stream\r\n")
	binary.LittleEndian.PutUint32(long[at:], 1025)
	tests := []struct {
		name string
		body []byte
		ok   bool
	}{
		{"as Windows", good, true},
		{"no TAB", bytes.ReplaceAll(good, []byte("\t"), nil), true},
		{"space in the delimiter", bytes.ReplaceAll(good, []byte("--Encrypted"), []byte("-- Encrypted")), true},
		{"quoted charset", change("charset=UTF-8", `charset="utf-8"`), true},
		{"other protocol", change("SPNEGO", "Kerberos"), false},
		{"other content", change("soap+xml", "xml"), false},
		{"no length", change(";Length=3", ""), false},
		{"negative length", change("Length=3", "Length=-3"), false},
		{"more than there is", change("Length=3", "Length=4"), false},
		{"no second part", change("octet-stream", "json"), false},
		{"no end", good[:len(good)-2], false},
		{"long signature", long, false},
		{"nothing", nil, false},
	}
	for _, test := range tests {
		p, err := decodeSealed(test.body, protocolNegotiate)
		if (err == nil) != test.ok {
			t.Errorf("%s: error = %v, want ok = %v", test.name, err, test.ok)
		}
		if err == nil && (string(p.data) != "\r\n-" || string(p.signature) != "signature of 16!" || p.length != 3) {
			t.Errorf("%s: decodeSealed(…) = %+v", test.name, p)
		}
	}
}

// FuzzDecodeSealed: no body makes it panic, and what it accepts is inside of the
// body.
func FuzzDecodeSealed(f *testing.F) {
	f.Add(sealedExample().encode())
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decodeSealed(body, protocolNegotiate)
		if err == nil && len(p.data)+len(p.signature) > len(body) {
			t.Error("more than the body")
		}
	})
}

// FuzzStep: no token makes an acceptor panic or lets anybody in.
func FuzzStep(f *testing.F) {
	s, err := New(DefaultConfig(), nil)
	if err != nil {
		f.Fatal(err)
	}
	negotiate := append([]byte("NTLMSSP\x00\x01\x00\x00\x00\x35\x82\x88\x60"), make([]byte, 16)...)
	authenticate := append([]byte("NTLMSSP\x00\x03\x00\x00\x00"), make([]byte, 120)...)
	f.Add(negotiate, authenticate)
	f.Add([]byte("\x60\x1c\x06\x06\x2b\x06\x01\x05\x05\x02\xa0\x12\x30\x10\xa0\x0e\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"), negotiate)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		a := s.newAcceptor(SchemeNegotiate, first)
		if a == nil {
			return
		}
		for _, token := range [][]byte{first, second, second} {
			if _, done, err := a.step(token); done {
				t.Error("let in")
			} else if err != nil {
				return
			}
		}
	})
}
