package provider_test

import (
	"math"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	framework "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// functions returns the functions that the provider serves, by name.
func functions(t *testing.T) map[string]function.Function {
	t.Helper()
	p, ok := provider.New("test")().(framework.ProviderWithFunctions)
	if !ok {
		t.Fatal("the provider serves no functions")
	}
	all := map[string]function.Function{}
	for _, serve := range p.Functions(t.Context()) {
		f := serve()
		var metadata function.MetadataResponse
		f.Metadata(t.Context(), function.MetadataRequest{}, &metadata)
		all[metadata.Name] = f
	}
	return all
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		function string
		argument attr.Value
		want     attr.Value // nil for an error
		err      string
	}{
		"parse_bytes":               {"parse_bytes", types.StringValue("1.5 GiB"), types.Int64Value(3 << 29), ""},
		"parse_bytes nonsense":      {"parse_bytes", types.StringValue("much"), nil, "20GiB"},
		"parse_bytes negative":      {"parse_bytes", types.StringValue("-1"), nil, "no size"},
		"format_bytes":              {"format_bytes", types.Int64Value(15247262515), types.StringValue("14.2 GiB"), ""},
		"format_bytes negative":     {"format_bytes", types.Int64Value(-1536), types.StringValue("-1.5 KiB"), ""},
		"normalize_path":            {"normalize_path", types.StringValue("d:/VMs//web01.vhdx"), types.StringValue(`D:\VMs\web01.vhdx`), ""},
		"normalize_path relative":   {"normalize_path", types.StringValue("web01.vhdx"), nil, "absolute path"},
		"normalize_path checkpoint": {"normalize_path", types.StringValue(`D:\web01.avhdx`), nil, "Delete the checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, ok := functions(t)[c.function]
			if !ok {
				t.Fatalf("the provider serves no function %s", c.function)
			}
			var definition function.DefinitionResponse
			f.Definition(t.Context(), function.DefinitionRequest{}, &definition)
			unknown, err := definition.Definition.Return.NewResultData(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			resp := function.RunResponse{Result: unknown}
			f.Run(t.Context(), function.RunRequest{Arguments: function.NewArgumentsData([]attr.Value{c.argument})}, &resp)
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

// The framework accepts the definition of every function, and each is described.
func TestFunctionDefinitions(t *testing.T) {
	t.Parallel()
	for name, f := range functions(t) {
		var resp function.DefinitionResponse
		f.Definition(t.Context(), function.DefinitionRequest{}, &resp)
		valid := function.DefinitionValidateResponse{}
		resp.Definition.ValidateImplementation(t.Context(), function.DefinitionValidateRequest{FuncName: name}, &valid)
		if resp.Diagnostics.HasError() || valid.Diagnostics.HasError() || resp.Definition.Summary == "" || resp.Definition.MarkdownDescription == "" {
			t.Errorf("%s: %v %v", name, resp.Diagnostics, valid.Diagnostics)
		}
	}
}

// Every function keeps null, takes extremes and refuses, at its argument, values that are not of
// its type.
func TestFunctions_null(t *testing.T) {
	t.Parallel()
	for name, f := range functions(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var definition function.DefinitionResponse
			f.Definition(t.Context(), function.DefinitionRequest{}, &definition)
			for i, parameter := range definition.Definition.Parameters {
				for kind, argument := range arguments(parameter.GetType()) {
					result, err := definition.Definition.Return.NewResultData(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					resp := function.RunResponse{Result: result}
					f.Run(t.Context(), function.RunRequest{Arguments: function.NewArgumentsData([]attr.Value{argument})}, &resp)
					switch got := resp.Result.Value(); {
					case argument.IsNull() && (resp.Error != nil || !got.IsNull()):
						t.Errorf("%s: %v, %v, want null", kind, got, resp.Error)
					case resp.Error == nil && (got.IsUnknown() || got.IsNull() != argument.IsNull()):
						t.Errorf("%s: %v, want a value", kind, got)
					case resp.Error != nil && (resp.Error.FunctionArgument == nil || *resp.Error.FunctionArgument != int64(i)):
						t.Errorf("%s: %v, want an error of argument %d", kind, resp.Error, i)
					}
				}
			}
		})
	}
}

// arguments returns null and the extremes of a type.
func arguments(of attr.Type) map[string]attr.Value {
	if of.Equal(types.Int64Type) {
		return map[string]attr.Value{
			"null": types.Int64Null(), "zero": types.Int64Value(0),
			"most": types.Int64Value(math.MaxInt64), "least": types.Int64Value(math.MinInt64),
		}
	}
	return map[string]attr.Value{
		"null": types.StringNull(), "empty": types.StringValue(""), "blank": types.StringValue(" "),
		"long": types.StringValue(strings.Repeat("9", 1<<16)), "no UTF-8": types.StringValue("\xff"), "NUL": types.StringValue("\x00"),
	}
}
