package pathtype_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

func TestRequiresReplace(t *testing.T) {
	t.Parallel()
	object := tftypes.Object{AttributeTypes: map[string]tftypes.Type{}}
	exists, absent := tftypes.NewValue(object, map[string]tftypes.Value{}), tftypes.NewValue(object, nil)
	const other = `c:/vms/WEB01.VHDX`
	for name, c := range map[string]struct {
		state, plan           tftypes.Value
		stateValue, planValue types.String
		want                  types.String
		replace               bool
	}{
		"same spelling":  {exists, exists, types.StringValue(diskPath), types.StringValue(diskPath), types.StringValue(diskPath), false},
		"other spelling": {exists, exists, types.StringValue(diskPath), types.StringValue(other), types.StringValue(diskPath), false},
		"other file":     {exists, exists, types.StringValue(diskPath), types.StringValue(`C:\VMs\b.vhdx`), types.StringValue(`C:\VMs\b.vhdx`), true},
		"unknown":        {exists, exists, types.StringValue(diskPath), types.StringUnknown(), types.StringUnknown(), true},
		"create":         {absent, exists, types.StringNull(), types.StringValue(diskPath), types.StringValue(diskPath), false},
		"create unknown": {absent, exists, types.StringNull(), types.StringUnknown(), types.StringUnknown(), false},
		"destroy":        {exists, absent, types.StringValue(diskPath), types.StringNull(), types.StringNull(), false},
		"import":         {exists, exists, types.StringNull(), types.StringValue(diskPath), types.StringValue(diskPath), false},
	} {
		req := planmodifier.StringRequest{
			State: tfsdk.State{Raw: c.state}, Plan: tfsdk.Plan{Raw: c.plan}, StateValue: c.stateValue, PlanValue: c.planValue, ConfigValue: c.planValue,
		}
		resp := planmodifier.StringResponse{PlanValue: c.planValue}
		pathtype.RequiresReplace().PlanModifyString(t.Context(), req, &resp)
		if !resp.PlanValue.Equal(c.want) || resp.RequiresReplace != c.replace || resp.Diagnostics.HasError() {
			t.Errorf("%s: plan %v, replace %v, want %v, %v", name, resp.PlanValue, resp.RequiresReplace, c.want, c.replace)
		}
	}
}
