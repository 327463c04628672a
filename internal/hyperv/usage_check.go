package hyperv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// checkUse refuses a disk that a virtual machine needs, or on which another disk
// depends: compacting a parent can make every child refuse to open.
//
// Unverified on a real host (compact-parent): what a compaction of a parent does
// to its children. A mounted pass drops free space that is not zero, which calls
// for a new DataWriteGuid, and a VHD child keeps the time stamp of its parent.
func (h *Host) checkUse(ctx context.Context, order *Order, v *verdict) error {
	switch {
	case v.disk.savedV1:
		return fmt.Errorf("%w by a virtual machine in saved state", ErrInUse)
	case v.disk.usedV1:
		return fmt.Errorf("%w by a virtual machine, or mounted on the host", ErrInUse)
	}
	p, err := h.settledPicture(ctx, v.node, order.Path, &v.disk, consentOf(order, v))
	if p == nil {
		return err
	}
	v.warnings = append(v.warnings, p.aboutCluster()...)
	switch g, ok := errors.AsType[*gapError](err); {
	case ok && order.SkipInUse && errors.Is(err, ErrInUse): // the warning about the skip covers it
	case ok:
		v.warnings = append(v.warnings, Warning{WarnDiskNotOpened, g.gap.String()})
	case err == nil:
		v.warnings = append(v.warnings, p.consented()...)
	}
	return err
}

// settledPicture returns the picture and the judgement about it. If a disk was in use when its
// machine was listed, its parents are read again, for as long as any disk in use is tried: a
// scanner or a backup may have held it for a moment. The picture is nil if there is none.
func (h *Host) settledPicture(ctx context.Context, node, path string, disk *VHD, c consent) (*picture, error) {
	since := trusted()
	for start := time.Now(); ; {
		p, err := h.pictureOf(ctx, node, path, disk, since)
		if err != nil {
			return nil, err
		}
		err = p.judge(c)
		g, ok := errors.AsType[*gapError](err)
		if !ok || !errors.Is(g, ErrInUse) || time.Since(start) >= inUseTrial {
			return p, err
		}
		if pause(ctx, inUsePause) != nil {
			return p, err
		}
		since = time.Now()
	}
}

// aboutCluster returns the warnings about the cluster.
func (p *picture) aboutCluster() []Warning {
	var warnings []Warning
	if len(p.down) > 0 {
		warnings = append(warnings, Warning{WarnNodeDown, "These nodes of the cluster are down and were not asked, their clustered virtual machines have moved: " + strings.Join(p.down, ", ")})
	}
	if p.byCluster != "" {
		warnings = append(warnings, Warning{WarnClusterName, p.byCluster + " is the name of the cluster, which moves from node to node: a job or an attachment is out of sight once it has moved. Name a node in its place."})
	}
	return warnings
}

// nameUsers names the machines that have a disk open which could not even be inspected, as far as
// the hosts show them: mostly a machine on another node of the cluster. The error of the inspection
// is err, which is returned if no machine is known.
func (h *Host) nameUsers(ctx context.Context, order *Order, v *verdict, err error) error {
	if !errors.Is(err, ErrInUse) {
		return err
	}
	p, unknown := h.pictureOf(onNode(ctx, v.node), v.node, order.Path, nil, trusted())
	if unknown != nil {
		return err
	}
	c := consentOf(order, v)
	c.format = formatOf(order.Path)
	if known := p.judgeKnown(c); known != nil {
		return known
	}
	return err
}

// consent is what the user has allowed beyond what is always safe.
type consent struct {
	parent, replicated bool
	// zerosOnly: the order names the mode that drops only blocks of zeros, and
	// does not attach the disk.
	zerosOnly bool
	format    Format
	// unseen: virtual machines that are not shown do not keep the disk from being compacted.
	unseen bool
}

func consentOf(order *Order, v *verdict) consent {
	return consent{
		parent: order.AllowParent, replicated: order.AllowReplicated, unseen: order.AllowUnseen, format: v.disk.Format,
		zerosOnly: order.Mode != nil && *order.Mode == ModePrezeroed && !v.attaches,
	}
}

// judge refuses first for known uses, and then for what is not known. Disks on
// which others depend for good come before uses that pass.
func (p *picture) judge(c consent) error {
	if err := p.judgeKnown(c); err != nil {
		return err
	}
	if err := p.refuseGaps(); err != nil {
		return err
	}
	if err := p.refuseUntold(); err != nil {
		return err
	}
	return p.refuseUnseen(c)
}

func (p *picture) judgeKnown(c consent) error {
	uses := p.machines()
	for _, refuse := range [...]func([]Use, consent) error{refuseReplicas, refuseParents, refuseUses} {
		if err := refuse(uses, c); err != nil {
			return err
		}
	}
	return nil
}

