package hyperv_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// howItWorks is the guide that shows the exchanges of one compaction.
const howItWorks = "../../templates/guides/how-it-works.md"

// TestGuideShowsWhatIsSent records one mounted compaction of ten seconds and
// compares its exchanges with the diagram of the guide.
func TestGuideShowsWhatIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = 10 * time.Second }),
			hypervsim.WithVM(hypervsim.VM{Name: "sql01", State: hypervsim.VMOff, Disks: []string{diskPath}}))
		if _, err := host.Compact(t.Context(), order()); err != nil {
			t.Fatal(err)
		}
		clean(t, sim)
		drawn := diagram(sim.Requests()) + total(sim)
		guide, err := os.ReadFile(howItWorks)
		if err != nil {
			t.Fatal(err)
		}
		_, shown, _ := strings.Cut(string(guide), "<!-- recorded -->\n```text\n")
		shown, _, _ = strings.Cut(shown, "```")
		if diff := cmp.Diff(drawn, shown); diff != "" {
			t.Errorf("the guide differs (-recorded +shown):\n%s\nrecorded:\n%s", diff, drawn)
		}
	})
}

// diagram draws one line for each exchange; the polls of one job are one line.
func diagram(requests []hypervsim.Request) string {
	var b strings.Builder
	b.WriteString("    time  provider                                                                  host\n")
	for i := 0; i < len(requests); {
		n := 1
		for i+n < len(requests) && polls(requests[i], requests[i+n]) {
			n++
		}
		elapsed := requests[i].Time.Sub(requests[0].Time)
		fmt.Fprintf(&b, "%6.2f s  |-- %-64s %s\n", elapsed.Seconds(), label(requests[i], n), "--> |")
		i += n
	}
	return b.String()
}

// total counts the exchanges: those that are no messages belong to logons.
func total(sim *hypervsim.Host) string {
	messages := len(sim.Requests())
	return fmt.Sprintf("\n%d messages on %d connection, %d exchanges more for the logon\n", messages, sim.Connections(), sim.Exchanges()-messages)
}

// polls reports whether two requests read the same job.
func polls(a, b hypervsim.Request) bool {
	return a.Operation == hypervsim.OperationGet && b.Operation == a.Operation && b.Class == a.Class && cmp.Equal(a.Selectors, b.Selectors)
}

func label(r hypervsim.Request, times int) string {
	text := string(r.Operation)
	switch r.Operation {
	case hypervsim.OperationInvoke:
		text = r.Method
	case hypervsim.OperationGet, hypervsim.OperationEnumerate:
		text += " " + r.Class
	default:
	}
	for _, p := range r.Parameters {
		if p.Name != "Path" {
			text += " " + p.Name + "=" + p.Value
		}
	}
	if times > 1 {
		text += fmt.Sprintf(", %d times", times)
	}
	return text
}
