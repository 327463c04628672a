// Command stateofproof writes into a README how well the claims about Hyper-V
// hosts are supported.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "stateofproof:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("name the file to write into")
	}
	readme, err := os.ReadFile(args[0]) //nolint:gosec // G703: the caller names the file
	if err != nil {
		return err
	}
	text, ok := claims.Replace(string(readme), claims.Proof(claims.All()))
	if !ok {
		return fmt.Errorf("%s has no place for it", args[0])
	}
	if text == string(readme) {
		return nil
	}
	return os.WriteFile(args[0], []byte(text), 0o644) //nolint:gosec // G306: a file of the repository
}
