package secure

import "testing"

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
