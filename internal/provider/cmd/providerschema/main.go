// Command providerschema prints the schema of the provider as the command
// "terraform providers schema -json" of a current Terraform does, for the
// generator of the documentation. It needs no Terraform, so that the pages are
// the same whatever version is installed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// shortName is the name that tfplugindocs looks for; Terraform prints the whole
// address.
const shortName = "hyperv"

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	server := providerserver.NewProtocol6(provider.New("docs")())()
	schema, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err == nil {
		err = problem(schema.Diagnostics)
	}
	if err != nil {
		return fmt.Errorf("read the schema: %w", err)
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err == nil {
		err = problem(identities.Diagnostics)
	}
	if err != nil {
		return fmt.Errorf("read the identity schemas: %w", err)
	}
	all := convert(schema)
	all.Identities = convertIdentities(identities.IdentitySchemas)
	text, err := json.MarshalIndent(document{FormatVersion: "1.0", Schemas: map[string]providerSchema{shortName: all}}, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

func problem(diags []*tfprotov6.Diagnostic) error {
	for _, d := range diags {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return fmt.Errorf("%s: %s", d.Summary, d.Detail)
		}
	}
	return nil
}
