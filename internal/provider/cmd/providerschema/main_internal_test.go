package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// TestRun compares the printed schema with that of the installed Terraform, for
// the kinds of objects that it knows: old versions know no actions.
func TestRun(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("whole programs are no part of a sample") // see package sample
	}
	terraform := os.Getenv("TF_ACC_TERRAFORM_PATH")
	if terraform == "" {
		t.Skip("set TF_ACC_TERRAFORM_PATH, as make test does")
	}
	var printed bytes.Buffer
	if err := run(t.Context(), &printed); err != nil {
		t.Fatal(err)
	}
	got := schemas(t, printed.Bytes(), shortName)
	want := schemas(t, ask(t, terraform), provider.Address)
	if len(want) < 3 {
		t.Fatalf("Terraform prints %d kinds, want at least provider, resources and functions", len(want))
	}
	for kind, schema := range want {
		if diff := cmp.Diff(schema, got[kind]); diff != "" {
			t.Errorf("%s differs (-Terraform +printed):\n%s", kind, diff)
		}
	}
}

// schemas decodes a document to the kinds of one provider.
func schemas(t *testing.T, text []byte, name string) map[string]any {
	t.Helper()
	var d struct {
		Schemas map[string]map[string]any `json:"provider_schemas"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d.Schemas[name]
}

// ask has Terraform print the schema of the provider of this tree.
func ask(t *testing.T, terraform string) []byte {
	t.Helper()
	folder := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", folder, "../../../..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	settings := write("terraform.rc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", provider.Address, folder))
	write("main.tf", fmt.Sprintf("terraform {\n  required_providers {\n    hyperv = {\n      source = %q\n    }\n  }\n}\n", provider.Address))
	cmd := exec.CommandContext(t.Context(), terraform, "providers", "schema", "-json")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+settings, "CHECKPOINT_DISABLE=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("terraform providers schema: %v\n%s", err, out)
	}
	return out
}

// TestNoBlocks: the provider has no blocks, on which convertSchema relies.
func TestNoBlocks(t *testing.T) {
	t.Parallel()
	in, err := providerserver.NewProtocol6(provider.New("docs")())().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*tfprotov6.Schema{"provider": in.Provider}
	for _, kind := range []map[string]*tfprotov6.Schema{in.ResourceSchemas, in.DataSourceSchemas, in.ListResourceSchemas, in.EphemeralResourceSchemas} {
		maps.Copy(all, kind)
	}
	for name, a := range in.ActionSchemas {
		all[name] = a.Schema
	}
	for name, s := range all {
		if n := len(s.Block.BlockTypes); n != 0 {
			t.Errorf("%s has %d blocks, want none", name, n)
		}
	}
}
