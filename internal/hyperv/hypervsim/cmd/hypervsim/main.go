// Command hypervsim serves a simulated Hyper-V host on the loopback interface:
// for demonstrations, and to try a configuration without Windows. The virtual
// hard disks of a folder that it is given are real; qemu-img compacts them.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// passwordVariable is the environment variable that holds the password of the
// one user. It is not a flag, because other users of the machine can read
// flags.
const passwordVariable = "HYPERVSIM_PASSWORD" //nolint:gosec // G101: the name of a variable

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "hypervsim:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. It writes one line when it is ready.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	password := getenv(passwordVariable)
	if password == "" {
		// It guards nothing but this process, and only on this machine.
		password = rand.Text()
		_, _ = fmt.Fprintf(stderr, "hypervsim: %s is not set; the password is %s\n", passwordVariable, password)
	}
	level := slog.LevelWarn
	if s.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	host, err := hypervsim.New(append(s.options, hypervsim.WithUser(s.user, password), hypervsim.WithLogger(log))...)
	if err != nil {
		return err
	}
	if err := host.Start(ctx); err != nil {
		return err
	}
	err = s.serve(ctx, host, stdout)
	return errors.Join(err, host.Close())
}

// serve announces the host and waits for the end.
func (s *settings) serve(ctx context.Context, host *hypervsim.Host, stdout io.Writer) error {
	if err := s.writeAuthority(host); err != nil {
		return err
	}
	scheme := "http"
	if s.tls {
		scheme = "https"
	}
	ready := fmt.Sprintf("ready %s://%s/wsman", scheme, host.Addr())
	if s.control == "" {
		if _, err := fmt.Fprintln(stdout, ready); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.control)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "%s control http://%s\n", ready, listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serveControl(ctx, listener, host)
}

// writeAuthority writes the certificate that clients have to trust.
func (s *settings) writeAuthority(host *hypervsim.Host) error {
	if s.authorityFile == "" {
		return nil
	}
	return os.WriteFile(s.authorityFile, host.CACertificate(), 0o600) //nolint:gosec // G703: the user of the program names the file
}
