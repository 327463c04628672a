package hypervsim

import (
	"fmt"
	"slices"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// The oracle of a site watches what clients do and claim, and knows the facts. It records events
// that a careful client never causes, and names the client by its connection (DialAs, ListenAs) or
// else by its account. People at the console of a host may do what they like.
//
// An attachment belongs to the client that asked for it, and from then on to one
// whose compaction the host has accepted on it.

// observation holds the events that were seen at a site.
type observation struct {
	violations  []string
	compactions map[fileID]int // started
	requests    map[fileID]int // asked for
	completed   map[deed]int   // compactions that ended well
	claims      map[deed]time.Time
	peak        int
}

// fileID is one file of a site.
type fileID struct {
	store *store
	key   string
}

// deed is a file with the client that did something to it.
type deed struct {
	file fileID
	by   string
}

func newObservation() observation {
	return observation{
		compactions: map[fileID]int{}, requests: map[fileID]int{},
		completed: map[deed]int{}, claims: map[deed]time.Time{},
	}
}

func (w *world) fileID(path string) fileID {
	key := w.key(path)
	return fileID{w.storeOf(key), key}
}

func (o *observation) violationf(format string, args ...any) {
	o.violations = append(o.violations, fmt.Sprintf(format, args...))
}

// agent is the client or person that does something on a host.
type agent struct {
	account string // DOMAIN\name, the owner of jobs
	name    string // distinguishes two processes of one account
	console bool   // a person at the host itself, not a client
}

func agentOf(c wmi.Caller) agent {
	if c.Client == "" {
		return agent{account: c.User, name: c.User}
	}
	return agent{account: c.User, name: c.Client}
}

// sawCompaction notes that a compaction has started, in a job or, without one,
// from start to end.
func (w *world) sawCompaction(by agent, d *disk, mode uint16, mounted bool) {
	file := w.fileID(d.Path)
	w.compactions[file]++
	if by.console {
		return
	}
	running, here := w.runningCompactions(d.Path)
	w.peak = max(w.peak, running)
	if here > 1 {
		w.violationf("%s compacted %s while it was compacted", by.name, d.Path)
	}
	if vm, saved := w.user(d.Path, VMSaved); saved {
		w.violationf("%s compacted %s, which the saved machine %s needs", by.name, d.Path, vm)
	}
	if vm := w.replicaOf(d.Path); vm != "" {
		w.violationf("%s compacted %s, which belongs to the replica %s", by.name, d.Path, vm)
	}
	w.sawParentCompacted(by, d, mode, mounted)
}

// replicaOf names a machine on the side of the replica to which a disk belongs.
func (w *world) replicaOf(path string) string {
	for _, host := range w.sharers(path) {
		for _, m := range host.machines {
			inChain := func(p string) bool { return host.fileID(p) == w.fileID(path) }
			if m.Replication > 1 && slices.ContainsFunc(host.chains(m.Disks), inChain) {
				return m.Name
			}
		}
	}
	return ""
}

// runningCompactions counts the compactions of clients on the host, and all of a
// file.
func (w *world) runningCompactions(path string) (clients, here int) {
	for _, host := range w.worlds {
		for _, j := range host.jobs {
			switch {
			case !j.isRunning() || !j.isCompaction():
				continue
			case host == w && !j.by.console:
				clients++
			}
			if host.fileID(j.path) == w.fileID(path) {
				here++
			}
		}
	}
	return clients, here
}

// sawParentCompacted judges the compaction of a disk on which children depend: none is allowed but
// a pass over a VHDX that drops nothing but zeros.
func (w *world) sawParentCompacted(by agent, d *disk, mode uint16, mounted bool) {
	if d.Format == FormatVHDX && mode == modePrezeroed && !mounted {
		return
	}
	if child, machine := w.dependent(d.Path); child != "" {
		w.violationf("%s compacted %s, on which %s of machine %s depends", by.name, d.Path, child, machine)
	}
}

// dependent names a differencing disk whose chain of parents holds path, and
// the machine whose settings name it. A child that is in no settings cannot be
// known.
func (w *world) dependent(path string) (child, machine string) {
	file := w.fileID(path)
	for _, host := range w.sharers(path) {
		for _, c := range host.configurations() {
			for _, leaf := range c.disks {
				chain := host.chains([]string{leaf})
				for _, parent := range chain[1:] {
					if host.fileID(parent) == file {
						return leaf, c.machine.Name
					}
				}
			}
		}
	}
	return "", ""
}

// sawEnd notes how a compaction has ended.
func (w *world) sawEnd(j *job) {
	if j.isCompaction() && (j.state == JobCompleted || j.state == JobCompletedWithWarnings) {
		w.completed[deed{w.fileID(j.path), j.by.name}]++
	}
}

// sawAttach judges an attachment that came late: a client that claimed to have left nothing
// attached must not have asked for it before.
func (w *world) sawAttach(a *attachment, asked time.Time) {
	if said, ok := w.claims[deed{w.fileID(a.path), a.by.name}]; ok && !a.by.console && asked.Before(said) {
		w.violationf("%s was attached for %s after it said that it left nothing attached", a.path, a.by.name)
	}
}

// sawDetach judges a client that removes an attachment.
func (w *world) sawDetach(by agent, a *attachment) {
	if by.console {
		return
	}
	if by.name != a.by.name {
		w.violationf("%s detached %s, which %s had attached", by.name, a.path, a.by.name)
	}
	if j := w.jobOn(a.path); j != nil && j.isCompaction() && j.compaction.mounted {
		w.violationf("%s detached %s while %s compacted it", by.name, a.path, j.by.name)
	}
}

// sawCancel judges a client that cancels a job.
func (w *world) sawCancel(by agent, j *job) {
	if by.name != j.by.name {
		w.violationf("%s cancelled a job of %s on %s", by.name, j.by.name, j.path)
	}
}

// Violations lists the events, at this host and those that share a [Cluster] with it, that a
// careful client never causes: a second compaction at the same time, a compaction of a disk that a
// saved machine or a replica needs or on which others depend, a disk detached while it is
// compacted, a foreign attachment removed, a foreign job cancelled, a [Claim] that is not true.
func (h *Host) Violations() []string {
	h.world.lock()
	defer h.world.mu.Unlock()
	return slices.Clone(h.world.violations)
}

// TakeViolations returns the violations and forgets them: for a test that expects some, because
// RunT fails a test in which any are left.
func (h *Host) TakeViolations() []string {
	h.world.lock()
	defer h.world.mu.Unlock()
	taken := h.world.violations
	h.world.violations = nil
	return taken
}

// Claim is what a client asserts after a run.
type Claim struct {
	// Client is the name of its connection, or its account.
	Client string
	Path   string
	// LeftAttached: the client says that the disk may still be attached for it.
	LeftAttached bool
	// Completed is the number of compactions that the client says it has seen end well.
	Completed int
}

// Check compares a client's claim with the facts, and records a violation if they differ: nothing
// may be left attached, now or later, by the requests that the client has sent so far, and at least
// as many compactions must have ended well. Saying that a disk may still be attached is never
// wrong.
func (h *Host) Check(c Claim) {
	now := h.world.lock()
	defer h.world.mu.Unlock()
	w := h.world
	said := deed{w.fileID(c.Path), c.Client}
	if c.Completed > w.completed[said] {
		w.violationf("%s says that %d compactions of %s ended well, of %d", c.Client, c.Completed, c.Path, w.completed[said])
	}
	delete(w.claims, said)
	if c.LeftAttached {
		return
	}
	w.claims[said] = now
	for _, host := range w.worlds {
		for _, a := range host.attachments {
			if host.fileID(a.path) == said.file && a.by.name == c.Client {
				w.violationf("%s says that it left nothing attached, and %s is attached to %s for it", c.Client, c.Path, host.host)
			}
		}
	}
}

// PeakCompactions is the highest number of compactions of clients that ran at
// the same time on one host.
func (h *Host) PeakCompactions() int {
	h.world.lock()
	defer h.world.mu.Unlock()
	return h.world.peak
}

// Compactions is how many compactions of a disk have been started, by clients
// and at consoles.
func (h *Host) Compactions(path string) int {
	h.world.lock()
	defer h.world.mu.Unlock()
	return h.world.compactions[h.world.fileID(path)]
}

// CompactionRequests is how often a client has asked for a compaction of a
// disk, including the requests that the host refused.
func (h *Host) CompactionRequests(path string) int {
	h.world.lock()
	defer h.world.mu.Unlock()
	return h.world.requests[h.world.fileID(path)]
}
