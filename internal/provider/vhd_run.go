package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// compact carries out an order, as far as the provider allows, and reports its
// outcome. The result holds what is known, even with an error.
func (d *providerData) compact(ctx context.Context, host *hyperv.Host, about subject, doing operation, order hyperv.Order) (hyperv.CompactResult, diag.Diagnostics, error) {
	order.AllowAttach, order.AllowUnseen = d.allowAttach.ValueBool(), d.allowUnseen
	result, err := host.Compact(ctx, order)
	if result.Run != nil {
		about.job = result.Run.JobID
	}
	var diags diag.Diagnostics
	for _, w := range result.Warnings {
		diags.Append(describeWarning(about, doing, w))
	}
	diags.Append(d.describeError(summaryCompact, about, orderSituation(doing, order), err))
	return result, diags, err
}

// orderSituation returns the situation on which advice about an order depends.
func orderSituation(doing operation, order hyperv.Order) situation {
	return situation{
		doing:            doing,
		skipsInUse:       order.SkipInUse,
		allowsParent:     order.AllowParent,
		allowsReplicated: order.AllowReplicated,
		unattached:       order.AttachReadOnly != nil && !*order.AttachReadOnly,
	}
}

// orderedMode returns nil for the default, which the format of the disk
// decides.
func orderedMode(mode types.String) *hyperv.Mode {
	if mode.IsNull() {
		return nil
	}
	return new(hyperv.Mode(mode.ValueString()))
}

// modeNames returns the values of mode.
func modeNames() []string {
	var names []string
	for _, mode := range hyperv.Modes() {
		names = append(names, string(mode))
	}
	return names
}
