package pathtype

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// RequiresReplace keeps the spelling of the state when the configuration names
// the same path, and asks for replacement when it names another. The framework
// applies semantic equality everywhere but at plan, where its own modifier would
// replace the resource for a capital letter.
func RequiresReplace() planmodifier.String { return requiresReplace{} }

type requiresReplace struct{}

// Description describes the modifier.
func (requiresReplace) Description(context.Context) string {
	return "Another path replaces the resource; another spelling of the same path changes nothing."
}

// MarkdownDescription says what the modifier does.
func (m requiresReplace) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyString implements planmodifier.String.
func (requiresReplace) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	creating, destroying := req.State.Raw.IsNull(), req.Plan.Raw.IsNull()
	switch {
	case creating, destroying, req.StateValue.IsNull():
	case req.PlanValue.IsUnknown():
		resp.RequiresReplace = true
	case winpath.Equal(req.PlanValue.ValueString(), req.StateValue.ValueString()):
		resp.PlanValue = req.StateValue
	default:
		resp.RequiresReplace = true
	}
}
