package hypervsim

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// TestJobLifetime follows a job from its start until its record is dropped.
func TestJobLifetime(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, JobDuration: 100 * time.Second})
	_, id := b.compact(testDisk, modeQuick)
	steps := []struct {
		pass           time.Duration
		state, percent string
		elapsed        string
		operational    []string
	}{
		{0, "2", "0", "0s", []string{"2"}},
		{newDuration, "3", "0", "5ms", []string{"2"}},
		{startingDuration - newDuration, "4", "0", "10ms", []string{"2"}},
		{30*time.Second - startingDuration, "4", "30", "30s", []string{"2"}},
		{70*time.Second - 1, "4", "99", "1m39.999999s", []string{"2"}},
		{1, "7", "100", "1m40s", []string{"17", "2"}},
		{retention - 1, "7", "100", "1m40s", []string{"17", "2"}},
	}
	for _, s := range steps {
		b.pass(s.pass)
		b.wantJob(id, map[string]string{"JobState": s.state, "PercentComplete": s.percent, "ElapsedTime": s.elapsed})
		o, _ := b.job(id)
		if diff := cmp.Diff(s.operational, o.Property("OperationalStatus").Values); diff != "" {
			t.Errorf("OperationalStatus (-want +got):\n%s", diff)
		}
	}
	b.wantJob(id, map[string]string{
		"Owner": testUser, "StartTime": "2026-11-22T02:00:00Z", "TimeOfLastStateChange": "2026-11-22T02:01:40Z",
		"Cancellable": "true", "TimeBeforeRemoval": "5m0s", "InstallDate": "1601-01-01T00:00:00Z", "Name": "Compact virtual hard disk",
	})
	b.pass(1)
	if _, fail := b.job(id); fail == nil || fail.Code != wmi.CodeResourceNotFound || fail.Subcode != "a:DestinationUnreachable" {
		t.Errorf("after its retention: %+v", fail)
	}
	want(t, "jobs", len(b.Jobs()), 0)
}

// TestJobProperties: a job has the properties of a recorded one, in its order,
// null where that has no value.
func TestJobProperties(t *testing.T) {
	t.Parallel()
	const capture = "../../../../shared/captures/hyperv-storagejob-running-get-response.xml"
	recorded, err := os.ReadFile(capture)
	if err != nil {
		t.Skip("the recorded answers are not there")
	}
	names := regexp.MustCompile(`<p:([A-Za-z]+)( xsi:nil="true")?[/>]`).FindAllStringSubmatch(string(recorded), -1)
	var wanted []string
	for _, n := range names {
		wanted = append(wanted, n[1]+n[2])
	}
	b := newBench(t, VHD{Path: testDisk})
	_, id := b.compact(testDisk, modeQuick)
	o, _ := b.job(id)
	var got []string
	for _, p := range o.Properties {
		if p.Values == nil {
			p.Name += ` xsi:nil="true"`
		}
		got = append(got, p.Name)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("properties (-recorded +got):\n%s", diff)
	}
}

// TestJobV1: the job of the older generation has a Type, and no cancelling.
func TestJobV1(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	b.world.release = Server2008
	out := b.mustInvoke(wmi.Call{Namespace: cim.NamespaceVirtualizationV1, Method: "CompactVirtualHardDisk", Input: []wmi.Property{path(testDisk)}})
	keys := []wmi.KeyValue{wmi.Key("InstanceID", jobID(out))}
	o, fail := b.world.Get(testCaller, cim.NamespaceVirtualizationV1, cim.ClassStorageJob, keys)
	if fail != nil {
		t.Fatal(fail)
	}
	want(t, "Type", o.Text("Type"), "3")
	if o.Property("JobType") != nil || o.Property("DetailedStatus") != nil {
		t.Error("the job has properties of a later schema")
	}
	if !slices.IsSortedFunc(o.Properties, wmi.ByName) {
		t.Error("the properties are not in order")
	}
	code := returnValue(b.mustInvoke(wmi.Call{Namespace: cim.NamespaceVirtualizationV1, Class: cim.ClassStorageJob, Method: "RequestStateChange", Keys: keys, Input: []wmi.Property{wmi.Text("RequestedState", "4")}}))
	want(t, "RequestStateChange", code, "1")
}

func TestJobProgressCurves(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		curve func(float64) float64
		want  [3]string // at 40, 60 and 99 of 100 seconds
	}{
		{"linear", nil, [3]string{"40", "60", "99"}},
		{"at the end", ProgressAtEnd, [3]string{"0", "0", "0"}},
		{"stall", ProgressStall(0.3, 0.9), [3]string{"30", "30", "99"}},
		{"jump", func(done float64) float64 { return done * done }, [3]string{"16", "36", "98"}},
		{"too much", func(float64) float64 { return 7 }, [3]string{"99", "99", "99"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, VHD{Path: testDisk, JobDuration: 100 * time.Second, Progress: test.curve})
			_, id := b.compact(testDisk, modeQuick)
			for i, d := range []time.Duration{40 * time.Second, 20 * time.Second, 39 * time.Second} {
				b.pass(d)
				want(t, "percent", b.jobText(id, "PercentComplete"), test.want[i])
			}
			b.pass(time.Second)
			want(t, "percent at the end", b.jobText(id, "PercentComplete"), "100")
		})
	}
}

