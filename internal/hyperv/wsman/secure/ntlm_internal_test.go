package secure

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestNTLMVectors checks the values of MS-NLMP 4.2.4, the published example of
// NTLMv2 with user "User", domain "Domain" and password "Password".
func TestNTLMVectors(t *testing.T) {
	t.Parallel()
	info := avPairs{{2, utf16le("Domain")}, {1, utf16le("Server")}}
	key := ntowfv2(ntHash("Password"), "User", "Domain")
	serverNonce, clientNonce := unhex(t, "0123456789abcdef"), bytes.Repeat([]byte{0xaa}, 8)
	response, baseKey := ntlmv2Response(key, serverNonce, clientNonce, make([]byte, 8), info.encode())
	sessionKey := bytes.Repeat([]byte{0x55}, 16)
	half := newNTLMHalf(sessionKey, clientToServer)
	signature, sealed := half.seal(utf16le("Plaintext"))

	tests := []struct {
		name, clause, want string
		got                []byte
	}{
		{"NTOWFv2", "4.2.4.1.1", "0c868a403bfd7a93a3001ef22ef02e3f", key},
		{"session base key", "4.2.4.1.2", "8de40ccadbc14a82f15cb0ad0de95ca3", baseKey},
		{"NTProofStr", "4.2.4.2.2", "68cd0ab851e51c96aabc927bebef6a1c", response[:16]},
		{
			"temp", "4.2.4.1.3",
			"0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000" +
				"02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000 00000000",
			response[16:],
		},
		{"encrypted session key", "4.2.4.2.3", "c5dad2544fc9799094ce1ce90bc9d03e", rc4Once(baseKey, sessionKey)},
		{"sealing key", "4.2.4.4", "59f600973cc4960a25480a7c196e4c58", directionKey(sessionKey, clientToServer, "sealing")},
		{"signing key", "4.2.4.4", "4788dc861b4782f35d43fd98fe1a2d39", directionKey(sessionKey, clientToServer, "signing")},
		{"sealed message", "4.2.4.4", "54e50165bf1936dc996020c1811b0f06fb5f", sealed},
		{"signature", "4.2.4.4", "01000000 7fb38ec5c55d4976 00000000", signature},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(unhex(t, tt.want), tt.got); diff != "" {
			t.Errorf("%s, MS-NLMP %s (-want +got):\n%s", tt.name, tt.clause, diff)
		}
	}
}

// Rows of the table of MS-UCODEREF 3.1.5.3, and characters that have none.
func TestUpper(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"administrator": "ADMINISTRATOR",
		"jürgen":        "JÜRGEN",
		"иван":          "ИВАН",
		"ÿ":             "\u0178",
		"yılmaz":        "YıLMAZ",
		"ſ":             "ſ",       // long s
		"µ":             "µ",       // micro sign
		"ς":             "ς",       // final sigma
		"σ":             "Σ",       // not a final one
		"ǆǅ":            "Ǆǅ",      // the capital letter within a title stays
		"ͅ":             "ͅ",       // iota below others
		"ᾳ":             "ᾼ",       // iota subscript
		"ß":             "ß",       // its capital is no simple mapping
		"ɐɒ":            "\u2c6fɒ", // the capital of the second one came with Unicode 5.2
		"გიორგი":        "გიორგი",  // capitals of Unicode 11
		"ⴀ":             "Ⴀ",       // capitals of old
		"ꭰ":             "ꭰ",       // Unicode 8
		"Ԥԥ":            "Ԥԥ",      // Unicode 5.2
		"ԣ":             "Ԣ",       // Unicode 5.1
		"𐐨":             "𐐨",       // beyond the basic plane
		"ⅷⓩａ":           "ⅧⓏＡ",     // numerals, circles, full width
		"山田":            "山田",
	}
	for in, want := range tests {
		if got := upper(in); got != want {
			t.Errorf("upper(%q) = %q, want %q", in, got, want)
		}
	}
	const rows = 973
	mapped := 0
	for r := range rune(0x10000) {
		if r < 0xd800 || r > 0xdfff {
			if upper(string(r)) != string(r) {
				mapped++
			}
		}
	}
	if mapped != rows {
		t.Errorf("%d characters have a capital, the table has %d", mapped, rows)
	}
}
