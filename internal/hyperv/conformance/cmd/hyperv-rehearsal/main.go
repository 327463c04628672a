// Command hyperv-rehearsal runs the steps of the workflow hyperv against simulated
// hosts, on a machine without Windows. It ends as the job would.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "hyperv-rehearsal:", err)
	}
	os.Exit(code)
}

// Exit codes other than 0 and that of the job, which is 1 when a step failed.
const (
	exitFailed = 1
	exitUsage  = 2
)

// settings holds the values of the flags.
type settings struct {
	workflow   string
	contradict int
	seed       uint64
	expect     bool
}

func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("hyperv-rehearsal", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.workflow, "workflow", ".github/workflows/hyperv.yml", "`file` whose steps are run, below the root of the source tree, where this is started")
	flags.IntVar(&s.contradict, "contradict", 0, "let the hosts contradict that many claims, which the seed chooses")
	flags.Uint64Var(&s.seed, "seed", 1, "seed of the choice")
	flags.BoolVar(&s.expect, "expect", false, "end with 0 when exactly these claims are in the summary and the job ends as it should, else with 1")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if most := len(rehearsal.Contradictable()); flags.NArg() > 0 || s.contradict < 0 || s.contradict > most {
		return s, fmt.Errorf("there are no arguments, and at most %d claims to contradict", most)
	}
	return s, nil
}

// chosen returns the claims that the hosts contradict.
func (s settings) chosen() []string {
	all := rehearsal.Contradictable()
	r := rand.New(rand.NewPCG(s.seed, s.seed)) //nolint:gosec // G404: a choice that can be repeated
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	some := all[:s.contradict]
	slices.Sort(some)
	return some
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (int, error) {
	s, err := parse(args, stderr)
	if err != nil {
		return exitUsage, err
	}
	steps, err := rehearsal.Steps(s.workflow)
	if err != nil {
		return exitUsage, err
	}
	st, err := open(ctx, s.chosen(), stdout)
	if err != nil {
		return exitFailed, err
	}
	defer st.close()
	failed := st.job(ctx, steps)
	if err := ctx.Err(); err != nil {
		return exitFailed, err
	}
	left := st.left()
	st.tell(failed, left)
	if s.expect {
		return st.asExpected(failed, left)
	}
	if len(failed) > 0 || len(left) > 0 {
		return exitFailed, nil
	}
	return 0, nil
}
