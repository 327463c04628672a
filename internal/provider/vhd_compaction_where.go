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
	if found.HostSource != "" {
		found.Asked = hyperv.HostKey(m.Host.ValueString())
	}
	if found.HostSource == "provider" {
		m.Host = types.StringNull()
	}
	found.HostSource = ""
}

// errElsewhere: on the host that would be asked now, the path names another disk.
var errElsewhere = errors.New("the path names another disk on this host")

// settle makes sure that the host reports on the disk of the state. A host that was not asked
// before is first asked which disk the path names there. If it is the same disk, or cannot be
// distinguished from it, its history continues, with a warning if it is on another node. If it is
// another disk, only the host on which it was seen is noted.
func (m *vhdCompactionModel) settle(ctx context.Context, host *hyperv.Host, found *marks, diags *diag.Diagnostics) error {
	now := hyperv.HostKey(host.Name())
	if found.Asked == now {
		return nil
	}
	at, err := host.Locate(ctx, m.Path.ValueString())
	absent := errors.Is(err, hyperv.ErrNotFound) && found.Asked != "" // on import it is just absent
	switch {
	case absent, differs(m.VirtualDiskID, at.VirtualDiskID):
		found.Elsewhere = now
		return errElsewhere
	case err != nil:
		return err
	}
	found.Asked = now
	diags.Append(m.movedWarning(m.subject(host), at.Node))
	m.VirtualDiskID = optionalString(cmp.Or(at.VirtualDiskID, m.VirtualDiskID.ValueString()))
	m.Node = optionalString(cmp.Or(m.Node.ValueString(), at.Node)) // it stays that of the last run
	return nil
}

// differs reports whether a host names another disk or node than is known. Hosts before Windows
// Server 2012 R2 give a disk no identifier, and not every host tells its name.
func differs(known types.String, told string) bool {
	return !known.IsNull() && told != "" && !strings.EqualFold(known.ValueString(), told)
}

// movedWarning says, once, that a disk on another node is taken for the same disk; nil where no
// other file can be meant, on a cluster volume or a share.
func (m *vhdCompactionModel) movedWarning(s subject, node string) diag.Diagnostic {
	if path := m.Path.ValueString(); !differs(m.Node, node) || winpath.OnClusterVolume(path) || winpath.IsUNC(path) {
		return nil
	}
	return diag.NewWarningDiagnostic(summaryMoved, s.detail(
		fmt.Sprintf("The last run was on %s. On %s the path names a disk with the same identifier, or with none that could be compared, which is taken for the same disk.", m.Node.ValueString(), node),
		"Copies of one template share their identifier. If this is a copy, plan once with -replace to begin anew with it, or set host to stay with the former disk."))
}

// lastSeen names the disk and the host on which it was seen last.
func (m *vhdCompactionModel) lastSeen(found marks) subject {
	return subject{path: m.Path.ValueString(), host: cmp.Or(m.Node.ValueString(), found.Asked, m.Host.ValueString())}
}

// What follows when the path names another disk.
const (
	elsewhereReplaced     = "The resource is replaced: the former disk is forgotten as it is, the other one gets a first run. To stay with the former disk, set host of the resource."
	elsewhereKept         = "Nothing is replaced until that is settled: name the former host, in host of the resource or of the provider, and apply."
	elsewhereUndecided    = "The plan cannot know whether the provider will ask this host, and an apply that learns it could not replace the resource any more. Plan with a refresh, or name the host."
	elsewhereNotStarted   = "Nothing was started. Plan again with a refresh, or name the former host."
	elsewhereNotForgotten = "Nothing was forgotten. Name the former host, or forget the disk as it is with terraform state rm."
)

// elsewhere says what is known of a path that names another disk, and what follows.
func (m *vhdCompactionModel) elsewhere(found marks, follows string) string {
	known := fmt.Sprintf("On this host the path names another disk, or none; the disk of this resource was last seen on %s. %s", m.lastSeen(found).host, m.left())
	return subject{path: m.Path.ValueString(), host: found.Elsewhere}.detail(known, follows)
}
