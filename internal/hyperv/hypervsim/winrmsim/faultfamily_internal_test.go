package winrmsim

import "testing"

// TestFaultFamilies: every code is in one family, and those that this host itself
// answers with are all there.
func TestFaultFamilies(t *testing.T) {
	t.Parallel()
	family := map[uint32]string{}
	for _, f := range FaultFamilies() {
		for _, code := range f.Codes {
			if other, twice := family[code]; twice {
				t.Errorf("%#x is in %q and %q", code, other, f.Name)
			}
			family[code] = f.Name
		}
	}
	// Codes that a client cannot provoke with well-formed requests.
	malformed := map[uint32]bool{
		codeUnsupportedEncoding: true, codeUnsupportedFeature: true, codeMinEnvelopeSize: true,
		codeLocaleMustUnderstand: true, codeDialectUnavailable: true, codeQueryNeedsStar: true, codeEnumerateWithKeys: true,
	}
	for code := range knownFaults {
		if family[code] == "" && !malformed[code] {
			t.Errorf("%d (%#x) is in no family", code, code)
		}
	}
}
