package hypervsim

import (
	"cmp"
	"slices"
	"time"
)

// JobState is the state of a storage job.
type JobState uint16

// The states that a storage job goes through.
const (
	JobNew                   JobState = 2
	JobStarting              JobState = 3
	JobRunning               JobState = 4
	JobShuttingDown          JobState = 6
	JobCompleted             JobState = 7
	JobTerminated            JobState = 8
	JobKilled                JobState = 9
	JobException             JobState = 10
	JobCompletedWithWarnings JobState = 32768
)

// JobType is the kind of work that a storage job does.
type JobType uint16

// The types of storage jobs that are modelled.
const (
	JobCreation      JobType = 1
	JobCompaction    JobType = 3
	JobLoopbackMount JobType = 7
	JobGetInfo       JobType = 8
)

const (
	// retention is how long the record of a finished job is kept
	// (TimeBeforeRemoval, always five minutes).
	retention = 5 * time.Minute
	// refusalDuration is how long a job lasts that only reports a refusal.
	refusalDuration = 50 * time.Millisecond
	// inspectionDuration is how long the job of an inspection lasts.
	inspectionDuration = 50 * time.Millisecond
	// A job is new for a moment, and then starting for a moment.
	newDuration      = 5 * time.Millisecond
	startingDuration = 10 * time.Millisecond
)

// job is a storage job.
type job struct {
	id      string
	kind    JobType
	path    string
	by      agent
	started time.Time
	// ends is when it will be done; zero while only a real process knows.
	ends time.Time
	// settled is the state in which it will end, and failure the reason.
	settled  JobState
	failure  *refusal
	progress func(float64) float64
	// finish takes effect when the job ends as planned, with the part of the
	// work that was done.
	finish func(part float64)

	cancellable bool
	cancelDelay time.Duration
	cancelled   bool // on its way to settled by a request

	compaction *compaction // of a compaction
	real       *realRun    // of a real file

	state JobState  // once it has ended
	ended time.Time // zero while it runs
	done  float64   // part of the work that was done at the end
}

// compaction describes the work of a compaction job.
type compaction struct {
	mode    uint16
	mounted bool
}

// start adds a job to those of the host.
func (w *world) start(j *job, now time.Time) *job {
	j.id = w.newID()
	j.started = now
	if j.settled == 0 {
		j.settled = JobCompleted
	}
	if w.nextJobLasts > 0 && j.real == nil {
		j.ends, w.nextJobLasts = now.Add(w.nextJobLasts), 0
	}
	w.jobs = append(w.jobs, j)
	w.log.Debug("job started", "job", j.id, "type", j.kind, "path", j.path)
	return j
}

// refuse reports a refusal in the way that the disk asks for.
func (w *world) refuse(r *refusal, via Via, kind JobType, path string, by agent, now time.Time) (uint32, *job) {
	if via == ViaReturnValue || via == ViaDefault && !r.viaJob {
		return r.code, nil
	}
	return returnJobStarted, w.start(&job{
		kind: kind, path: path, by: by, cancellable: true,
		ends: now.Add(refusalDuration), settled: JobException, failure: r,
	}, now)
}

// settle brings the jobs up to date: it ends those that were due since the last access, and forgets
// those whose records have expired.
func (w *world) settle(now time.Time) {
	var due []*job
	for _, j := range w.jobs {
		if j.isRunning() && !j.ends.IsZero() && !j.ends.After(now) {
			due = append(due, j)
		}
	}
	slices.SortStableFunc(due, func(a, b *job) int { return a.ends.Compare(b.ends) })
	for _, j := range due {
		w.end(j, j.ends)
	}
	w.jobs = slices.DeleteFunc(w.jobs, func(j *job) bool {
		return !j.isRunning() && now.Sub(j.ended) >= retention
	})
}

// end ends a job in the state that was settled for it.
func (w *world) end(j *job, at time.Time) {
	if !j.isRunning() {
		return
	}
	if !j.cancelled && j.settled != JobException {
		j.done = 1
	}
	j.state, j.ended = j.settled, at
	if j.finish != nil {
		j.finish(j.done)
	}
	w.sawEnd(j)
	w.log.Debug("job ended", "job", j.id, "state", j.state, "path", j.path)
}

