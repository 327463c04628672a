package secure_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

func TestEncodeSealedForm(t *testing.T) {
	t.Parallel()
	got := secure.EncodeSealed(secure.ProtocolSPNEGO, 5, []byte("SIG"), []byte("abcde"))
	want := "--Encrypted Boundary\r\n" +
		"\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n" +
		"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=5\r\n" +
		"--Encrypted Boundary\r\n" +
		"\tContent-Type: application/octet-stream\r\n" +
		"\x03\x00\x00\x00SIGabcde--Encrypted Boundary--\r\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("sealed body (-want +got):\n%s", diff)
	}
}

func TestDecodeSealed(t *testing.T) {
	t.Parallel()
	const length = ";Length=5\r\n"
	good := string(secure.EncodeSealed(secure.ProtocolSPNEGO, 5, []byte("SIG"), []byte("abcde")))
	edit := func(old, replacement string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("nothing to edit: %q", old)
		}
		return strings.ReplaceAll(good, old, replacement)
	}
	boundaryInside := secure.EncodeSealed(secure.ProtocolSPNEGO, 24, []byte("SIG"), []byte("--Encrypted Boundary--\r\n"))
	tests := map[string]struct {
		body   string
		sealed string // empty: malformed
	}{
		"as we write it":               {good, "abcde"},
		"kerberos protocol":            {edit("SPNEGO", "Kerberos"), "abcde"},
		"no white space":               {edit("\t", ""), "abcde"},
		"blanks for tabs":              {edit("\t", "  "), "abcde"},
		"space in the boundary":        {edit("--Encrypted", "-- Encrypted"), "abcde"},
		"one line break more":          {good + "\r\n", "abcde"},
		"no line break":                {strings.TrimSuffix(good, "\r\n"), "abcde"},
		"lower-case names":             {strings.NewReplacer("Content-Type", "content-type", "OriginalContent", "originalcontent", "Length", "length").Replace(good), "abcde"},
		"boundary within the data":     {string(boundaryInside), "--Encrypted Boundary--\r\n"},
		"empty":                        {"", ""},
		"in the clear":                 {"<s:Envelope/>", ""},
		"junk in front":                {"junk" + good, ""},
		"junk behind":                  {good + "junk", ""},
		"two bodies":                   {good + good, ""},
		"unknown protocol":             {edit("SPNEGO", "CredSSP"), ""},
		"no length":                    {edit(length, "\r\n"), ""},
		"negative length":              {edit(length, ";Length=-1\r\n"), ""},
		"length too short":             {edit(length, ";Length=4\r\n"), ""},
		"length too long":              {edit(length, ";Length=6\r\n"), ""},
		"huge length":                  {edit(length, ";Length=99999999999999999999\r\n"), ""},
		"signature longer than limit":  {string(secure.EncodeSealed(secure.ProtocolSPNEGO, 5, make([]byte, 1025), []byte("abcde"))), ""},
		"signature longer than body":   {edit("\x03\x00\x00\x00", "\x00\x04\x00\x00"), ""},
		"negative signature length":    {edit("\x03\x00\x00\x00", "\xff\xff\xff\xff"), ""},
		"another second part":          {edit("octet-stream", "soap+xml"), ""},
		"endless line":                 {edit(length, strings.Repeat(";", 600)+"Length=5\r\n"), ""},
		"endless headers":              {edit(length, length+strings.Repeat("a: b\r\n", 20)), ""},
		"three line breaks at the end": {good + "\r\n\r\n", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signature, sealed, err := secure.DecodeSealed([]byte(tt.body))
			if tt.sealed == "" {
				if !errors.Is(err, secure.ErrMalformed) || signature != nil || sealed != nil {
					t.Fatalf("DecodeSealed = %q, %q, %v, want ErrMalformed", signature, sealed, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(signature) != "SIG" || string(sealed) != tt.sealed {
				t.Errorf("DecodeSealed = %q, %q, want SIG, %q", signature, sealed, tt.sealed)
			}
		})
	}
}

// Every truncation is noticed, up to the line break at the very end.
func TestDecodeSealedTruncated(t *testing.T) {
	t.Parallel()
	body := secure.EncodeSealed(secure.ProtocolSPNEGO, 5, make([]byte, 16), []byte("abcde"))
	for n := range len(body) - 2 {
		if _, _, err := secure.DecodeSealed(body[:n]); !errors.Is(err, secure.ErrMalformed) {
			t.Errorf("first %d of %d bytes: %v, want ErrMalformed", n, len(body), err)
		}
	}
}

func TestSealedContentType(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		secure.SealedContentType(secure.ProtocolSPNEGO):                             true,
		secure.SealedContentType(secure.ProtocolKerberos):                           true,
		`multipart/encrypted; protocol="application/http-spnego-session-encrypted"`: true,
		`multipart/encrypted;protocol="application/HTTP-CredSSP-session-encrypted"`: false,
		`multipart/x-multi-encrypted;protocol="` + secure.ProtocolSPNEGO + `"`:      false,
		secure.SOAPType: false,
		"":              false,
	}
	for contentType, want := range tests {
		if got := secure.IsSealed(contentType); got != want {
			t.Errorf("IsSealed(%q) = %v, want %v", contentType, got, want)
		}
	}
}

func FuzzDecodeSealed(f *testing.F) {
	good := secure.EncodeSealed(secure.ProtocolSPNEGO, 5, make([]byte, 16), []byte("abcde"))
	f.Add(good)
	f.Add(bytes.ReplaceAll(good, []byte("\t"), nil))
	f.Add(secure.EncodeSealed(secure.ProtocolKerberos, 0, nil, nil))
	f.Add([]byte("-- Encrypted Boundary\r\nContent-Type: a\r\n-- Encrypted Boundary--\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		signature, sealed, err := secure.DecodeSealed(body)
		if err != nil {
			if !errors.Is(err, secure.ErrMalformed) {
				t.Fatalf("%v is not ErrMalformed", err)
			}
			return
		}
		// The parts that were read stand in the body unchanged, after their
		// length and before the end.
		var size [4]byte
		binary.LittleEndian.PutUint32(size[:], uint32(len(signature)))
		binaryPart := fmt.Appendf(nil, "\r\n%s%s%s--", size[:], signature, sealed)
		if !bytes.Contains(body, binaryPart) {
			t.Fatalf("%q, %q is not in %q", signature, sealed, body)
		}
		again := secure.EncodeSealed(secure.ProtocolSPNEGO, len(sealed), signature, sealed)
		s, e, err := secure.DecodeSealed(again)
		if err != nil || !bytes.Equal(s, signature) || !bytes.Equal(e, sealed) {
			t.Fatalf("round trip: %q, %q, %v", s, e, err)
		}
	})
}
