package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// remembered reads what is known of a disk: its state and its marks.
func remembered(ctx context.Context, state tfsdk.State, private privateReader) (m vhdCompactionModel, found marks, diags diag.Diagnostics) {
	diags = state.Get(ctx, &m)
	found, more := readMarks(ctx, private)
	diags.Append(more...)
	m.fromVersion0(&found)
	return m, found, diags
}

// fromVersion0 converts the host from version 0 of the schema, which always
// kept it in the state, with a mark if it was that of the provider.
func (m *vhdCompactionModel) fromVersion0(found *marks) {
	if found.HostSource == "" {
		return
	}
	found.Asked = hyperv.HostKey(m.Host.ValueString())
	if found.HostSource == "provider" {
		m.Host = types.StringNull()
	}
	found.HostSource = ""
}

// errElsewhere: on the host that would be asked now, the path names another disk.
var errElsewhere = errors.New("the path names another disk on this host")

// settle makes sure that the host reports on the disk of the state. A host that was not asked
// before is first asked which disk the path names there. If it is the same disk, or cannot be
// distinguished from it, its history continues, and the result node is the node that now has it, if
// that has changed. If it is another disk, only the host on which it was seen is noted.
func (m *vhdCompactionModel) settle(ctx context.Context, host *hyperv.Host, found *marks) (node string, err error) {
	now := hyperv.HostKey(host.Name())
	if found.Asked == now {
		found.Elsewhere = ""
		return "", nil
	}
	at, err := host.Locate(ctx, m.Path.ValueString())
	absent := errors.Is(err, hyperv.ErrNotFound) && found.Asked != "" // on import it is just absent
	switch {
	case absent || err == nil && m.isOther(at.VirtualDiskID):
		found.Elsewhere = now
		return "", errElsewhere
	case err != nil:
		return "", err
	}
	found.Asked, found.Elsewhere = now, ""
	if at.VirtualDiskID != "" {
		m.VirtualDiskID = types.StringValue(at.VirtualDiskID)
	}
	former := m.Node.ValueString()
	if former == "" { // as after an import; otherwise it stays the node of the last run
		m.Node = optionalString(at.Node)
	}
	if former == "" || at.Node == "" || strings.EqualFold(former, at.Node) {
		return "", nil
	}
	return at.Node, nil
}

// isOther reports whether an identifier belongs to another disk than that of
// the state. Hosts before Windows Server 2012 R2 give none.
func (m *vhdCompactionModel) isOther(id string) bool {
	known := m.VirtualDiskID.ValueString()
	return id != "" && known != "" && !strings.EqualFold(id, known)
}

// formerHost names the host on which the disk of the state is.
func (m *vhdCompactionModel) formerHost(found marks) string {
	return cmp.Or(m.Node.ValueString(), found.Asked)
}

// movedWarning says, once, that a disk on another node is taken for the same disk; nil where no
// other file can be meant, on a cluster volume or a share.
func (m *vhdCompactionModel) movedWarning(s subject, node string) diag.Diagnostic {
	if path := m.Path.ValueString(); node == "" || winpath.OnClusterVolume(path) || winpath.IsUNC(path) {
		return nil
	}
	return diag.NewWarningDiagnostic(summaryMoved, fmt.Sprintf("%s\nThe last run was on %s. On %s the path names a disk with the same identifier, or with none that could be compared, which is taken for the same disk.\n\n"+
		"Copies of one template share their identifier. If this is a copy, plan once with -replace to begin anew with it, or set host to stay with the former disk.",
		s.lines(), m.Node.ValueString(), node))
}

// elsewhereDetail says what is known of a path that now names another disk.
func (m *vhdCompactionModel) elsewhereDetail(s subject, found marks) string {
	return strings.TrimSpace(fmt.Sprintf("%s\nOn this host the path names another disk, or none; the disk of this resource was last seen on %s. %s",
		s.lines(), m.formerHost(found), m.left()))
}

// elsewhereWarning gives the reason why a refresh has kept the state.
func (m *vhdCompactionModel) elsewhereWarning(s subject, found marks) diag.Diagnostic {
	detail := m.elsewhereDetail(s, found)
	if m.left() != "" {
		detail += "\n\nNothing is replaced until that is settled: name the former host, in host of the resource or of the provider, and apply."
	} else {
		detail += "\n\nThe resource is replaced: the former disk is forgotten as it is, the other one gets a first run. To stay with the former disk, set host of the resource."
	}
	return diag.NewWarningDiagnostic(summaryElsewhere, detail)
}

// notForgotten says why a destroy has forgotten nothing.
func (m *vhdCompactionModel) notForgotten(found marks) diag.Diagnostic {
	s := subject{path: m.Path.ValueString(), host: found.Elsewhere}
	return diag.NewErrorDiagnostic(summaryElsewhere, m.elsewhereDetail(s, found)+
		"\n\nNothing was forgotten. Name the former host, or forget the disk as it is with terraform state rm.")
}

// elsewhereError gives the reason why an apply has started nothing.
func (m *vhdCompactionModel) elsewhereError(s subject, found marks) diag.Diagnostic {
	return diag.NewErrorDiagnostic(summaryElsewhere, m.elsewhereDetail(s, found)+
		"\n\nNothing was started. Plan again with a refresh, or name the former host.")
}
