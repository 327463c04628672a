package hyperv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// JobState is the JobState of CIM_ConcreteJob.
type JobState uint16

// The job states (Msvm_StorageJob page; 32768 is vendor reserved there and is
// named by Microsoft's own samples).
const (
	JobNew                   JobState = 2
	JobStarting              JobState = 3
	JobRunning               JobState = 4
	JobSuspended             JobState = 5
	JobShuttingDown          JobState = 6
	JobCompleted             JobState = 7
	JobTerminated            JobState = 8
	JobKilled                JobState = 9
	JobException             JobState = 10
	JobService               JobState = 11
	JobCompletedWithWarnings JobState = 32768
)

var jobStateNames = map[JobState]string{
	JobNew: "New", JobStarting: "Starting", JobRunning: "Running", JobSuspended: "Suspended",
	JobShuttingDown: "Shutting Down", JobCompleted: "Completed", JobTerminated: "Terminated",
	JobKilled: "Killed", JobException: "Exception", JobService: "Service",
	JobCompletedWithWarnings: "Completed with Warnings",
}

// String returns Microsoft's name of the state and its number.
func (s JobState) String() string {
	name, ok := jobStateNames[s]
	if !ok {
		name = "unknown state"
	}
	return name + " (" + strconv.Itoa(int(s)) + ")"
}

// jobUntold stands for a state that is not told. A job in it may be running, and may have ended.
const jobUntold JobState = 0

// Terminal reports whether a job in this state is known to have ended.
func (s JobState) Terminal() bool {
	return s.succeeded() || s == JobTerminated || s == JobKilled || s == JobException
}

func (s JobState) succeeded() bool { return s == JobCompleted || s == JobCompletedWithWarnings }

// Values of JobType (v2) or Type (v1).
const (
	jobTypeUnknown    = 0 // stands for a type that is not told, too
	jobTypeCompaction = 3
)

// StorageJob is an Msvm_StorageJob as last seen.
type StorageJob struct {
	ID       string
	Type     uint16
	State    JobState
	Percent  int
	Elapsed  time.Duration
	Began    time.Time // by the clock of the host; zero if it does not tell
	Owner    string
	failure  JobError
	warnings string
	ref      cim.Reference
}

// mayCompact reports whether a job is a compaction, or is not known to be something else.
func (j StorageJob) mayCompact() bool {
	return j.Type == jobTypeCompaction || j.Type == jobTypeUnknown
}

// outcome returns nil for a job that succeeded or still runs. A job that is
// "completed" with an error code has failed.
func (j StorageJob) outcome() error {
	if !j.State.Terminal() || j.State == JobCompletedWithWarnings || j.State == JobCompleted && j.failure.ErrorCode == 0 {
		return nil
	}
	failure := j.failure
	return &failure
}

// readJob decodes an instance of Msvm_StorageJob of either generation. Only
// JobState is needed to follow a job: without it there is an error, and still
// the job as far as it is told. Other fields that cannot be read stay zero.
func readJob(ref cim.Reference, i *cim.Instance) (StorageJob, error) {
	state, ok, err := i.Uint("JobState", 16)
	if err == nil && !ok {
		err = fmt.Errorf("%s has no JobState", i.Class)
	}
	j := StorageJob{ref: ref, ID: jobID(i), State: JobState(state), Type: uint16(firstUint(i, 16, "JobType", "Type"))} //nolint:gosec // 16 bits were parsed
	if j.ID == "" {
		j.ID, _ = ref.Selector("InstanceID")
	}
	j.Percent = int(min(firstUint(i, 16, "PercentComplete"), 100))
	j.Elapsed, _, _ = i.Duration("ElapsedTime")
	if began, known, _ := i.Time("StartTime"); known && began.Year() > 1601 { // which stands for no time
		j.Began = began
	}
	j.Owner, _ = i.String("Owner")
	description, _ := i.String("ErrorDescription")
	if j.State == JobCompletedWithWarnings {
		j.warnings = strings.TrimSpace(description)
	}
	j.failure = JobError{
		JobID: j.ID, State: j.State, Description: description,
		ErrorCode:        uint32(firstUint(i, 32, "ErrorCode")), //nolint:gosec // 32 bits were parsed
		CompletionStatus: readHRESULT(i, "JobCompletionStatusCode"),
	}
	return j, err
}

// jobID reads the key of a job, empty without one.
func jobID(i *cim.Instance) string {
	id, _ := i.String("InstanceID")
	return strings.TrimSpace(id)
}

// firstUint reads the first of the named properties that holds a number, or 0.
func firstUint(i *cim.Instance, bits int, names ...string) uint64 {
	for _, name := range names {
		if n, ok, err := i.Uint(name, bits); ok && err == nil {
			return n
		}
	}
	return 0
}

// readHRESULT reads an HRESULT, which hosts write unsigned and a signed type
// would turn negative.
func readHRESULT(i *cim.Instance, name string) uint32 {
	text, ok := i.String(name)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return uint32(n) //nolint:gosec // the low 32 bits are the HRESULT in either reading
}

// getJob reads a job once. A host that does not know the job answers ErrJobGone.
func (h *Host) getJob(ctx context.Context, ref cim.Reference) (StorageJob, error) {
	i, err := h.get(ctx, ref)
	switch {
	case errors.Is(err, errObjectGone):
		return StorageJob{}, fmt.Errorf("%w: %w", ErrJobGone, err)
	case err != nil:
		return StorageJob{}, err
	}
	return readJob(ref, i)
}
