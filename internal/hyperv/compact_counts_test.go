package hyperv_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestCompactExchanges holds the numbers of the design: 6 exchanges without an
// attachment and 11 with one, with the one that confirms the connection; polls of
// the compaction and the list of machines are not counted. A refresh takes 1, the
// first message of a connection 2.
func TestCompactExchanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode hyperv.Mode
		want int
	}{
		{hyperv.ModePrezeroed, 6},
		{hyperv.ModeFull, 11},
	} {
		t.Run(string(tt.mode), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk())
				if _, err := host.FileSize(t.Context(), diskPath); err != nil {
					t.Fatal(err)
				}
				if got := host.Stats().Exchanges; got != 2 {
					t.Errorf("exchanges for the first message = %d, want 2", got)
				}
				if _, err := host.FileSize(t.Context(), diskPath); err != nil {
					t.Fatal(err)
				}
				if got := host.Stats().Exchanges; got != 3 {
					t.Errorf("exchanges for a refresh = %d, want 1", got-2)
				}
				skip := len(sim.Requests())
				if _, err := host.Compact(t.Context(), order(mode(tt.mode))); err != nil {
					t.Fatal(err)
				}
				got, polls := 0, 0
				for _, r := range sim.Requests()[skip:] {
					switch {
					case r.Operation == hypervsim.OperationGet && r.Class == cim.ClassStorageJob:
						polls++
					case r.Operation == hypervsim.OperationEnumerate && r.Class != cim.ClassMountedStorageImage:
					default:
						got++
					}
				}
				if tt.mode == hyperv.ModeFull {
					got++ // the one poll of the attach job
				}
				if got != tt.want {
					t.Errorf("exchanges = %d, want %d", got, tt.want)
				}
				t.Logf("%d exchanges and %d polls", got, polls)
			})
		})
	}
}

// TestCompactSixHours: the end of a long job is noticed within 2 % of its run,
// with at most 500 polls, whatever its progress looks like.
func TestCompactSixHours(t *testing.T) {
	t.Parallel()
	for name, progress := range map[string]func(float64) float64{
		"linear": nil, "at the end": hypervsim.ProgressAtEnd, "stalls": hypervsim.ProgressStall(0.99, 0.999),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const length = 6 * time.Hour
				sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration, v.Progress = length, progress }))
				reports := 0
				got, err := host.Compact(t.Context(), order(mode(hyperv.ModePrezeroed), func(c *hyperv.Order) {
					c.OnProgress = func(hyperv.Progress) { reports++ }
				}))
				if err != nil {
					t.Fatal(err)
				}
				if late := got.Run.CompletedAt.Sub(got.Run.StartedAt) - length; late > length/50 {
					t.Errorf("noticed %s late, want at most %s", late, length/50)
				}
				polls := 0
				for _, r := range sim.Requests() {
					if r.Operation == hypervsim.OperationGet && r.Class == cim.ClassStorageJob {
						polls++
					}
				}
				if polls > 500 {
					t.Errorf("%d polls, want at most 500", polls)
				}
				t.Logf("%d polls, %d reports", polls, reports)
			})
		})
	}
}
