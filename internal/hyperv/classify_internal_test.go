package hyperv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// TestFaultCodesHaveMeanings walks the two lists of fault codes: one holds the
// consequences of a number, the other its meaning.
func TestFaultCodesHaveMeanings(t *testing.T) {
	t.Parallel()
	wire := map[uint32]wsman.FaultCode{}
	for _, c := range wsman.FaultCodes() {
		wire[c.Number] = c
		if _, ok := lookUp(faultCodes, c.Number); !ok {
			t.Errorf("%s 0x%08X has no meaning", c.Name, c.Number)
		}
	}
	for _, c := range faultCodes {
		known, ok := wire[c.Number]
		if !ok {
			t.Errorf("%s: package wsman does not know it", c)
		}
		if denied := errors.Is(c.class, ErrAccessDenied) || errors.Is(c.class, ErrNotSupported); denied && !known.Refused {
			t.Errorf("%s stands for %v, but is no refusal", c, c.class)
		}
		found := kinds(&wsman.Fault{Codes: []uint32{c.Number}})
		if unknown := slices.Contains(found, ErrOutcomeUnknown); unknown == known.Refused {
			t.Errorf("%s: outcome unknown %v, refused %v", c, unknown, known.Refused)
		}
		if transient := slices.Contains(found, errTransient); transient != known.Retryable {
			t.Errorf("%s: transient %v, retryable %v", c, transient, known.Retryable)
		}
	}
	if got := kinds(&wsman.Fault{Codes: []uint32{0xDEADBEEF}}); !slices.Contains(got, ErrOutcomeUnknown) {
		t.Errorf("a number that nobody knows is %v", got)
	}
}

// TestRefusedReturnValues holds the closed list of return values.
func TestRefusedReturnValues(t *testing.T) {
	t.Parallel()
	never := []uint32{returnCompleted, returnJobStarted, 32771, 32772}
	for _, v := range returnValues {
		for method, want := range map[string]bool{
			"CompactVirtualHardDisk": v.Number >= 32768 && !slices.Contains(never, v.Number),
			methodStateChange:        !slices.Contains(append(never, 2, 3), v.Number),
		} {
			if got := refused(fmt.Errorf("x: %w", &MethodError{Method: method, ReturnValue: v.Number})); got != want {
				t.Errorf("%s of %s: refused %v, want %v", v, method, got, want)
			}
		}
	}
	if refused(&MethodError{Method: methodStateChange, ReturnValue: 40000}) || refused(errors.New("x")) || refused(nil) {
		t.Error("what nobody knows is a refusal")
	}
}

// TestReadReturnValue: an answer without a return value is reported as such, without formatting a
// nil error.
func TestReadReturnValue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint32{"0": 0, "32768": 32768, "4294967296": 0, "": 0, "x": 0} {
		out := cim.NewInstance("")
		out.Set("ReturnValue", cim.Text(text))
		got, err := readReturnValue(out)
		if valid := text == "0" || text == "32768"; got != want || (err == nil) != valid {
			t.Errorf("ReturnValue %q = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, out := range []*cim.Instance{cim.NewInstance(""), func() *cim.Instance {
		i := cim.NewInstance("")
		i.Set("ReturnValue", cim.Value{})
		return i
	}()} {
		if _, err := readReturnValue(out); err == nil || strings.Contains(err.Error(), "%!") {
			t.Errorf("without a value: %v", err)
		}
	}
}
