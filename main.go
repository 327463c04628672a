// Command terraform-provider-hyperv serves the Terraform provider hyperv, which
// compacts virtual hard disks on Hyper-V hosts.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"runtime/debug"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/process"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// version is set by the linker in a release build.
var version = "dev"

// gcPercent trades some time in the garbage collector for memory: Terraform
// keeps one process per walk, and the framework keeps the context of every call
// in it.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	debugging := flag.Bool("debug", false, "serve for a debugger such as delve; prints how to attach Terraform to it")
	flag.Parse()
	if !*debugging {
		process.Outlive()
	}
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: provider.Address, Debug: *debugging, ProtocolVersion: 6,
	})
	if err != nil {
		log.Fatal(err)
	}
}
