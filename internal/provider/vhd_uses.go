package provider

import (
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// useModel is a virtual machine that refers to a disk.
type useModel struct {
	Machine   types.String `tfsdk:"machine"`
	Node      types.String `tfsdk:"node"`
	Kind      types.String `tfsdk:"kind"`
	ChildPath types.String `tfsdk:"child_path"`
}

func inUseByAttribute() schema.Attribute {
	return schema.ListNestedAttribute{
		Computed:            true,
		MarkdownDescription: describeInUseBy,
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"machine":    dataString("Name of the virtual machine, or its GUID if it has none; null on hosts before Windows Server 2012."),
			"node":       dataString("Computer name of the host that the machine is registered on; in a cluster it can be another node."),
			"kind":       dataString("What it does: `running`, `saved`, `off`, `checkpoint` (a checkpoint of it depends on the disk), `planned` (it is being imported or migrated), `recovery` (the checkpoint of a backup), `replica_point` (a recovery point of a replica), or `unnamed` (used by a machine or attached to the host; more is not known)."),
			"child_path": dataString("Differencing disk whose parent this disk is, in the chain of a disk of the machine; null for a disk of the machine itself."),
		}},
	}
}

// usesModel returns nil, which becomes null, when no use is known and not every
// host has shown its machines.
func usesModel(uses []hyperv.Use, hidden error) []useModel {
	if hidden != nil && len(uses) == 0 {
		return nil
	}
	all := make([]useModel, 0, len(uses))
	for _, use := range uses {
		all = append(all, useModel{
			Machine: optionalString(use.Machine), Node: optionalString(use.Node),
			Kind: types.StringValue(string(use.Kind)), ChildPath: optionalString(use.Child),
		})
	}
	return all
}

// hiddenUsesWarning says why in_use_by is null. There is none for a host that
// is too old to be asked; the documentation says so.
func hiddenUsesWarning(s subject, hidden error) diag.Diagnostics {
	if hidden == nil || errors.Is(hidden, hyperv.ErrNotSupported) {
		return nil
	}
	return diag.Diagnostics{describeWarning(s, reading, hyperv.Warning{
		Kind:   hyperv.WarnUsageUnknown,
		Detail: hidden.Error(),
	})}
}
