package hyperv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// jobRegistry knows the disks of the jobs that this process has started, so
// that a search for a lost job does not take another disk's for it.
type jobRegistry struct {
	mu      sync.Mutex
	disks   map[string]string // job id to disk key
	seekers []*seeker
}

// seeker is a search for a lost job.
type seeker struct {
	registry  *jobRegistry
	contested bool // another search was under way at some time during this one
}

// seek begins a search.
func (r *jobRegistry) seek() *seeker {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range r.seekers {
		other.contested = true
	}
	s := &seeker{registry: r, contested: len(r.seekers) > 0}
	r.seekers = append(r.seekers, s)
	return s
}

// end ends a search and says whether it was the only one all the time.
func (s *seeker) end() (sole bool) {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	s.registry.seekers = slices.DeleteFunc(s.registry.seekers, func(other *seeker) bool { return other == s })
	return !s.contested
}

func (r *jobRegistry) note(id, path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.disks[id] = winpath.Key(path)
}

// belongsElsewhere reports whether the job is known to compact another disk.
func (r *jobRegistry) belongsElsewhere(id, path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	disk, ok := r.disks[id]
	return ok && disk != winpath.Key(path)
}

// runningCompactions lists the jobs that compact some disk now, without those
// that are known to compact another disk than path. A storage job does not say
// which disk it works on.
//
// Unverified on a real host (storage-jobs-of-other-users, storage-job-enumeration, affected-element): that an enumeration of Msvm_StorageJob lists the
// jobs of every user, and what Msvm_AffectedStorageJobElement points to.
func (h *Host) runningCompactions(ctx context.Context, path string) ([]StorageJob, error) {
	var running []StorageJob
	err := h.withGeneration(ctx, func(g *generation) error {
		uri := g.classURI(cim.ClassStorageJob)
		all, err := h.enumerate(ctx, uri)
		if err != nil {
			return err
		}
		for _, i := range all {
			id, ok := i.String("InstanceID")
			if !ok {
				continue
			}
			job, err := readJob(cim.Reference{ResourceURI: uri, Selectors: []cim.Selector{{Name: "InstanceID", Value: id}}}, i)
			if err == nil && job.Type == jobTypeCompaction && !job.State.Terminal() && !h.jobs.belongsElsewhere(id, path) {
				running = append(running, job)
			}
		}
		return nil
	})
	return running, err
}

// startSlack is how much longer or shorter than we waited a lost job may have
// run: clocks of hosts tick, and the request took its way.
const startSlack = 5 * time.Second

// findLost lists the running jobs that can be a compaction of path whose answer
// was lost, sent since ago. A job tells how long it has run, so the clocks of
// host and client need not agree.
func (h *Host) findLost(ctx context.Context, path string, since time.Duration) ([]StorageJob, error) {
	running, err := h.runningCompactions(ctx, path)
	return slices.DeleteFunc(running, func(j StorageJob) bool { return (j.Elapsed - since).Abs() > startSlack }), err
}

// requestTerminate ends a job cleanly (RequestedState 4). TimeoutPeriod is left
// out: that is the one form that every known host takes.
//
// Unverified on a real host (cancelled-state): the state in which a cancelled compaction ends.
const requestTerminate = "4"

const (
	// cancelWait is how long a cancelled job is given to end.
	cancelWait = 3 * time.Second
	// cancelTry is how long a host that cannot be reached is asked again: the
	// disk cannot be detached before either, and not beneath its compaction.
	cancelTry = 20 * time.Second
)

// cancelJob asks the host to end a job and waits for its end a short time. The
// job is returned as last seen.
func (h *Host) cancelJob(ctx context.Context, job StorageJob) (StorageJob, error) {
	g := h.known.Load()
	if g == nil || !g.cancels {
		return job, fmt.Errorf("%w: jobs of this generation of Hyper-V cannot be cancelled", ErrNotSupported)
	}
	for deadline := time.Now().Add(cancelTry); ; {
		last, err := h.cancelOnce(ctx, job)
		if last.State.Terminal() {
			return last, nil
		}
		if !transient(err) || time.Now().After(deadline) || pause(ctx, time.Second) != nil {
			return last, err
		}
	}
}

func (h *Host) cancelOnce(ctx context.Context, job StorageJob) (StorageJob, error) {
	_, _, sendErr := h.invoke(ctx, method{target: job.ref, name: methodStateChange, jobless: true, params: params([2]string{"RequestedState", requestTerminate})})
	if sendErr != nil && !errors.Is(sendErr, ErrOutcomeUnknown) {
		// A job refuses when it has ended since it was last looked at.
		if last, readErr := h.getJob(ctx, job.ref); readErr == nil && last.State.Terminal() {
			return last, nil
		}
		return job, sendErr
	}
	ctx, stop := context.WithTimeoutCause(ctx, cancelWait, errCancelPending)
	defer stop()
	last, err := h.waitJob(ctx, job.ref, nil)
	if last.State == 0 {
		last = job
	}
	if sendErr != nil && errors.Is(err, errCancelPending) {
		err = sendErr // the request may never have arrived
	}
	return last, err
}

var errCancelPending = fmt.Errorf("the job has not ended within %s of being cancelled", cancelWait)