func TestJobWarnings(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, Warnings: true, FileSize: 9 * mib, ReclaimableUnmounted: 4 * mib})
	_, id := b.compact(testDisk, modeQuick)
	b.pass(defaultJobDuration)
	b.wantJob(id, map[string]string{"JobState": "32768", "PercentComplete": "100"})
	want(t, "size", b.fileSize(testDisk), 5*mib)
}

// TestJobTexts: hosts speak the language they were installed in.
func TestJobTexts(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, Compressed: true})
	b.world.locale = "ja-JP"
	_, id := b.compact(testDisk, modeQuick)
	b.pass(refusalDuration)
	b.wantJob(id, map[string]string{
		"Caption": "仮想ハード ディスクの最適化", "JobStatus": "ジョブは失敗しました",
		"ErrorDescription": "仮想ハード ディスクの操作に失敗しました。 ファイルが圧縮、暗号化、またはスパースです (0xC03A001A)。",
	})
}

// TestRequestStateChange: what was reclaimed until then stays reclaimed.
func TestRequestStateChange(t *testing.T) {
	t.Parallel()
	const size = 100 * mib
	disk := VHD{Path: testDisk, FileSize: size, ReclaimableUnmounted: 40 * mib, JobDuration: 100 * time.Second}
	tests := []struct {
		name   string
		disk   func(*VHD)
		input  []wmi.Property
		late   bool // after the end of the job
		code   string
		states [2]string // at once, and two seconds later
		size   int64     // two seconds later
	}{
		{name: "terminate", input: []wmi.Property{wmi.Text("RequestedState", "4")}, code: "0", states: [2]string{"8", "8"}, size: size - 10*mib},
		{name: "kill", input: []wmi.Property{wmi.Text("RequestedState", "5")}, code: "0", states: [2]string{"9", "9"}, size: size - 10*mib},
		{name: "slowly", disk: func(v *VHD) { v.CancelDelay = 2 * time.Second }, input: []wmi.Property{wmi.Text("RequestedState", "4")}, code: "4096", states: [2]string{"6", "8"}, size: size - 10*mib},
		{name: "null time-out", input: []wmi.Property{wmi.Text("RequestedState", "4"), wmi.Null("TimeoutPeriod", wmi.TypeString)}, code: "0", states: [2]string{"8", "8"}, size: size - 10*mib},
		{name: "zero time-out", input: []wmi.Property{wmi.Text("RequestedState", "4"), wmi.Text("TimeoutPeriod", "PT0S")}, code: "0", states: [2]string{"8", "8"}, size: size - 10*mib},
		{name: "time-out", input: []wmi.Property{wmi.Text("RequestedState", "4"), wmi.Text("TimeoutPeriod", "PT5S")}, code: "4098", states: [2]string{"4", "4"}, size: size},
		{name: "suspend", input: []wmi.Property{wmi.Text("RequestedState", "3")}, code: "1", states: [2]string{"4", "4"}, size: size},
		{name: "no state", code: "5", states: [2]string{"4", "4"}, size: size},
		{name: "not cancellable", disk: func(v *VHD) { v.NotCancellable = true }, input: []wmi.Property{wmi.Text("RequestedState", "4")}, code: "4", states: [2]string{"4", "4"}, size: size},
		{name: "too late", late: true, input: []wmi.Property{wmi.Text("RequestedState", "4")}, code: "4097", states: [2]string{"7", "7"}, size: size - 40*mib},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			disk := disk
			if test.disk != nil {
				test.disk(&disk)
			}
			b := newBench(t, disk)
			_, id := b.compact(testDisk, modeFull)
			b.pass(25 * time.Second)
			if test.late {
				b.pass(75 * time.Second)
			}
			out := b.mustInvoke(wmi.Call{Class: cim.ClassStorageJob, Method: "RequestStateChange", Keys: []wmi.KeyValue{wmi.Key("InstanceID", id)}, Input: test.input})
			want(t, "return value", returnValue(out), test.code)
			want(t, "state at once", b.jobText(id, "JobState"), test.states[0])
			b.pass(2 * time.Second)
			want(t, "state later", b.jobText(id, "JobState"), test.states[1])
			want(t, "size", b.fileSize(testDisk), test.size)
			want(t, "violations", len(b.Violations()), 0)
		})
	}
}

func TestRequestStateChangeNeeds2012R2(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	b.world.release = Server2012
	_, id := b.compact(testDisk, modeFull)
	out := b.mustInvoke(wmi.Call{Class: cim.ClassStorageJob, Method: "RequestStateChange", Keys: []wmi.KeyValue{wmi.Key("InstanceID", id)}, Input: []wmi.Property{wmi.Text("RequestedState", "4")}})
	want(t, "return value", returnValue(out), "1")
}

