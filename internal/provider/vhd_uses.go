package provider

import (
	"cmp"
	"errors"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// useModel is a virtual machine that refers to a disk.
type useModel struct {
	Machine types.String `tfsdk:"machine"`
	Kind    types.String `tfsdk:"kind"`
}

func inUseByAttribute() schema.Attribute {
	return schema.ListNestedAttribute{
		Computed:            true,
		MarkdownDescription: describeInUseBy,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"machine": dataString("Name of the virtual machine; null on hosts before Windows Server 2012."),
			"kind":    dataString("What it does: `running`, `saved`, `off`, `checkpoint` (a checkpoint of it depends on the disk), or `unnamed` (used by a machine or attached to the host, more is not known)."),
		}},
	}
}

// usesModel is nil, which becomes null, when the host does not show who uses a
// disk. The order does not depend on the host's, so that nothing changes by
// itself from plan to plan.
func usesModel(uses []hyperv.Use, hidden error) []useModel {
	if hidden != nil {
		return nil
	}
	all := make([]useModel, 0, len(uses))
	for _, use := range uses {
		all = append(all, useModel{Machine: optionalString(use.Machine), Kind: types.StringValue(string(use.Kind))})
	}
	slices.SortFunc(all, func(a, b useModel) int {
		return cmp.Or(cmp.Compare(a.Machine.ValueString(), b.Machine.ValueString()), cmp.Compare(a.Kind.ValueString(), b.Kind.ValueString()))
	})
	return slices.Compact(all)
}

// hiddenUsesWarning says why in_use_by is null. A host that is too old to be
// asked is told by the documentation.
func hiddenUsesWarning(s subject, hidden error) diag.Diagnostics {
	if hidden == nil || errors.Is(hidden, hyperv.ErrNotSupported) {
		return nil
	}
	return diag.Diagnostics{describeWarning(s, reading, hyperv.Warning{
		Kind:   hyperv.WarnUsageUnknown,
		Detail: "The host does not show which virtual machines use which disks: " + hidden.Error(),
	})}
}
