// Command shellcount is a WinRM endpoint on the loopback interface that counts
// what a client sends to run commands in a remote shell. It speaks as much of
// the shell protocol (MS-WSMV 3.1.4.5: Create, Command, Send, Receive, Signal,
// Delete) as clients need, over plain http with Basic authentication, and takes
// any credentials. It runs nothing: a command ends at once with the output
// given by -stdout and exit code 0, so that the counts are the minimum that a
// real host would see.
//
// Point any WinRM client at it:
//
//	go run ./internal/hyperv/hypervsim/cmd/shellcount -listen 127.0.0.1:5985
//	python3 -c 'import winrm; s = winrm.Session("http://127.0.0.1:5985/wsman", auth=("a", "b"),
//	    transport="basic"); s.run_ps("Get-VHD x")'
//
// It prints the totals whenever a shell is deleted and when it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "shellcount:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("shellcount", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:0", "loopback `address` to listen on")
	output := flags.String("stdout", "", "what every command writes to its standard output")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(*listen); err != nil || !net.ParseIP(host).IsLoopback() {
		return fmt.Errorf("%s: only the loopback interface is served", *listen)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	c := newCounter(*output)
	c.deleted = func() { _, _ = fmt.Fprintln(stdout, c.totals()) }
	server := &http.Server{Handler: c, ReadHeaderTimeout: time.Minute}
	_, _ = fmt.Fprintf(stdout, "ready http://%s/wsman\n", listener.Addr())
	ended := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer ended()
	if err := server.Serve(c.listener(listener)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	_, _ = fmt.Fprintln(stdout, c.totals())
	return nil
}
