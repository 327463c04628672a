package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

func TestFunctions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		function function.Function
		argument attr.Value
		want     attr.Value // nil for an error
		err      string
	}{
		"parse_bytes":               {provider.NewParseBytesFunction(), types.StringValue("1.5 GiB"), types.Int64Value(3 << 29), ""},
		"parse_bytes nonsense":      {provider.NewParseBytesFunction(), types.StringValue("much"), nil, "20GiB"},
		"parse_bytes negative":      {provider.NewParseBytesFunction(), types.StringValue("-1"), nil, "no size"},
		"format_bytes":              {provider.NewFormatBytesFunction(), types.Int64Value(15247262515), types.StringValue("14.2 GiB"), ""},
		"format_bytes negative":     {provider.NewFormatBytesFunction(), types.Int64Value(-1536), types.StringValue("-1.5 KiB"), ""},
		"normalize_path":            {provider.NewNormalizePathFunction(), types.StringValue("d:/VMs//web01.vhdx"), types.StringValue(`D:\VMs\web01.vhdx`), ""},
		"normalize_path relative":   {provider.NewNormalizePathFunction(), types.StringValue("web01.vhdx"), nil, "absolute path"},
		"normalize_path checkpoint": {provider.NewNormalizePathFunction(), types.StringValue(`D:\web01.avhdx`), nil, "Delete the checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var definition function.DefinitionResponse
			c.function.Definition(t.Context(), function.DefinitionRequest{}, &definition)
			unknown, err := definition.Definition.Return.NewResultData(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			resp := function.RunResponse{Result: unknown}
			c.function.Run(t.Context(), function.RunRequest{Arguments: function.NewArgumentsData([]attr.Value{c.argument})}, &resp)
			if c.want == nil {
				if resp.Error == nil || resp.Error.FunctionArgument == nil || *resp.Error.FunctionArgument != 0 || !strings.Contains(resp.Error.Text, c.err) {
					t.Fatalf("error = %v, want one on argument 0 with %q", resp.Error, c.err)
				}
				return
			}
			if resp.Error != nil || !resp.Result.Value().Equal(c.want) {
				t.Errorf("result = %v, %v, want %v", resp.Result.Value(), resp.Error, c.want)
			}
		})
	}
}

// TestFunctionDefinitions: names as documented, and definitions that the
// framework accepts.
func TestFunctionDefinitions(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]function.Function{
		"parse_bytes":    provider.NewParseBytesFunction(),
		"format_bytes":   provider.NewFormatBytesFunction(),
		"normalize_path": provider.NewNormalizePathFunction(),
	} {
		var metadata function.MetadataResponse
		f.Metadata(t.Context(), function.MetadataRequest{}, &metadata)
		if metadata.Name != want {
			t.Errorf("name = %q, want %q", metadata.Name, want)
		}
		var resp function.DefinitionResponse
		f.Definition(t.Context(), function.DefinitionRequest{}, &resp)
		valid := function.DefinitionValidateResponse{}
		resp.Definition.ValidateImplementation(t.Context(), function.DefinitionValidateRequest{FuncName: want}, &valid)
		if resp.Diagnostics.HasError() || valid.Diagnostics.HasError() || resp.Definition.Summary == "" || resp.Definition.MarkdownDescription == "" {
			t.Errorf("%s: %v %v", want, resp.Diagnostics, valid.Diagnostics)
		}
	}
}
