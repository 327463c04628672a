package provider_test

import (
	"math/big"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Every function, called as Terraform calls it, refuses at its argument a value that cannot be
// converted to its type. Terraform itself keeps unknown values unknown, unless a function says
// otherwise.
func TestProtocol_functions(t *testing.T) {
	t.Parallel()
	p, err := factories()["hyperv"]()
	must(t, err)
	schema, err := p.GetFunctions(t.Context(), &tfprotov6.GetFunctionsRequest{})
	must(t, err)
	if len(schema.Functions) == 0 {
		t.Fatal("no functions")
	}
	for name, f := range schema.Functions {
		if len(f.Parameters) != 1 || f.Parameters[0].AllowUnknownValues || !f.Parameters[0].AllowNullValue {
			t.Errorf("%s: %+v, want one parameter that takes null and not unknown", name, f.Parameters)
		}
		for kind, v := range map[string]tftypes.Value{
			"a list":    tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, []tftypes.Value{text("x")}),
			"a map":     tftypes.NewValue(tftypes.Map{ElementType: tftypes.Bool}, map[string]tftypes.Value{}),
			"a bool":    tftypes.NewValue(tftypes.Bool, true),
			"a half":    tftypes.NewValue(tftypes.Number, 1.5),
			"too large": tftypes.NewValue(tftypes.Number, new(big.Float).SetMantExp(big.NewFloat(1), 200)),
		} {
			argument, err := tfprotov6.NewDynamicValue(v.Type(), v)
			must(t, err)
			resp, err := p.CallFunction(t.Context(), &tfprotov6.CallFunctionRequest{Name: name, Arguments: []*tfprotov6.DynamicValue{&argument}})
			must(t, err)
			if resp.Error == nil || resp.Error.FunctionArgument == nil || *resp.Error.FunctionArgument != 0 {
				t.Errorf("%s(%s): %+v, want an error of its argument", name, kind, resp.Error)
			}
		}
	}
}

// A value that is computed from an unknown one is unknown in the plan, and known after the apply;
// one that is computed from null is null.
func TestCommandLines_functions(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		c.write("resource \"terraform_data\" \"bytes\" {\n  input = 1536\n}\n" +
			"output \"size\" {\n  value = provider::hyperv::format_bytes(terraform_data.bytes.output)\n}\n" +
			"output \"none\" {\n  value = jsonencode(provider::hyperv::format_bytes(null))\n}\n")
		contains(t, c.expect(2, planning...), "+ size = (known after apply)", `+ none = "null"`)
		contains(t, c.expect(0, applying...), `size = "1.5 KiB"`)
		c.expect(0, planning...)
	})
}
