package hypervsim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// recorder is a test whose complaints are kept, and whose end is ours.
type recorder struct {
	*testing.T

	skipped    bool
	cleanups   []func()
	complaints []string
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Skipped() bool    { return r.skipped }
func (r *recorder) Errorf(format string, args ...any) {
	r.complaints = append(r.complaints, fmt.Sprintf(format, args...))
}

// TestRunT_unusedRule: a rule that no request met fails a test, unless the test was skipped before
// it made any.
func TestRunT_unusedRule(t *testing.T) {
	t.Parallel()
	for _, skipped := range []bool{false, true} {
		r := &recorder{T: t, skipped: skipped}
		sim := hypervsim.RunT(r)
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: hypervsim.Fault(0x80041001, hypervsim.FaultForm(0))})
		for _, f := range r.cleanups {
			f()
		}
		if got := strings.Contains(strings.Join(r.complaints, "\n"), "rule was not used up"); got == skipped {
			t.Errorf("skipped %t: %q", skipped, r.complaints)
		}
	}
}
