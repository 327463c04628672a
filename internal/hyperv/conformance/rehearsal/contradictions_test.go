package rehearsal_test

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/compare"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// ask runs the kit on a host of the rehearsal that contradicts claims.
func ask(t *testing.T, contradicted []string) *conformance.Report {
	t.Helper()
	const password = "of a rehearsal"
	opts, fixtures := rehearsal.Host(password, time.Second)
	sim := hypervsim.RunT(t, append(opts, hypervsim.WithoutListener(), hypervsim.WithLogger(slog.New(slog.DiscardHandler)),
		hypervsim.WithAnswer(func(request, answer string) string { return rehearsal.Contradict(contradicted, request, answer) }))...)
	r, err := conformance.Run(t.Context(), conformance.Options{
		Host: sim.HostName(), Disk: rehearsal.Formatted, Write: true, Scratch: rehearsal.Scratch, Fixtures: fixtures, Version: "test",
		Config: hyperv.Config{
			Auth: hyperv.AuthNTLM, Username: rehearsal.Account, Password: password, Port: sim.Port(), RequestTimeout: time.Minute, Dial: sim.Dial,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestContradictions: hosts that contradict claims which a program chooses
// contradict exactly these, and only a settled one among them fails a run.
func TestContradictions(t *testing.T) {
	t.Parallel()
	all := rehearsal.Contradictable()
	r := rand.New(rand.NewPCG(18, 6))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, some := range sample.Every(100, append(slices.Collect(slices.Chunk(all, 6)), nil)) {
		slices.Sort(some)
		t.Run("", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := compare.New([]*conformance.Report{ask(t, some)}, nil)
				var got []string
				for _, o := range c.Outcomes {
					if len(o.Contradicted) > 0 {
						got = append(got, o.Claim.ID)
					}
				}
				slices.Sort(got)
				if diff := cmp.Diff(some, got); diff != "" {
					t.Errorf("contradicted (-want +got):\n%s", diff)
				}
				settled := slices.ContainsFunc(some, func(id string) bool {
					claim, ok := claims.Find(id)
					return ok && claim.Evidence.IsSettled()
				})
				if c.Fails() != settled {
					t.Errorf("the run fails %t, want %t", c.Fails(), settled)
				}
			})
		})
	}
}
