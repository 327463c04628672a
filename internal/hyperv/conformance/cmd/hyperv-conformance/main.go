// Command hyperv-conformance asks a Hyper-V host whether it behaves as this
// project assumes. It reads its configuration from the environment variables of
// the provider. Without -write it changes nothing on the host. With -compare
// and -replay it asks no host, but says what earlier runs mean.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hostenv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

// version is set when a release is built.
var version = "dev"

// Exit codes other than 0, which means that every claim that could be tested held, that no settled
// claim was contradicted (-compare), or that no answer differs (-replay).
const (
	exitFailed       = 1
	exitUsage        = 2
	exitContradicted = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program.
func run(ctx context.Context, args []string, env hostenv.Lookup, stdout, stderr io.Writer) int {
	s, err := parse(args, env, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitUsage
	case err != nil:
		_, _ = fmt.Fprintln(stderr, "hyperv-conformance:", err)
		return exitUsage
	case s.compare:
		return finish(stdout, stderr, compareReports, s)
	case s.replay:
		return finish(stdout, stderr, func(s settings) (string, bool, error) { return replayRecordings(ctx, s) }, s)
	}
	return ask(ctx, s, stdout, stderr)
}

// finish prints the Markdown that a mode makes, and says how it ended.
func finish(stdout, stderr io.Writer, results func(settings) (text string, bad bool, err error), s settings) int {
	text, bad, err := results(s)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "hyperv-conformance:", err)
		return exitFailed
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return exitFailed
	}
	if bad {
		return exitContradicted
	}
	return 0
}

// ask asks the host.
func ask(ctx context.Context, s settings, stdout, stderr io.Writer) int {
	ctx, stop := context.WithTimeoutCause(ctx, s.timeout, errTooLong)
	defer stop()
	s.options.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: s.level()}))
	s.options.Version = version
	s.options.Progress = func(f conformance.Finding) {
		_, _ = fmt.Fprintf(stderr, "%-12s %s\n", f.Result, f.ID)
	}
	report, err := conformance.Run(ctx, s.options)
	if report == nil {
		_, _ = fmt.Fprintln(stderr, "hyperv-conformance:", err)
		return exitFailed
	}
	_, _ = io.WriteString(stdout, report.Text())
	if err := errors.Join(err, report.Write(s.out)); err != nil {
		_, _ = fmt.Fprintln(stderr, "hyperv-conformance:", err)
		return exitFailed
	}
	_, _ = fmt.Fprintf(stdout, "\nWritten to %s\n", s.out)
	if report.Summary[conformance.Contradicted] > 0 {
		return exitContradicted
	}
	return 0
}

var errTooLong = errors.New("the run took longer than -timeout")
