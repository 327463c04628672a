package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// fromVersion0 reads the host as version 0 of the schema noted it: always in the
// state, with a mark where it was the provider's.
func (m *vhdCompactionModel) fromVersion0(found *marks) {
	if found.HostSource == "" {
		return
	}
	found.Asked = hostKey(m.Host.ValueString())
	if found.HostSource == "provider" {
		m.Host = types.StringNull()
	}
	found.HostSource = ""
}

// errElsewhere: the path names another disk on the host that is to be asked now.
var errElsewhere = errors.New("the path names another disk on this host")

// settle makes sure that a host tells about the disk of the state. One that the
// state was not asked on is first asked which disk the path names there. The same
// one, or one that cannot be told apart, goes on with its history; of another one
// nothing is noted but where it was seen.
func (m *vhdCompactionModel) settle(ctx context.Context, host *hyperv.Host, found *marks) error {
	now := hostKey(host.Name())
	if found.Asked == now {
		found.Elsewhere = ""
		return nil
	}
	at, err := host.Locate(ctx, m.Path.ValueString())
	absent := errors.Is(err, hyperv.ErrNotFound) && found.Asked != "" // an import finds nothing
	if err != nil && !absent {
		return err
	}
	if absent || m.isOther(at.VirtualDiskID) {
		found.Elsewhere = now
		return errElsewhere
	}
	found.Asked, found.Elsewhere = now, ""
	if m.Node.IsNull() { // as after an import; else it stays that of the last run
		m.Node = optionalString(at.Node)
	}
	if at.VirtualDiskID != "" {
		m.VirtualDiskID = types.StringValue(at.VirtualDiskID)
	}
	return nil
}

// isOther reports whether an identifier belongs to another disk than that of the
// state. Hosts before Windows Server 2012 R2 tell none.
func (m *vhdCompactionModel) isOther(id string) bool {
	return id != "" && !m.VirtualDiskID.IsNull() && !strings.EqualFold(id, m.VirtualDiskID.ValueString())
}

// formerHost names where the disk of the state is.
func (m *vhdCompactionModel) formerHost(found marks) string {
	if node := m.Node.ValueString(); node != "" {
		return node
	}
	return found.Asked
}

// left says what may be left of the last run where it ran; empty for nothing.
func (m *vhdCompactionModel) left() string {
	switch {
	case m.LeftAttached.ValueBool():
		return "The last run may have left the disk attached there."
	case m.unseenJob() != "":
		return "Job " + m.unseenJob() + " of the last run may still compact the disk there."
	}
	return ""
}

// formerNodeWarning says, beside a disk in use, on which other node to look; nil
// where there is none.
func (m *vhdCompactionModel) formerNodeWarning(s subject, now string) diag.Diagnostic {
	former := m.Node.ValueString()
	if m.left() == "" || former == "" || strings.EqualFold(former, now) {
		return nil
	}
	return diag.NewWarningDiagnostic(summaryFormerNode, fmt.Sprintf("%s\nThe last run was on %s. %s", s.lines(), former, m.left()))
}

// elsewhereDetail says what is known of a path that names another disk now.
func (m *vhdCompactionModel) elsewhereDetail(s subject, found marks) string {
	return strings.TrimSpace(fmt.Sprintf("%s\nOn this host the path names another disk, or none; the disk of this resource was last seen on %s. %s",
		s.lines(), m.formerHost(found), m.left()))
}

// elsewhereWarning says why a refresh has kept the state.
func (m *vhdCompactionModel) elsewhereWarning(s subject, found marks) diag.Diagnostic {
	detail := m.elsewhereDetail(s, found)
	if m.left() != "" {
		detail += "\n\nNothing is replaced until that is settled: name the former host, in host of the resource or of the provider, and apply."
	} else {
		detail += "\n\nThe resource is replaced: the former disk is forgotten as it is, the other one gets a first run. To stay with the former disk, set host of the resource."
	}
	return diag.NewWarningDiagnostic(summaryElsewhere, detail)
}

// elsewhereError says why an apply has started nothing.
func (m *vhdCompactionModel) elsewhereError(s subject, found marks) diag.Diagnostic {
	return diag.NewErrorDiagnostic(summaryElsewhere, m.elsewhereDetail(s, found)+
		"\n\nNothing was started. Plan again with a refresh, or name the former host.")
}
