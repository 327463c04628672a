package hyperv

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// jobRegistry holds the disks of the jobs that this process has started,
// because jobs do not name their disk.
type jobRegistry struct {
	mu    sync.Mutex
	disks map[string]string // job id to disk key
}

// note remembers that an answer named the job for a request about path.
func (r *jobRegistry) note(id, path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id != "" { // which would be the name of every job without one
		r.disks[id] = winpath.Key(path)
	}
}

// isElsewhere reports whether the job is known to compact another disk.
func (r *jobRegistry) isElsewhere(id, path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	disk, ok := r.disks[id]
	return ok && disk != winpath.Key(path)
}

// compactions lists the compactions of the host that may be of path, including
// those that have ended and are still on record: all but those that this
// process started for other disks. A job of which the host does not tell that
// it is something else counts as one.
//
// Unverified on a real host (storage-jobs-of-other-users, storage-job-enumeration): that an
// enumeration of Msvm_StorageJob lists the jobs of every user.
func (h *Host) compactions(ctx context.Context, path string) ([]StorageJob, error) {
	var found []StorageJob
	err := h.withGeneration(ctx, func(g *generation) error {
		uri := g.classURI(cim.ClassStorageJob)
		all, err := h.enumerate(ctx, uri)
		if err != nil {
			return err
		}
		for _, i := range all {
			job, err := listedJob(uri, i)
			if err != nil {
				return err
			}
			if job.mayCompact() && !h.jobs.isElsewhere(job.ID, path) {
				found = append(found, job)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the compactions of the host: %w", err)
	}
	return found, nil
}

// listedJob reads a job of a list. One that may be a compaction and has no name is an error of the
// list: its end cannot be waited for, and it cannot be told from ours.
func listedJob(uri string, i *cim.Instance) (StorageJob, error) {
	ref := cim.Reference{ResourceURI: uri, Selectors: []cim.Selector{{Name: "InstanceID", Value: jobID(i)}}}
	job, _ := readJob(ref, i) // its state may be untold, which callers look at
	if job.ID == "" && job.mayCompact() {
		return job, fmt.Errorf("a %s has no InstanceID", i.Class)
	}
	return job, nil
}

// startSlack is how much earlier than its request a job may appear to have
// begun, because the clocks of hosts tick.
const startSlack = 5 * time.Second

// compactionsSince lists the running compactions that may be of path and that
// began after a time. A job says how long it has run, so the clocks of host and
// client need not agree.
func (h *Host) compactionsSince(ctx context.Context, path string, since time.Time) ([]StorageJob, error) {
	all, err := h.compactions(ctx, path)
	return slices.DeleteFunc(all, func(j StorageJob) bool {
		return j.State.Terminal() || !j.beganSince(since)
	}), err
}

func (j StorageJob) beganSince(since time.Time) bool {
	return j.Elapsed-startSlack <= time.Since(since)
}

// requestTerminate ends a job cleanly (RequestedState 4). TimeoutPeriod is left
// out, because every known host accepts that form.
//
// Unverified on a real host (cancelled-state): the state in which a cancelled compaction ends.
const requestTerminate = "4"

func cancelMethod(job cim.Reference) method {
	return method{target: job, name: methodStateChange, jobless: true, params: params([2]string{"RequestedState", requestTerminate})}
}

// cancelTry is for how long the request is repeated to a host that cannot be reached.
const cancelTry = 20 * time.Second

// cancel asks the host to end a job. The result sent says that it may do so: it accepted the
// request, or its answer is unknown. The job is returned as last seen.
func (h *Host) cancel(ctx context.Context, job StorageJob) (last StorageJob, sent bool, err error) {
	if g := h.known.Load(); g == nil || !g.cancels {
		return job, false, fmt.Errorf("%w: jobs of this generation of Hyper-V cannot be cancelled", ErrNotSupported)
	}
	for deadline := time.Now().Add(cancelTry); ; {
		_, o, err := h.sendOnce(ctx, cancelMethod(job.ref))
		if o != outcomeRefused {
			return job, true, err
		}
		// A job that has ended since the last poll refuses the request.
		if last, readErr := h.getJob(ctx, job.ref); readErr == nil && last.State.Terminal() {
			return last, false, nil
		}
		if !transient(err) || time.Now().After(deadline) || pause(ctx, time.Second) != nil {
			return job, false, err
		}
	}
}

// awaitCancelled waits for the end of a job that was asked to end; sent is the error of the request
// itself.
func (h *Host) awaitCancelled(ctx context.Context, job StorageJob, seen func(StorageJob), sent error) (StorageJob, error) {
	last, err := h.waitJob(ctx, job.ref, seen)
	switch {
	case last.State.Terminal():
		return last, nil
	case last.State == jobUntold:
		last = job
	}
	return last, fmt.Errorf("the job has not ended after it was cancelled: %w", together(sent, err))
}
