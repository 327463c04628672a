// Command terraform-provider-hyperv serves the Terraform provider hyperv, which
// compacts virtual hard disks on Hyper-V hosts.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// version is set by the linker of a release.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "serve for a debugger such as delve; prints how to attach Terraform to it")
	flag.Parse()
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: provider.Address, Debug: *debug, ProtocolVersion: 6,
	})
	if err != nil {
		log.Fatal(err)
	}
}
