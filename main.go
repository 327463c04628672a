// Command terraform-provider-hyperv serves the Terraform provider hyperv, which
// compacts virtual hard disks on Hyper-V hosts.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// version is set by the linker of a release.
var version = "dev"

// gcPercent trades some time of the collector for memory: Terraform keeps one
// process per walk, and the framework keeps the context of every call in it.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	debugging := flag.Bool("debug", false, "serve for a debugger such as delve; prints how to attach Terraform to it")
	flag.Parse()
	if !*debugging {
		// Jobs have to be cancelled and disks detached before this process ends. So it
		// ends when Terraform says so, not with a signal to the whole group (systemd,
		// containers, a terminal that is closed), and not because nobody reads its log
		// after Terraform was killed.
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
		go endWithParent(os.Getppid, func() { os.Exit(1) })
	}
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: provider.Address, Debug: *debugging, ProtocolVersion: 6,
	})
	if err != nil {
		log.Fatal(err)
	}
}
