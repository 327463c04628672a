package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// verdict holds what the gates found out about an order. With a Status they
// have ended the run; without one it goes on.
type verdict struct {
	disk     VHD
	node     string // that was asked, empty if its name is not known
	gen      *generation
	mode     Mode // empty where the host has no modes
	attaches bool // the disk is attached for the compaction
	status   Status
	detail   string
	warnings []Warning
	at       time.Time // when the gates were passed
}

// gatesLimit bounds the gates, jobs of an inspection included: a host that
// leaves one of them without an end must not hold a turn.
const gatesLimit = 10 * time.Minute

// judge passes the gates: everything that must be known before anything is
// started on the host, in this order: the file opens, its format and type, what
// the host can do, the minimum size, the machines that use it. The verdict
// holds what was found out, even with an error.
func (h *Host) judge(ctx context.Context, order *Order) (verdict, error) {
	limit := gatesLimit
	if order.Timeout > 0 {
		limit = min(limit, order.Timeout)
	}
	ctx, stop := context.WithTimeoutCause(ctx, limit, errGatesTimedOut)
	defer stop()
	disk, node, err := h.inspectOnNode(ctx, order.Path)
	v := verdict{disk: disk, node: node, gen: h.known.Load()}
	if err != nil {
		return v, h.nameUsers(ctx, order, &v, err)
	}
	ctx = onNode(ctx, node)
	if err := checkKind(disk); err != nil {
		return v, err
	}
	if err := checkPlanned(order, disk); err != nil {
		return v, err
	}
	if err := v.chooseMode(order); err != nil {
		return v, err
	}
	if disk.FileSizeBytes < order.MinFileSizeBytes && !order.mayHeal() {
		v.status = StatusBelowMinimum
		v.detail = fmt.Sprintf("the file has %d bytes, fewer than the minimum of %d", disk.FileSizeBytes, order.MinFileSizeBytes)
		return v, nil
	}
	err = h.checkUse(ctx, order, &v)
	v.at = time.Now()
	return v, err
}

// verdictKept is how long a verdict is good for requests to the host. A child or a machine may
// appear during a wait.
const verdictKept = usageTrusted

// stillPasses passes the gates again before something is sent, unless that was done just now. The
// minimum size was decided on before the first pass. The run ends if the path now names another
// disk, or the disk would be compacted in another way.
func (c *compactor) stillPasses(ctx context.Context) error {
	if time.Since(c.found.at) <= verdictKept {
		return nil
	}
	order := c.order
	order.MinFileSizeBytes = 0
	v, err := c.host.judge(ctx, &order)
	switch {
	case err != nil:
		return err
	case v.mode != c.found.mode || v.attaches != c.found.attaches || v.disk.Type != c.found.disk.Type || !sameNode(v.node, c.found.node) || isOtherDisk(v.disk, c.found.disk):
		return errChanged
	}
	c.found = v
	return nil
}

// errChanged: the disk for which the gates were passed is no longer there.
var errChanged = errors.New("the disk was exchanged or changed its format during the run")

func isOtherDisk(a, b VHD) bool {
	return a.VirtualDiskID != nil && b.VirtualDiskID != nil && !strings.EqualFold(*a.VirtualDiskID, *b.VirtualDiskID)
}

var errGatesTimedOut = fmt.Errorf("the time for looking at the disk is over, which is the time of the run and at most %s", gatesLimit)

// inspectOnNode inspects the disk and learns which node of the host answers. The older generation
// inspects in one exchange. Before the first answer of a host it is not known how to ask for the
// node.
func (h *Host) inspectOnNode(ctx context.Context, path string) (disk VHD, node string, err error) {
	ctx = learnNode(ctx, &node)
	disk, err = h.Inspect(ctx, path)
	if err != nil || node != "" {
		return disk, node, err
	}
	_, err = h.get(ctx, h.known.Load().service())
	return disk, node, err
}

// checkKind refuses disks that compacting cannot shrink.
func checkKind(disk VHD) error {
	switch {
	case disk.Format == FormatVHDSet:
		return &kindError{"the disk is a VHD Set, which another method of the host optimises", "Optimise it on the host with Optimize-VHDSet."}
	case disk.Type == TypeFixed:
		return &kindError{"the disk is fixed, so its file always has its full size", "A fixed disk cannot shrink; Convert-VHD -VHDType Dynamic makes a dynamic copy of it."}
	case disk.Type == "":
		return &kindError{"the host reports a type of disk that is not known here", "Look at the disk with Get-VHD on the host: only dynamic and differencing disks can be compacted."}
	}
	return nil
}

// checkPlanned refuses a disk of another kind than the order was made for.
func checkPlanned(order *Order, disk VHD) error {
	switch {
	case order.Format != "" && order.Format != disk.Format:
		return &plannedError{was: string(order.Format), is: string(disk.Format)}
	case order.Type != "" && order.Type != disk.Type:
		return &plannedError{was: string(order.Type), is: string(disk.Type)}
	}
	return nil
}

// plannedError: the disk has become one of another kind since the run was planned.
type plannedError struct{ was, is string }

func (e *plannedError) Error() string {
	return fmt.Sprintf("the disk is %s now, and was %s when it was last looked at: nothing was sent", e.is, e.was)
}

func (*plannedError) Hint() string      { return "The disk was converted or another one took its place." }
func (*plannedError) Reasons() []Reason { return []Reason{ReasonPlannedOther} }

// kindError: a disk of a kind that cannot be compacted.
type kindError struct{ text, hint string }

func (e *kindError) Error() string        { return e.text }
func (e *kindError) Is(target error) bool { return target == ErrNotSupported }
func (e *kindError) Hint() string         { return e.hint }
func (*kindError) Reasons() []Reason      { return []Reason{ReasonNotCompactable} }

// chooseMode decides the mode, and whether the disk is attached for it.
func (v *verdict) chooseMode(order *Order) error {
	wants := order.AttachReadOnly != nil && *order.AttachReadOnly
	if !v.gen.modes {
		return v.refuseModes(order.Mode != nil, wants)
	}
	v.mode = defaultMode(v.disk.Format)
	if order.Mode != nil {
		v.mode = *order.Mode
	}
	v.attaches = order.AllowAttach && v.mode.Attaches()
	if order.AttachReadOnly != nil {
		v.attaches = wants
	}
	switch {
	case v.attaches && !order.AllowAttach:
		return because(ReasonAttachForbidden, fmt.Errorf("%w: the disk is to be attached, which is not allowed", ErrNotSupported))
	case v.mode.NeedsAttachment() && !v.attaches:
		return because(ReasonNotAttached, fmt.Errorf("%w: mode %s needs the disk attached read-only", ErrNotSupported, v.mode))
	}
	return nil
}

// refuseModes refuses a mode or an attachment on a host without modes.
func (v *verdict) refuseModes(mode, attach bool) error {
	switch {
	case mode:
		return because(ReasonNoModes, fmt.Errorf("%w: the host has only %s, whose method takes no mode", ErrNotSupported, v.gen.namespace))
	case attach:
		return because(ReasonWritesAttached, fmt.Errorf("%w: the host has only %s, which attaches with write access only", ErrNotSupported, v.gen.namespace))
	}
	return nil
}

// defaultMode returns the mode that Optimize-VHD uses when it is given none.
func defaultMode(f Format) Mode {
	if f == FormatVHDX {
		return ModeQuick
	}
	return ModeFull
}
