package hypervsim

import (
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// address refers to the job in one generation of the provider.
func (j *job) address(namespace string) *wmi.ObjectPath {
	return &wmi.ObjectPath{Namespace: namespace, Class: cim.ClassStorageJob, Keys: []wmi.KeyValue{wmi.Key("InstanceID", j.id)}}
}

// shownFailure is the failure that the job's properties report.
func (j *job) shownFailure() *refusal {
	if j.isRunning() {
		return nil
	}
	return j.failure
}

// storageJobs returns the instances of Msvm_StorageJob.
func (w *world) storageJobs(v view) []*wmi.Object {
	var all []*wmi.Object
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
func (w *world) storageJob(j *job, v view) *wmi.Object {
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
	o := &wmi.Object{Namespace: v.namespace, Class: cim.ClassStorageJob, Keys: []string{"InstanceID"}}
	o.Properties = []wmi.Property{
		wmi.Bool("Cancellable", j.cancellable),
		wmi.Text("Caption", t.caption(j.kind)),
		wmi.TextOrNull("Child", failure.childOf(j.path)),
		wmi.Null("CommunicationStatus", wmi.TypeUint16),
		wmi.Bool("DeleteOnCompletion", false),
		wmi.Text("Description", t.description(j.kind)),
		wmi.Null("DetailedStatus", wmi.TypeUint16),
		wmi.Interval("ElapsedTime", j.elapsed(now).Truncate(time.Microsecond)),
		wmi.Text("ElementName", t.caption(j.kind)),
		wmi.Uint16("ErrorCode", failure.code),
		wmi.Text("ErrorDescription", errorText),
		wmi.Text("ErrorSummaryDescription", errorText),
		wmi.Uint16("HealthState", 5),
		wmi.DateTime("InstallDate", wmi.NoDate),
		wmi.Text("InstanceID", j.id),
		wmi.Uint32("JobCompletionStatusCode", failure.status),
		wmi.Uint32("JobRunTimes", 1),
		wmi.Uint16("JobState", state),
		wmi.Text("JobStatus", t.status(state)),
		wmi.Uint16("JobType", j.kind),
		wmi.Uint16("LocalOrUtcTime", 2),
		wmi.Text("Name", t.caption(j.kind)),
		wmi.Text("Notify", ""),
		wmi.Null("OperatingStatus", wmi.TypeUint16),
		wmi.Uint16s("OperationalStatus", operational...),
		wmi.Text("OtherRecoveryAction", ""),
		wmi.Text("Owner", j.by.account),
		wmi.TextOrNull("Parent", failure.parent),
		wmi.Uint16("PercentComplete", j.percent(now)),
		wmi.Null("PrimaryStatus", wmi.TypeUint16),
		wmi.Uint32("Priority", 0),
		wmi.Uint16("RecoveryAction", 2),
		wmi.Null("RunDay", wmi.TypeSint8),
		wmi.Null("RunDayOfWeek", wmi.TypeSint8),
		wmi.Null("RunMonth", wmi.TypeUint8),
		wmi.Null("RunStartInterval", wmi.TypeInterval),
		wmi.DateTime("ScheduledStartTime", j.started.Truncate(time.Second)),
		wmi.DateTime("StartTime", j.started.Truncate(time.Second)),
		wmi.Text("Status", statuses),
		wmi.Texts("StatusDescriptions", t.status(state)),
		wmi.Interval("TimeBeforeRemoval", retention),
		wmi.DateTime("TimeOfLastStateChange", changed.Truncate(time.Second)),
		wmi.DateTime("TimeSubmitted", j.started.Truncate(time.Second)),
		wmi.Null("UntilTime", wmi.TypeDateTime),
	}
	if v.isV1() {
		o.Properties = asV1Job(o)
	}
	return o
}

// asV1Job returns the properties that a job has in root\virtualization.
func asV1Job(o *wmi.Object) []wmi.Property {
	var kept []wmi.Property
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
	return kept
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
func (w *world) jobOf(target *wmi.Object) *job {
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
// Unverified on a real host (state-change-ended-job,
// state-change-not-cancellable): the return values for a job that has ended and
// for one that cannot be cancelled.
func (w *world) requestStateChange(c invocation) ([]wmi.Property, *wmi.Failure) {
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
	w.sawCancel(agentOf(c.by), j)
	w.cancel(j, states[wanted], c.now)
	if j.isRunning() {
		return returnsJob(c.namespace, returnCIMTransitionStarted, nil), nil
	}
	return returnsJob(c.namespace, returnOK, nil), nil
}

// isZeroDuration recognizes an xs:duration, or an interval in DMTF's form, of
// zero length.
func isZeroDuration(s string) bool { return !strings.ContainsAny(s, "123456789") }

// refuseStateChange is RequestStateChange on hosts for which the documentation
// says "not supported".
func (w *world) refuseStateChange(c invocation) ([]wmi.Property, *wmi.Failure) {
	return returnsJob(c.namespace, returnCIMNotSupported, nil), nil
}

func (w *world) getErrorEx(c invocation) ([]wmi.Property, *wmi.Failure) {
	errors := wmi.Property{Name: "Errors", Type: wmi.TypeString, Array: true}
	if e := w.errorInstance(w.jobOf(c.target)); e != "" {
		errors.Values = []string{e}
	} else {
		errors = wmi.Null("Errors", wmi.TypeString)
	}
	return append(returns(returnOK), errors), nil
}

func (w *world) getError(c invocation) ([]wmi.Property, *wmi.Failure) {
	return append(returns(returnOK), wmi.TextOrNull("Error", w.errorInstance(w.jobOf(c.target)))), nil
}

// errorInstance is the Msvm_Error of a job that failed.
func (w *world) errorInstance(j *job) string {
	f := j.shownFailure()
	if f == nil || j.state != JobException {
		return ""
	}
	message := w.texts().failure(*f)
	return wmi.Embedded("Msvm_Error", []wmi.Property{
		wmi.Uint32("CIMStatusCode", 1),
		wmi.Text("ErrorSource", "Hyper-V"),
		wmi.Uint16("ErrorType", 4),
		wmi.Text("Message", message),
		wmi.Text("MessageID", "32768"),
		wmi.Text("OwningEntity", "Microsoft"),
	})
}

// affectedElements links jobs that run to the service that carries them out.
//
// Unverified on a real host (affected-element): what the affected element of a
// compaction is.
func (w *world) affectedElements(v view) []*wmi.Object {
	var all []*wmi.Object
	for _, j := range w.jobs {
		all = append(all, &wmi.Object{
			Namespace: v.namespace, Class: cim.ClassAffectedStorageJobElement, Keys: []string{"AffectedElement", "AffectingElement"},
			Properties: []wmi.Property{
				wmi.Reference("AffectedElement", w.servicePath(v.namespace)),
				wmi.Reference("AffectingElement", j.address(v.namespace)),
				wmi.Uint16s("ElementEffects", 5),
				wmi.Null("OtherElementEffectsDescriptions", wmi.TypeString),
			},
		})
	}
	return all
}
