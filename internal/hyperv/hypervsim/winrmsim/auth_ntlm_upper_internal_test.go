package winrmsim

import (
	"testing"
	"time"
	"unicode/utf16"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// TestNamesOfEveryCharacter logs users on whose names hold every character of the
// basic plane: the client knows the capitals by a rule, the host by a table.
func TestNamesOfEveryCharacter(t *testing.T) {
	t.Parallel()
	const length = 100
	var name []rune
	for r := range rune(0x10000) {
		if !utf16.IsSurrogate(r) && r != '\\' {
			name = append(name, r)
		}
		if len(name) == length {
			logOn(t, string(name))
			name = nil
		}
	}
	logOn(t, string(name))
}

func logOn(t *testing.T, user string) {
	t.Helper()
	const password = "p"
	host := &ntlmAcceptor{
		now: time.Now, judge: func(_ Account, right bool) bool { return right },
		find: func(string, string) (Account, bool) { return Account{Password: password}, true },
	}
	client, err := secure.NewNTLM(secure.NTLMConfig{User: `D\` + user, Password: password}).NewContext(nil)
	if err != nil {
		t.Fatal(err)
	}
	var in []byte
	for done := false; !done; {
		out, _, err := client.Next(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if in, done, err = host.step(out); err != nil {
			t.Fatalf("user %+q: %v", user, err)
		}
	}
}

// TestUpperRuns: the table is in order and has as many rows as Microsoft's.
func TestUpperRuns(t *testing.T) {
	t.Parallel()
	rows := 0
	for i, r := range upperRuns {
		if r.first > r.last || i > 0 && r.first <= upperRuns[i-1].last {
			t.Errorf("run %#04x to %#04x is out of order", r.first, r.last)
		}
		rows += int((r.last-r.first)/r.step) + 1
	}
	if rows != 973 {
		t.Errorf("%d rows, want 973", rows)
	}
}
