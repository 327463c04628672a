package hypervsim

import (
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// address refers to the job in one generation of the provider.
func (j *job) address(namespace string) *objectPath {
	return &objectPath{namespace: namespace, class: cim.ClassStorageJob, keys: []keyValue{{"InstanceID", j.id}}}
}

// shownFailure is the failure that the job's properties tell of.
func (j *job) shownFailure() *refusal {
	if j.isRunning() {
		return nil
	}
	return j.failure
}

// storageJobs returns the instances of Msvm_StorageJob.
func (w *world) storageJobs(v view) []*object {
	var all []*object
	id, one := v.equality("InstanceID")
	for _, j := range w.jobs {
		if !one || strings.EqualFold(j.id, id) {
			all = append(all, w.storageJob(j, v))
		}
	}
	return all
}

// storageJob returns a job with every property that a real host was seen to
// send, in its order. Jobs of root\virtualization lack those of later schemas
// and call the job's type Type.
func (w *world) storageJob(j *job, v view) *object {
	now := v.now
	t := w.texts()
	state := j.stateAt(now)
	changed := j.started
	if !j.isRunning() {
		changed = j.ended
	}
	var failure refusal
	if f := j.shownFailure(); f != nil {
		failure = *f
	}
	errorText := t.failure(failure)
	operational, statuses := operationalStatus(state)
	o := &object{namespace: v.namespace, class: cim.ClassStorageJob, keys: []string{"InstanceID"}}
	o.properties = []property{
		boolean("Cancellable", j.cancellable),
		text("Caption", t.caption(j.kind)),
		orNull("Child", failure.childOf(j.path)),
		null("CommunicationStatus", typeUint16),
		boolean("DeleteOnCompletion", false),
		text("Description", t.description(j.kind)),
		null("DetailedStatus", typeUint16),
		interval("ElapsedTime", j.elapsed(now).Truncate(time.Microsecond)),
		text("ElementName", t.caption(j.kind)),
		number("ErrorCode", typeUint16, failure.code),
		text("ErrorDescription", errorText),
		text("ErrorSummaryDescription", errorText),
		number("HealthState", typeUint16, uint16(5)),
		date("InstallDate", unset),
		text("InstanceID", j.id),
		number("JobCompletionStatusCode", typeUint32, failure.status),
		number("JobRunTimes", typeUint32, uint32(1)),
		number("JobState", typeUint16, state),
		text("JobStatus", t.status(state)),
		number("JobType", typeUint16, j.kind),
		number("LocalOrUtcTime", typeUint16, uint16(2)),
		text("Name", t.caption(j.kind)),
		text("Notify", ""),
		null("OperatingStatus", typeUint16),
		numbers("OperationalStatus", operational...),
		text("OtherRecoveryAction", ""),
		text("Owner", j.owner),
		orNull("Parent", failure.parent),
		number("PercentComplete", typeUint16, j.percent(now)),
		null("PrimaryStatus", typeUint16),
		number("Priority", typeUint32, uint32(0)),
		number("RecoveryAction", typeUint16, uint16(2)),
		null("RunDay", "sint8"),
		null("RunDayOfWeek", "sint8"),
		null("RunMonth", typeUint8),
		null("RunStartInterval", typeInterval),
		date("ScheduledStartTime", j.started.Truncate(time.Second)),
		date("StartTime", j.started.Truncate(time.Second)),
		text("Status", statuses),
		texts("StatusDescriptions", t.status(state)),
		interval("TimeBeforeRemoval", retention),
		date("TimeOfLastStateChange", changed.Truncate(time.Second)),
		date("TimeSubmitted", j.started.Truncate(time.Second)),
		null("UntilTime", typeDateTime),
	}
	if v.isV1() {
		o.asV1Job()
	}
	return o
}

// asV1Job turns a job into one of root\virtualization.
func (o *object) asV1Job() {
	var kept []property
	for _, p := range o.properties {
		switch p.name {
		case "CommunicationStatus", "DetailedStatus", "OperatingStatus", "PrimaryStatus", "JobType":
			continue
		case "UntilTime":
			kind := *o.property("JobType")
			kind.name = "Type"
			kept = append(kept, kind)
		}
		kept = append(kept, p)
	}
	o.properties = kept
}

// operationalStatus is 2 (OK) while a job runs, 17 (Completed) and 2 after it,
// 6 (Error) for one that failed.
func operationalStatus(state JobState) ([]uint16, string) {
	switch state {
	case JobException:
		return []uint16{17, 6}, "Error"
	case JobCompleted, JobCompletedWithWarnings, JobTerminated, JobKilled:
		return []uint16{17, 2}, "OK"
	case JobNew, JobStarting, JobRunning, JobShuttingDown:
	}
	return []uint16{2}, "OK"
}

// childOf is the disk that a failure about its parent concerns.
func (r refusal) childOf(path string) string {
	if r.parent == "" {
		return ""
	}
	return path
}

// orNull is a string property that is null when it is empty.
func orNull(name, value string) property {
	if value == "" {
		return null(name, typeString)
	}
	return text(name, value)
}

// jobOf returns the job whose instance was addressed.
func (w *world) jobOf(target *object) *job {
	id := target.text("InstanceID")
	for _, j := range w.jobs {
		if j.id == id {
			return j
		}
	}
	return nil
}

// States that RequestStateChange can ask for.
const (
	requestTerminate = 4
	requestKill      = 5
)

// requestStateChange cancels a job: Terminate or Kill. Cancelling keeps what
// was reclaimed so far, for a compaction can be interrupted safely.
//
// Unverified on a real host (state-change-ended-job, state-change-not-cancellable): the return values for a job that has ended and
// for one that cannot be cancelled.
func (w *world) requestStateChange(c invocation) ([]property, *failure) {
	wanted, ok := c.in.number("RequestedState", 16)
	j := w.jobOf(c.target)
	timeout := strings.TrimSpace(c.in["TimeoutPeriod"])
	states := map[uint64]JobState{requestTerminate: JobTerminated, requestKill: JobKilled}
	switch {
	case timeout != "" && !isZeroDuration(timeout):
		return returnsJob(c.namespace, returnCIMNoTimeout, nil), nil
	case !ok:
		return returnsJob(c.namespace, returnCIMInvalidParameter, nil), nil
	case states[wanted] == 0:
		return returnsJob(c.namespace, returnCIMNotSupported, nil), nil
	case !j.isRunning() || j.cancelled:
		return returnsJob(c.namespace, returnCIMInvalidTransition, nil), nil
	case !j.cancellable:
		return returnsJob(c.namespace, returnCIMFailed, nil), nil
	}
	w.cancel(j, states[wanted], c.now)
	if j.isRunning() {
		return returnsJob(c.namespace, returnCIMTransitionStarted, nil), nil
	}
	return returnsJob(c.namespace, returnOK, nil), nil
}

// isZeroDuration recognizes an xs:duration, or an interval of DMTF's form, of
// no length.
func isZeroDuration(s string) bool { return !strings.ContainsAny(s, "123456789") }

// refuseStateChange is the method where the documentation says "not supported".
func (w *world) refuseStateChange(c invocation) ([]property, *failure) {
	return returnsJob(c.namespace, returnCIMNotSupported, nil), nil
}

func (w *world) getErrorEx(c invocation) ([]property, *failure) {
	errors := property{name: "Errors", typ: typeString, array: true}
	if e := w.errorInstance(w.jobOf(c.target)); e != "" {
		errors.values = []string{e}
	} else {
		errors = null("Errors", typeString)
	}
	return append(returns(returnOK), errors), nil
}

func (w *world) getError(c invocation) ([]property, *failure) {
	return append(returns(returnOK), orNull("Error", w.errorInstance(w.jobOf(c.target)))), nil
}

// errorInstance is the Msvm_Error of a job that failed.
func (w *world) errorInstance(j *job) string {
	f := j.shownFailure()
	if f == nil || j.state != JobException {
		return ""
	}
	message := w.texts().failure(*f)
	return embedded("Msvm_Error", []property{
		number("CIMStatusCode", typeUint32, uint32(1)),
		text("ErrorSource", "Hyper-V"),
		number("ErrorType", typeUint16, uint16(4)),
		text("Message", message),
		text("MessageID", "32768"),
		text("OwningEntity", "Microsoft"),
	})
}

// affectedElements links jobs that run to the service that carries them out.
//
// Unverified on a real host (affected-element): what the affected element of a compaction is.
func (w *world) affectedElements(v view) []*object {
	var all []*object
	for _, j := range w.jobs {
		all = append(all, &object{
			namespace: v.namespace, class: cim.ClassAffectedStorageJobElement, keys: []string{"AffectedElement", "AffectingElement"},
			properties: []property{
				reference("AffectedElement", w.servicePath(v.namespace)),
				reference("AffectingElement", j.address(v.namespace)),
				numbers("ElementEffects", 5),
				null("OtherElementEffectsDescriptions", typeString),
			},
		})
	}
	return all
}
