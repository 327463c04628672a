// Command hyperv-conformance asks a Hyper-V host whether it is what this project
// takes it for. It reads its configuration from the environment variables of the
// provider. Without -write it changes nothing on the host.
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

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hostenv"
)

// version is set when a release is built.
var version = "dev"

// Exit codes beside 0, which says that every claim held that could be tested.
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
	}
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
