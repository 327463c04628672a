package hyperv

import (
	"errors"
	"fmt"
	"strings"
)

// usedError: machines have the disk open, hold it in saved state, or will merge
// a checkpoint into it. All of these uses pass.
type usedError struct{ uses []Use }

func (e *usedError) Error() string        { return ErrInUse.Error() + " by " + list(e.uses) }
func (e *usedError) Is(target error) bool { return target == ErrInUse }
func (e *usedError) Reasons() []Reason    { return nil }

// Hint implements explained.
func (e *usedError) Hint() string {
	for _, u := range e.uses {
		if u.Kind == UseRunning || u.Kind == UseSaved {
			return hintInUse
		}
	}
	return "Wait for a backup, an import or a migration to end. Checkpoints that are no longer needed can be deleted in Hyper-V Manager, which merges them into the disk; never delete or merge their files by hand while the machine is registered. An .avhdx file that no checkpoint names is what a failed backup leaves: let the backup program clean it up."
}

// dependedError: others depend on the disk for good.
type dependedError struct {
	text, hint string
	reasons    []Reason
}

func (e *dependedError) Error() string        { return e.text }
func (e *dependedError) Is(target error) bool { return target == ErrDependedOn }
func (e *dependedError) Hint() string         { return e.hint }
func (e *dependedError) Reasons() []Reason    { return e.reasons }

// gapError: a disk whose parents could not be read may be a child of this one. The cause is
// included as text only, because an error of that disk is not an error of this one.
type gapError struct{ gap gap }

func (e *gapError) Error() string {
	return "it cannot be told who depends on the disk: " + e.gap.String()
}

// Is matches ErrUnseen, and ErrInUse too if the disk is in use, because its parents may be readable
// later.
func (e *gapError) Is(target error) bool {
	return target == ErrUnseen || target == ErrInUse && errors.Is(e.gap.err, ErrInUse)
}

// Hint implements explained.
func (e *gapError) Hint() string {
	switch {
	case errors.Is(e.gap.err, ErrInUse), errors.Is(e.gap.err, errMayBeThis):
		return "Wait until nothing else holds that disk, for example a backup."
	case errors.Is(e.gap.err, errReplicationUntold), errors.Is(e.gap.err, errPathUntold):
		return "Look at the machine in Hyper-V Manager: its configuration may be damaged."
	}
	return "Give the account rights on that disk, repair it, or remove it from the machine; on a share the host must be trusted to delegate the account. Disks on other volumes are not affected."
}

// Reasons implements explained.
func (*gapError) Reasons() []Reason { return nil }

// String names the disk, its machine and the reason why its parents could not be read.
func (g gap) String() string {
	switch {
	case errors.Is(g.err, errReplicationUntold):
		return fmt.Sprintf("the host does not say whether %s is replicated", g.use)
	case errors.Is(g.err, errPathUntold):
		return fmt.Sprintf("the host does not name the file of a disk of %s", g.use)
	case errors.Is(g.err, errMayBeThis):
		return fmt.Sprintf("%s, a parent of a disk of %s, may be this one under another path", g.path, g.use)
	}
	return fmt.Sprintf("%s, a disk of %s, was not opened: %s", g.path, g.use, withCode(g.err))
}

// unseenError: machines that are not shown may use the disk. The failure of
// another node is included as text only, because it is not a failure of this
// host.
type unseenError struct{ host unseenHost }

func (e *unseenError) Error() string {
	return "it cannot be told who uses the disk: " + e.host.String()
}

func (e *unseenError) Is(target error) bool { return target == ErrUnseen }

func (e *unseenError) Unwrap() error {
	if e.host.own {
		return e.host.err
	}
	return nil
}

// Hint implements explained.
func (e *unseenError) Hint() string {
	if e.host.own || isHidden(e.host.err) {
		return "Add the account to Hyper-V Administrators of that host; for a cluster let it read the cluster (Grant-ClusterAccess -ReadOnly)."
	}
	return "Make sure that the node answers at that address."
}

// Reasons implements explained.
func (e *unseenError) Reasons() []Reason {
	if e.host.own || e.host.written || isHidden(e.host.err) {
		return []Reason{ReasonUnseen}
	}
	return []Reason{ReasonNodeAddress, ReasonUnseen}
}

// String names the host whose machines are not shown, and the reason.
func (u unseenHost) String() string {
	return "the virtual machines of " + u.name + " are not shown: " + withCode(u.err)
}

// withCode writes an error with its deciding number and the meaning of that.
func withCode(err error) string {
	text := err.Error()
	if c, ok := decidingCode(err); ok && !strings.Contains(text, c.String()) {
		text += " (" + c.String() + ")"
	}
	return text
}