func TestCancelJob(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk})
	_, id := b.compact(testDisk, modeFull)
	want(t, "cancelled", b.CancelJob(id), true)
	want(t, "cancelled again", b.CancelJob(id), false)
	want(t, "state", b.Jobs()[0].State, JobTerminated)
}

func TestGetErrorEx(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, Compressed: true}, VHD{Path: `D:\VMs\good.vhdx`})
	_, failed := b.compact(testDisk, modeFull)
	_, good := b.compact(`D:\VMs\good.vhdx`, modeFull)
	b.pass(defaultJobDuration)
	errorsOf := func(id string) []string {
		return b.mustInvoke(wmi.Call{Class: cim.ClassStorageJob, Method: "GetErrorEx", Keys: []wmi.KeyValue{wmi.Key("InstanceID", id)}}).Property("Errors").Values
	}
	want(t, "errors of a good job", len(errorsOf(good)), 0)
	if got := errorsOf(failed); len(got) != 1 || !regexp.MustCompile(`^<INSTANCE CLASSNAME="Msvm_Error">.*0xC03A001A`).MatchString(got[0]) {
		t.Errorf("errors: %q", got)
	}
}

// TestRestartService: jobs are lost at once, disks and attachments are not.
func TestRestartService(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, FileSize: 9 * mib, ReclaimableMounted: 4 * mib})
	b.attachNow(testDisk)
	_, id := b.compact(testDisk, modeFull)
	b.pass(defaultJobDuration / 2)
	b.RestartService()
	if _, fail := b.job(id); fail == nil || fail.Code != wmi.CodeResourceNotFound {
		t.Errorf("the job is still there: %+v", fail)
	}
	b.pass(time.Hour)
	want(t, "size", b.fileSize(testDisk), 9*mib)
	want(t, "attachments", len(b.Attachments()), 1)
	code, _ := b.compact(testDisk, modeFull)
	want(t, "compaction after it", code, "4096")
}

func TestForeignCompaction(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, FileSize: 9 * mib, ReclaimableUnmounted: 4 * mib})
	id, err := b.StartForeignCompaction(testDisk, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b.pass(30 * time.Minute)
	b.wantJob(id, map[string]string{"PercentComplete": "50", "Owner": `HYPERV\Administrator`, "JobType": "3"})
	if _, err := b.StartForeignCompaction(testDisk, time.Hour); err == nil {
		t.Error("a second foreign compaction started")
	}
	b.pass(30 * time.Minute)
	want(t, "size", b.fileSize(testDisk), 5*mib)
	want(t, "peak", b.PeakCompactions(), 0)

	if _, err := b.StartForeignCompaction(testDisk, time.Hour); err != nil {
		t.Fatal(err)
	}
	b.AddVHD(VHD{Path: `D:\VMs\own.vhdx`})
	b.compact(`D:\VMs\own.vhdx`, modeFull)
	want(t, "peak beside a foreign one", b.PeakCompactions(), 1)
}

// TestRefusalJobHoldsNothing: a job that only reports a refusal has no file open.
func TestRefusalJobHoldsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk, Refusals: ViaJob})
	_, refused := b.compact(testDisk, modeRetrim)
	_, id := b.compact(testDisk, modeFull)
	b.pass(defaultJobDuration)
	b.wantJob(refused, map[string]string{"JobState": "10"})
	b.wantJob(id, map[string]string{"JobState": "7"})
}

// TestJobsEnumerated: jobs can be found again by their class.
func TestJobsEnumerated(t *testing.T) {
	t.Parallel()
	b := newBench(t, VHD{Path: testDisk}, VHD{Path: `D:\VMs\web01.vhdx`})
	_, first := b.compact(testDisk, modeFull)
	b.compact(`D:\VMs\web01.vhdx`, modeFull)
	all, fail := b.world.Enumerate(testCaller, cim.NamespaceVirtualizationV2, "msvm_storagejob", []wmi.KeyValue{wmi.Key("JobType", "3")})
	if fail != nil || len(all) != 2 {
		t.Fatalf("%d jobs, %+v", len(all), fail)
	}
	want(t, "first", all[0].Text("InstanceID"), first)
	none, fail := b.world.Enumerate(testCaller, cim.NamespaceVirtualizationV2, cim.ClassStorageJob, []wmi.KeyValue{wmi.Key("JobType", "4")})
	if fail != nil || len(none) != 0 {
		t.Errorf("%d jobs of another type, %+v", len(none), fail)
	}
	links, fail := b.world.Enumerate(testCaller, cim.NamespaceVirtualizationV2, cim.ClassAffectedStorageJobElement, nil)
	if fail != nil || len(links) != 2 || links[0].Property("AffectingElement").Ref.Keys[0].Value != first {
		t.Errorf("%d links, %+v", len(links), fail)
	}
}
