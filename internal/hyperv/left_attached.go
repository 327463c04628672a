package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// leftWait is how long the compactions of a host are awaited before a disk that an earlier run left
// attached is detached.
const leftWait = 10 * time.Minute

// errNotOurs: an attachment is not known to be the one that was left.
var errNotOurs = errors.New("it is not known to be the attachment that was left")

// GiveBack detaches a disk that an earlier run left attached at the place that its result has
// recorded. It does so only if that attachment is still there, by node, address, name and access,
// if Windows has not been restarted since, if it has no drive letter and no folder mount point, and
// if the compactions that the host shows running, except those of this process for other disks, end
// within ten minutes: the attachment may have been taken over since. A disk that is not attached is
// no error. Any other attachment stays, and the error names the node and the command with which a
// person can detach it.
func (h *Host) GiveBack(ctx context.Context, path string, at *AttachedAt) error {
	path = winpath.Normalize(path)
	err := h.giveBack(ctx, path, at)
	if err == nil {
		return nil
	}
	name := h.name
	if at != nil && at.Node != "" {
		name = at.Node
	}
	return fmt.Errorf("the disk stays attached on %s; by hand, there: %s: %w", name, DismountCommand(path), err)
}

func (h *Host) giveBack(ctx context.Context, path string, at *AttachedAt) error {
	// The node that answers can be known only once the generation is.
	if err := h.withGeneration(ctx, func(g *generation) error { return h.prove(ctx, g) }); err != nil {
		return err
	}
	if at == nil {
		at = &AttachedAt{}
	}
	node := at.Node
	if node == "" {
		ctx = learnNode(ctx, &node)
	} else {
		ctx = onNode(ctx, node)
	}
	image, err := h.findImage(ctx, path)
	switch {
	case err != nil:
		return fmt.Errorf("look for the attached disk: %w", err)
	case image == nil && !strings.EqualFold(node, at.Node):
		return fmt.Errorf("%w: it is not attached on %s, and no node is known on which it was", errNotOurs, node)
	case image == nil:
		return nil
	case !image.is(at, node):
		return errNotOurs
	}
	return h.detachLeft(ctx, path, image, at.HeldAt)
}

// detachLeft detaches what an earlier run left attached, once the compactions that one list shows
// running have ended, and their holders have had the time to detach. None may have begun during that
// wait: it could be that of another run which has taken over the attachment.
func (h *Host) detachLeft(ctx context.Context, path string, image *mountedImage, held time.Time) error {
	var waited time.Time // when the wait began
	for {
		if gone, err := h.checkLeft(ctx, path, image, held); gone || err != nil {
			return err
		}
		running, err := h.compactionsSince(ctx, path, waited)
		switch {
		case err != nil:
			return err
		case len(running) == 0:
			_, err := h.sendDetach(ctx, image)
			return err
		case !waited.IsZero():
			return fmt.Errorf("%w: job %s began meanwhile, and another client may have taken over the attachment", errNotOurs, running[0].ID)
		}
		waited = time.Now()
		waiting, stop := context.WithTimeoutCause(ctx, leftWait, errLeftWait)
		err = h.awaitEnds(waiting, running, nil)
		stop()
		if err != nil {
			return err
		}
		if err := pause(ctx, patienceAfter(running, time.Since(waited))); err != nil {
			return err
		}
	}
}

// patienceAfter returns how long to leave alone the holders of jobs that ended during a wait.
func patienceAfter(jobs []StorageJob, waited time.Duration) time.Duration {
	var longest time.Duration
	for _, job := range jobs {
		worked := job.Elapsed + waited
		if job.Elapsed <= 0 {
			worked = 0 // not known
		}
		longest = max(longest, patience(worked))
	}
	return longest
}

// checkLeft refuses an attachment that can be reached by a name, or that a restart since held may
// have ended. The result gone says that it is no longer there.
func (h *Host) checkLeft(ctx context.Context, path string, image *mountedImage, held time.Time) (gone bool, err error) {
	now, err := h.lookAgain(ctx, path, image)
	if now == nil {
		return err == nil, err
	}
	name, err := h.namedVolume(ctx, now)
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: %w", errNotOurs, err)
	case name != "":
		return false, fmt.Errorf("%w: it can be reached as %s", errNotOurs, name)
	}
	return false, h.checkSameWindows(ctx, held)
}

var errLeftWait = fmt.Errorf("it has not ended within %s", leftWait)

// giveBackLeft detaches what an earlier run left attached, if the gates have
// ended this run or it started nothing.
func (c *compactor) giveBackLeft(clean context.Context) {
	if !c.attachment.prior {
		return
	}
	if err := c.host.giveBack(clean, c.order.Path, c.order.LeftAt); err != nil {
		c.leaveAttached(err)
		return
	}
	c.attachment.end()
}