// fail ends a job at once in an exception.
func (w *world) fail(j *job, r *refusal, at time.Time) {
	j.done = j.part(at)
	j.settled, j.failure, j.finish = JobException, r, nil
	w.end(j, at)
	if j.real != nil {
		j.real.cancel()
	}
}

func (j *job) isRunning() bool { return j.ended.IsZero() }

// isCompaction reports whether a disk is being compacted by the job.
func (j *job) isCompaction() bool { return j.compaction != nil }

// stateAt is the state of the job.
func (j *job) stateAt(now time.Time) JobState {
	if !j.isRunning() {
		return j.state
	}
	if j.cancelled {
		return JobShuttingDown
	}
	switch age := now.Sub(j.started); {
	case age < newDuration:
		return JobNew
	case age < startingDuration:
		return JobStarting
	}
	return JobRunning
}

// part is the part of the work that is done, from 0 to 1.
func (j *job) part(now time.Time) float64 {
	switch {
	case !j.isRunning() || j.cancelled:
		return j.done
	case j.real != nil:
		return j.real.part()
	}
	total := j.ends.Sub(j.started)
	if total <= 0 {
		return 1
	}
	return min(1, max(0, float64(now.Sub(j.started))/float64(total)))
}

// percent is PercentComplete. Only a finished job shows 100.
func (j *job) percent(now time.Time) uint16 {
	part := j.part(now)
	if j.progress != nil {
		part = j.progress(part)
	}
	percent := uint16(100 * min(1, max(0, part)))
	if j.stateAt(now) == JobCompleted || j.stateAt(now) == JobCompletedWithWarnings {
		return 100
	}
	return min(percent, 99)
}

func (j *job) elapsed(now time.Time) time.Duration {
	if !j.isRunning() {
		now = j.ended
	}
	return now.Sub(j.started)
}

// cancel stops a running job, in the given state once it has shut down.
func (w *world) cancel(j *job, state JobState, now time.Time) {
	j.done = j.part(now)
	j.settled, j.cancelled = state, true
	j.failure = &refusal{status: statusCancelled}
	switch {
	case j.real != nil:
		j.real.cancel() // its end ends the job
	case j.cancelDelay > 0 && state == JobTerminated:
		j.ends = now.Add(j.cancelDelay)
	default:
		j.ends = now
		w.end(j, now)
	}
}

// jobOn returns the job that works on a disk, on any node.
func (w *world) jobOn(path string) *job {
	for _, host := range w.sharers(path) {
		if j := host.ownJobOn(path); j != nil {
			return j
		}
	}
	return nil
}

func (w *world) ownJobOn(path string) *job {
	key := w.key(path)
	for _, j := range w.jobs {
		// A job that only reports a refusal has nothing open.
		if j.isRunning() && w.key(j.path) == key && (j.finish != nil || j.real != nil) {
			return j
		}
	}
	return nil
}

// Job is a storage job as a test sees it from outside.
type Job struct {
	ID               string
	Type             JobType
	Path             string
	Owner            string
	State            JobState
	PercentComplete  int
	StartTime        time.Time
	EndTime          time.Time // zero while it runs
	ErrorCode        uint32
	CompletionStatus uint32
}

// Jobs returns the jobs that the host knows of, in the order of their start.
func (h *Host) Jobs() []Job {
	now := h.world.lock()
	defer h.world.mu.Unlock()
	var all []Job
	for _, j := range h.world.jobs {
		out := Job{
			ID: j.id, Type: j.kind, Path: j.path, Owner: j.by.account, State: j.stateAt(now),
			PercentComplete: int(j.percent(now)), StartTime: j.started, EndTime: j.ended,
		}
		if f := j.shownFailure(); f != nil {
			out.ErrorCode, out.CompletionStatus = f.code, f.status
		}
		all = append(all, out)
	}
	slices.SortStableFunc(all, func(a, b Job) int { return cmp.Or(a.StartTime.Compare(b.StartTime), cmp.Compare(a.ID, b.ID)) })
	return all
}

// NextJobLasts says how long the next job takes, whatever the job does and whatever its disk says;
// 0 leaves the duration to them. The job of a real file takes as long as the work does.
func (h *Host) NextJobLasts(d time.Duration) {
	h.world.lock()
	defer h.world.mu.Unlock()
	h.world.nextJobLasts = d
}
