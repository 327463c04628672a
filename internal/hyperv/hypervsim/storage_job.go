package hypervsim

import (
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// address refers to the job in one generation of the provider.
func (j *job) address(namespace string) *ObjectPath {
	return &ObjectPath{Namespace: namespace, Class: cim.ClassStorageJob, Keys: []KeyValue{{"InstanceID", j.id}}}
}

// shownFailure is the failure that the job's properties tell of.
func (j *job) shownFailure() *refusal {
	if j.isRunning() {
		return nil
	}
	return j.failure
}

// storageJobs returns the instances of Msvm_StorageJob.
func (w *world) storageJobs(v view) []*Object {
	var all []*Object
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
func (w *world) storageJob(j *job, v view) *Object {
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
	o := &Object{Namespace: v.namespace, Class: cim.ClassStorageJob, Keys: []string{"InstanceID"}}
	o.Properties = []Property{
		Bool("Cancellable", j.cancellable),
		Text("Caption", t.caption(j.kind)),
		TextOrNull("Child", failure.childOf(j.path)),
		Null("CommunicationStatus", TypeUint16),
		Bool("DeleteOnCompletion", false),
		Text("Description", t.description(j.kind)),
		Null("DetailedStatus", TypeUint16),
		Interval("ElapsedTime", j.elapsed(now).Truncate(time.Microsecond)),
		Text("ElementName", t.caption(j.kind)),
		Uint16("ErrorCode", failure.code),
		Text("ErrorDescription", errorText),
		Text("ErrorSummaryDescription", errorText),
		Uint16("HealthState", 5),
		DateTime("InstallDate", NoDate),
		Text("InstanceID", j.id),
		Uint32("JobCompletionStatusCode", failure.status),
		Uint32("JobRunTimes", 1),
		Uint16("JobState", state),
		Text("JobStatus", t.status(state)),
		Uint16("JobType", j.kind),
		Uint16("LocalOrUtcTime", 2),
		Text("Name", t.caption(j.kind)),
		Text("Notify", ""),
		Null("OperatingStatus", TypeUint16),
		Uint16s("OperationalStatus", operational...),
		Text("OtherRecoveryAction", ""),
		Text("Owner", j.owner),
		TextOrNull("Parent", failure.parent),
		Uint16("PercentComplete", j.percent(now)),
		Null("PrimaryStatus", TypeUint16),
		Uint32("Priority", 0),
		Uint16("RecoveryAction", 2),
		Null("RunDay", TypeSint8),
		Null("RunDayOfWeek", TypeSint8),
		Null("RunMonth", TypeUint8),
		Null("RunStartInterval", TypeInterval),
		DateTime("ScheduledStartTime", j.started.Truncate(time.Second)),
		DateTime("StartTime", j.started.Truncate(time.Second)),
		Text("Status", statuses),
		Texts("StatusDescriptions", t.status(state)),
		Interval("TimeBeforeRemoval", retention),
		DateTime("TimeOfLastStateChange", changed.Truncate(time.Second)),
		DateTime("TimeSubmitted", j.started.Truncate(time.Second)),
		Null("UntilTime", TypeDateTime),
	}
	if v.isV1() {
		o.asV1Job()
	}
	return o
}

// asV1Job turns a job into one of root\virtualization.
func (o *Object) asV1Job() {
	var kept []Property
	for _, p := range o.Properties {
		switch p.Name {
		case "CommunicationStatus", "DetailedStatus", "OperatingStatus", "PrimaryStatus", "JobType":
			continue
		case "UntilTime":
			kind := *o.Property("JobType")
			kind.Name = "Type"
			kept = append(kept, kind)
		}
		kept = append(kept, p)
	}
	o.Properties = kept
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

// jobOf returns the job whose instance was addressed.
func (w *world) jobOf(target *Object) *job {
	id := target.Text("InstanceID")
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
func (w *world) requestStateChange(c invocation) ([]Property, *Failure) {
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
func (w *world) refuseStateChange(c invocation) ([]Property, *Failure) {
	return returnsJob(c.namespace, returnCIMNotSupported, nil), nil
}

func (w *world) getErrorEx(c invocation) ([]Property, *Failure) {
	errors := Property{Name: "Errors", Type: TypeString, Array: true}
	if e := w.errorInstance(w.jobOf(c.target)); e != "" {
		errors.Values = []string{e}
	} else {
		errors = Null("Errors", TypeString)
	}
	return append(returns(returnOK), errors), nil
}

func (w *world) getError(c invocation) ([]Property, *Failure) {
	return append(returns(returnOK), TextOrNull("Error", w.errorInstance(w.jobOf(c.target)))), nil
}

// errorInstance is the Msvm_Error of a job that failed.
func (w *world) errorInstance(j *job) string {
	f := j.shownFailure()
	if f == nil || j.state != JobException {
		return ""
	}
	message := w.texts().failure(*f)
	return Embedded("Msvm_Error", []Property{
		Uint32("CIMStatusCode", 1),
		Text("ErrorSource", "Hyper-V"),
		Uint16("ErrorType", 4),
		Text("Message", message),
		Text("MessageID", "32768"),
		Text("OwningEntity", "Microsoft"),
	})
}

// affectedElements links jobs that run to the service that carries them out.
//
// Unverified on a real host (affected-element): what the affected element of a compaction is.
func (w *world) affectedElements(v view) []*Object {
	var all []*Object
	for _, j := range w.jobs {
		all = append(all, &Object{
			Namespace: v.namespace, Class: cim.ClassAffectedStorageJobElement, Keys: []string{"AffectedElement", "AffectingElement"},
			Properties: []Property{
				Reference("AffectedElement", w.servicePath(v.namespace)),
				Reference("AffectingElement", j.address(v.namespace)),
				Uint16s("ElementEffects", 5),
				Null("OtherElementEffectsDescriptions", TypeString),
			},
		})
	}
	return all
}