// refuseReplicas refuses the disks of replicated machines. The disks of a replica are owned by the
// replication; a primary is resynchronised once its file has changed.
//
// Unverified on a real host (compact-replicated): that a compaction counts as such a change.
func refuseReplicas(uses []Use, c consent) error {
	var primaries, replicas []Use
	for _, u := range uses {
		switch {
		case u.Replication == replicationUntold: // judged after the known uses
		case u.Replication == ReplicationPrimary:
			primaries = append(primaries, u)
		case u.Replication != ReplicationNone, u.Kind == UseReplicaPoint:
			replicas = append(replicas, u)
		}
	}
	switch {
	case len(replicas) > 0:
		return &dependedError{text: "the disk belongs to the replica of " + list(replicas), hint: "Leave the disk alone: Hyper-V Replica owns the disks on the side of the replica."}
	case len(primaries) > 0 && !c.replicated:
		return &dependedError{
			text:    "the disk is replicated for " + list(primaries),
			hint:    "After a compaction the next replication is a resynchronisation, which compares the whole disk.",
			reasons: []Reason{ReasonReplicated},
		}
	}
	return nil
}

// refuseParents refuses the parents of linked clones and of other disks that
// stay. The disks of checkpoints are merged some day: so that use passes.
func refuseParents(uses []Use, c consent) error {
	var children []Use
	for _, u := range uses {
		if u.Child != "" && !isCheckpointDisk(u.Child) {
			children = append(children, u)
		}
	}
	if len(children) == 0 || c.allowsParent() {
		return nil
	}
	e := &dependedError{text: "other disks depend on it: it is a parent of disks of " + list(children)}
	e.hint, e.reasons = c.aboutParents()
	return e
}

// isCheckpointDisk reports whether Hyper-V has made the disk for a checkpoint.
func isCheckpointDisk(path string) bool {
	format := formatOf(path)
	return format == "avhdx" || format == "avhd" || format == "avh" // the last in a short name
}

// allowsParent reports whether the order may compact a parent: blocks of zeros
// can be dropped from the parent of a VHDX without changing what its children
// read. A VHD child keeps the time stamp of its parent, which every change of
// the file may move.
func (c consent) allowsParent() bool {
	return c.parent && c.zerosOnly && c.format == FormatVHDX
}

// aboutParents returns the advice about a parent: only settings that are not
// made already, and none with which a VHD would be refused too.
func (c consent) aboutParents() (hint string, reasons []Reason) {
	switch {
	case c.format != FormatVHDX:
		return "Leave the disk alone, or merge its children into it: a child in the format VHD keeps the time stamp of its parent.", nil
	case c.parent:
		return "Beneath a child only blocks of zeros can be dropped, which no child notices.", []Reason{ReasonParentMode}
	}
	return "Leave the disk alone, or merge its children into it.", []Reason{ReasonParent}
}

// refuseUses refuses a disk that a machine has open, holds in saved state, or
// will merge a child into.
func refuseUses(uses []Use, c consent) error {
	var busy []Use
	for _, u := range uses {
		switch u.Kind {
		case UseOff:
			if u.Child == "" || c.allowsParent() {
				continue
			}
		case UseCheckpoint:
			if c.allowsParent() {
				continue
			}
		default:
		}
		busy = append(busy, u)
	}
	if len(busy) == 0 {
		return nil
	}
	return &usedError{busy}
}

// refuseGaps refuses if a disk on the same volume may be a child of this one,
// because its parents could not be read.
func (p *picture) refuseGaps() error {
	if len(p.gaps) == 0 {
		return nil
	}
	g := p.gaps[0]
	for _, other := range p.gaps {
		if !errors.Is(other.err, ErrInUse) {
			g = other
			break
		}
	}
	return &gapError{gap: g}
}

// refuseUntold refuses the disks of a machine of which the host does not say whether it is
// replicated. No consent is for the side of the replica.
func (p *picture) refuseUntold() error {
	for _, u := range p.uses {
		if u.Replication == replicationUntold {
			return &gapError{gap: gap{use: u, err: errReplicationUntold}}
		}
	}
	return nil
}

// refuseUnseen refuses if virtual machines that are not shown may use the disk.
func (p *picture) refuseUnseen(c consent) error {
	if len(p.unseen) == 0 || c.unseen {
		return nil
	}
	return &unseenError{host: p.unseen[0]}
}

// consented returns the warnings about what the user's consent has let pass.
func (p *picture) consented() []Warning {
	var warnings []Warning
	for _, u := range p.unseen {
		warnings = append(warnings, Warning{WarnUsageUnknown, u.String()})
	}
	return warnings
}

// listed is the most machines that an error names.
const listed = 3

// list names the users of a disk; a golden image has more of them than anyone would read.
func list(uses []Use) string {
	var names []string
	for _, u := range uses[:min(len(uses), listed)] {
		names = append(names, u.String())
	}
	text := strings.Join(names, ", ")
	if more := len(uses) - listed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// compareUses puts the most telling uses first.
func compareUses(a, b Use) int {
	return cmp.Or(
		cmp.Compare(a.Machine, b.Machine), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(winpath.Key(a.Child), winpath.Key(b.Child)), cmp.Compare(a.Path, b.Path),
	)
}
