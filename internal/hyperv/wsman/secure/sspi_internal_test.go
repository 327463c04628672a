package secure

import (
	"errors"
	"strings"
	"testing"
)

// A context that began has to be deleted, whatever is said beside.
func TestMadeHandle(t *testing.T) {
	t.Parallel()
	for status, want := range map[uint32]bool{
		0:                    true,
		0x00090312:           true, // SEC_I_CONTINUE_NEEDED
		0x00090313:           true, // SEC_I_COMPLETE_NEEDED
		0x00090315:           true, // SEC_I_LOCAL_LOGON
		statusInvalidToken:   false,
		statusNoCredentials:  false,
		statusWrongPrincipal: false,
	} {
		if got := madeHandle(status); got != want {
			t.Errorf("%#08x: %t, want %t", status, got, want)
		}
	}
}

// A context that lacks what was requested is not used, and Kerberos must have proven the host.
func TestSufficient(t *testing.T) {
	t.Parallel()
	const safe = contextSafe
	for _, tt := range []struct {
		attributes      uint32
		securityPackage string
		want            bool
	}{
		{safe | contextMutual, "Kerberos", true},
		{safe, "Kerberos", false},
		{safe, "NTLM", true},
		{safe | contextMutual, "NTLM", true},
		{safe, "", true}, // a package that Negotiate does not tell
		{safe &^ contextSeals, "NTLM", false},
		{safe &^ contextIntegrity, "NTLM", false},
		{safe &^ contextReplay, "NTLM", false},
		{safe &^ contextSequence, "NTLM", false},
		{safe&^contextSeals | contextMutual, "Kerberos", false},
		{0, "NTLM", false},
	} {
		err := sufficient(tt.attributes, safe, tt.securityPackage)
		if (err == nil) != tt.want || err != nil && !errors.Is(err, ErrWeakContext) {
			t.Errorf("%#x of %q: %v", tt.attributes, tt.securityPackage, err)
		}
	}
}

// The structure has eight numbers before the data: of no initiator, of no acceptor, and where the
// data is. Its bytes are as others write them (SEC_CHANNEL_BINDINGS of sspi.h).
func TestChannelBindings(t *testing.T) {
	t.Parallel()
	const data = "tls-server-end-point:0123"
	want := strings.Repeat("\x00", 24) + "\x19\x00\x00\x00" + "\x20\x00\x00\x00" + data
	if got := channelBindings([]byte(data)); string(got) != want {
		t.Errorf("% x, want % x", got, want)
	}
	if got := channelBindings(nil); got != nil {
		t.Errorf("without TLS: % x", got)
	}
}
