package hypervsim

import (
	"fmt"
	"time"
)

// Console is a person or program that works on the host itself: an administrator, a backup program,
// a colleague. What a client requests by messages happens at once here, and nothing that is done at
// a console is a violation.
type Console struct {
	host *Host
	by   agent
}

// Console returns the console of a person with that account, DOMAIN
//
// ame. Jobs show the account as their owner.
func (h *Host) Console(account string) *Console {
	return &Console{host: h, by: agent{account: account, name: "console of " + account, console: true}}
}

// administrator is the console through which the methods of Host act.
func (h *Host) administrator() *Console { return h.Console(h.world.host + `\Administrator`) }

// Attach attaches a disk to the host at once. Names are the drive letters and
// folders that its volume gets, for example E:\ and C:\mnt\x\.
func (c *Console) Attach(path string, readOnly bool, names ...string) error {
	now := c.host.world.lock()
	defer c.host.world.mu.Unlock()
	w := c.host.world
	d, refused := w.openable(path)
	if refused == nil {
		refused = w.mayAttach(d)
	}
	if refused != nil {
		return fmt.Errorf("attach %s: return value %d", path, refused.code)
	}
	w.attach(c.by, d.Path, readOnly, names, now)
	return nil
}

// Detach detaches a disk from the host. It reports whether the disk was attached.
func (c *Console) Detach(path string) bool {
	now := c.host.world.lock()
	defer c.host.world.mu.Unlock()
	a := c.host.world.attached(path)
	if a == nil {
		return false
	}
	c.host.world.detach(a, now)
	return true
}

// Compact starts to compact a disk in mode Quick for d. It returns the ID of the
// job.
func (c *Console) Compact(path string, d time.Duration) (string, error) {
	now := c.host.world.lock()
	defer c.host.world.mu.Unlock()
	w := c.host.world
	disk, refused := w.openable(path)
	if refused == nil {
		refused = w.mayCompact(disk, modeQuick)
	}
	if refused != nil {
		return "", fmt.Errorf("compact %s: return value %d", path, refused.code)
	}
	if disk.file != "" {
		return "", fmt.Errorf("compact %s: a real file has no duration", path)
	}
	j := &job{kind: JobCompaction, path: disk.Path, by: c.by, cancellable: true, ends: now.Add(d)}
	j.compaction = w.compacting(c.by, disk, modeQuick)
	j.finish = func(part float64) { disk.reclaim(modeQuick, j.compaction.mounted, part) }
	w.start(j, now)
	w.sawCompaction(c.by, disk, modeQuick, j.compaction.mounted)
	return j.id, nil
}

// Cancel terminates a job. It reports whether the job was running.
func (c *Console) Cancel(id string) bool {
	now := c.host.world.lock()
	defer c.host.world.mu.Unlock()
	for _, j := range c.host.world.jobs {
		if j.id == id && j.isRunning() {
			c.host.world.cancel(j, JobTerminated, now)
			return true
		}
	}
	return false
}

// Attach attaches a disk to the host, as an administrator there would.
func (h *Host) Attach(path string, readOnly bool, names ...string) error {
	return h.administrator().Attach(path, readOnly, names...)
}

// AttachFor attaches a disk read-only, as if that client had left it attached.
// The client is the name of a connection, or an account.
func (h *Host) AttachFor(client, path string) error {
	c := &Console{host: h, by: agent{account: client, name: client}}
	return c.Attach(path, true)
}

// Detach detaches a disk from the host, as an administrator there would. It
// reports whether the disk was attached.
func (h *Host) Detach(path string) bool { return h.administrator().Detach(path) }

// StartForeignCompaction starts, as an administrator, to compact a disk for d.
// It returns the ID of the job.
func (h *Host) StartForeignCompaction(path string, d time.Duration) (string, error) {
	return h.administrator().Compact(path, d)
}

// CancelJob terminates a job, as an administrator may.
func (h *Host) CancelJob(id string) bool { return h.administrator().Cancel(id) }
