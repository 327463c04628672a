package hyperv_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestThousandRefreshes holds what a plan over a fleet costs: with a round trip of
// 20 ms and five connections, little more than the round trips themselves. Virtual
// time leaves the speed of this machine out.
func TestThousandRefreshes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const (
			refreshes   = 1000
			roundTrip   = 20 * time.Millisecond
			connections = 5 // of simulate
			ideal       = refreshes * roundTrip / connections
			limit       = ideal * 115 / 100
		)
		sim, host := simulate(t, disk())
		for _, operation := range []hypervsim.Operation{hypervsim.OperationInvoke, hypervsim.OperationHandshake} {
			sim.AddRule(hypervsim.Rule{Operation: operation, Times: -1, Effect: hypervsim.Delay(roundTrip)})
		}
		start := time.Now()
		var wg sync.WaitGroup
		for range refreshes {
			wg.Go(func() {
				if _, err := host.FileSize(t.Context(), diskPath); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took < ideal || took > limit {
			t.Errorf("%d refreshes took %s, want from %s to %s", refreshes, took, ideal, limit)
		}
		if got, want := sim.Exchanges(), refreshes+connections; got != want {
			t.Errorf("exchanges = %d, want %d: one for each refresh and one for each logon", got, want)
		}
	})
}
