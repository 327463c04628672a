package provider

import (
	"cmp"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

func leftAtAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"node":        computedString("Computer name of the node."),
		"name":        computedString("The file, as the node spells it."),
		"port_number": computedString("Selector `PortNumber` of the attachment."),
		"path_id":     computedString("Selector `PathId` of the attachment."),
		"target_id":   computedString("Selector `TargetId` of the attachment."),
		"lun":         computedString("Selector `Lun` of the attachment."),
		"held_at":     computedString("When it was this resource's, by the clock of the node, as in RFC 3339: a restart of Windows since then has ended it. Null if the node did not tell."),
	}
}

// leftAtTypes are the types of the members of left_attached_at.
func leftAtTypes() map[string]attr.Type {
	all := map[string]attr.Type{}
	for name, a := range leftAtAttributes() {
		all[name] = a.GetType()
	}
	return all
}

// leftAtValue returns, as the state shows it, where a disk was left attached.
func leftAtValue(at *hyperv.AttachedAt) types.Object {
	if at == nil {
		return types.ObjectNull(leftAtTypes())
	}
	return types.ObjectValueMust(leftAtTypes(), map[string]attr.Value{
		"node":        optionalString(at.Node),
		"name":        optionalString(at.Name),
		"port_number": optionalString(at.PortNumber),
		"path_id":     optionalString(at.PathID),
		"target_id":   optionalString(at.TargetID),
		"lun":         optionalString(at.Lun),
		"held_at":     optionalTime(at.HeldAt),
	})
}

// leftAt returns where, according to the state, the disk was left attached, on the node of the last
// run unless the state names another; nil if it holds neither.
func (m *vhdCompactionModel) leftAt() *hyperv.AttachedAt {
	member := func(name string) string {
		value, _ := m.LeftAttachedAt.Attributes()[name].(types.String)
		return value.ValueString()
	}
	at := hyperv.AttachedAt{
		Node: cmp.Or(member("node"), m.Node.ValueString()), Name: member("name"),
		PortNumber: member("port_number"), PathID: member("path_id"), TargetID: member("target_id"), Lun: member("lun"),
	}
	at.HeldAt, _ = time.Parse(time.RFC3339, member("held_at")) // zero, which is not known, for anything else
	if at == (hyperv.AttachedAt{}) {
		return nil
	}
	return &at
}

// left says what the last run may have left where it ran; empty for nothing.
func (m *vhdCompactionModel) left() string {
	switch {
	case m.LeftAttached.ValueBool():
		return "The last run may have left the disk attached there."
	case m.UnseenJob.ValueString() != "":
		return "Job " + m.UnseenJob.ValueString() + " of an earlier run may still compact the disk there."
	}
	return ""
}

// leftNode returns the node where that is.
func (m *vhdCompactionModel) leftNode() string {
	if at := m.leftAt(); at != nil && m.LeftAttached.ValueBool() {
		return at.Node
	}
	return cmp.Or(m.UnseenJobNode.ValueString(), m.Node.ValueString())
}

// formerNodeWarning says, for a disk in use, on which other node to look; nil
// if there is none.
func (m *vhdCompactionModel) formerNodeWarning(s subject, now string) diag.Diagnostic {
	former := m.leftNode()
	if m.left() == "" || former == "" || strings.EqualFold(former, now) {
		return nil
	}
	return diag.NewWarningDiagnostic(summaryFormerNode, s.detail("An earlier run was on "+former+". "+m.left()))
}

// forgottenWarning says what a destroy leaves behind that ends by itself.
func (m *vhdCompactionModel) forgottenWarning(s subject) diag.Diagnostic {
	return diag.NewWarningDiagnostic(summaryForgotten, s.detail(m.left()+" It ends by itself, and nothing waits for it."))
}
