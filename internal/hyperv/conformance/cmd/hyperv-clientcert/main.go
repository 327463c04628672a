// Command hyperv-clientcert makes a certificate with which a local account logs on
// to WinRM, for a host that is there for tests.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/clientcert"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "hyperv-clientcert:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("hyperv-clientcert", flag.ContinueOnError)
	flags.SetOutput(stderr)
	principal := flags.String("principal", "", "user principal name to which the certificate is mapped, `name@localhost`")
	directory := flags.String("out", "", "`directory` for client-ca.pem, client.pem and client.key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *principal == "" || *directory == "" || flags.NArg() > 0 {
		return errors.New("name -principal and -out, and nothing else")
	}
	c, err := clientcert.Make(*principal, time.Now())
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"client-ca.pem": c.Authority, "client.pem": c.Certificate, "client.key": c.Key} {
		if err := os.WriteFile(filepath.Join(*directory, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
