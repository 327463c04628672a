package conformance_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// foreign is a disk in the scratch directory that the kit did not make, with a name of the form
// that the kit uses.
const foreign = scratch + `\hyperv-conformance-of-somebody.vhdx`

// answerToWrite is a host that gives odd answers to requests that change something.
type answerToWrite struct {
	opts   []hypervsim.Option
	rule   *hypervsim.Rule
	ask    func(sim *hypervsim.Host) func(request string) (string, *reply)
	answer breakage
	only   []string // claims that are asked about; all that change something if nil
	// contradicted are the claims that must be contradicted. No claim that begins with one of never
	// may be held, except compact-missing-file, which changes nothing.
	contradicted, never []string
	// untested are the claims that must be reported as not tested.
	untested []string
	// left: a file stays, or may stay, and the error has to name it. The number
	// made, if not zero, is the most disks that the kit may ask for.
	left bool
	job  bool // a job stays
	made int
}

// unasked answers a method in place of the host.
func unasked(method string, body string) func(*hypervsim.Host) func(string) (string, *reply) {
	return func(*hypervsim.Host) func(string) (string, *reply) {
		return func(request string) (string, *reply) {
			if !strings.Contains(request, method+"_INPUT") {
				return request, nil
			}
			return request, envelope(request, `<p:`+method+`_OUTPUT xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root">`+body+`</p:`+method+`_OUTPUT>`)
		}
	}
}

// asked changes requests that hold a text.
func asked(text, from, to string) func(*hypervsim.Host) func(string) (string, *reply) {
	return func(*hypervsim.Host) func(string) (string, *reply) {
		return func(request string) (string, *reply) {
			if strings.Contains(request, text) {
				request = strings.ReplaceAll(request, from, to)
			}
			return request, nil
		}
	}
}

var messageID = regexp.MustCompile(`MessageID[^>]*>([^<]*)<`)

func envelope(request, body string) *reply {
	id := ""
	if m := messageID.FindStringSubmatch(request); m != nil {
		id = m[1]
	}
	return &reply{status: http.StatusOK, body: `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">` +
		`<s:Header><a:RelatesTo>` + id + `</a:RelatesTo></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`}
}

// empty drops the answers of a method that was carried out.
func empty(method string) breakage {
	return func(r *reply) {
		if strings.Contains(r.body, method+"_OUTPUT") {
			r.body = ""
		}
	}
}

// jobs changes the properties of jobs of a type, of every type if it is empty.
func jobs(jobType, pattern, to string) breakage {
	re := regexp.MustCompile(pattern)
	return func(r *reply) {
		if strings.Contains(r.body, "<p:Msvm_StorageJob") && strings.Contains(r.body, "<p:JobType>"+jobType) {
			r.body = re.ReplaceAllString(r.body, to)
		}
	}
}

// endless lists attached disks, page after page.
func endless(*hypervsim.Host) func(string) (string, *reply) {
	item := `<p:Msvm_MountedStorageImage xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_MountedStorageImage"><p:Name>D:\x.vhdx</p:Name></p:Msvm_MountedStorageImage>`
	page := `<n:EnumerationContext>1</n:EnumerationContext><%[1]s:Items>` + strings.Repeat(item, 5000) + `</%[1]s:Items>`
	const namespaces = ` xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"`
	return func(request string) (string, *reply) {
		switch {
		case !strings.Contains(request, "Msvm_MountedStorageImage<"):
		case strings.Contains(request, "enumeration/Enumerate<"):
			return request, envelope(request, `<n:EnumerateResponse`+namespaces+`>`+fmt.Sprintf(page, "w")+`</n:EnumerateResponse>`)
		case strings.Contains(request, "enumeration/Pull<"):
			return request, envelope(request, `<n:PullResponse`+namespaces+`>`+fmt.Sprintf(page, "n")+`</n:PullResponse>`)
		}
		return request, nil
	}
}

// overwriting removes a disk when another is to be created in its place.
func overwriting(sim *hypervsim.Host) func(string) (string, *reply) {
	path := regexp.MustCompile(`D:\\canary scratch\\hyperv-conformance-[0-9a-f-]+\.vhdx`)
	return func(request string) (string, *reply) {
		if strings.Contains(request, "CreateVirtualHardDisk_INPUT") {
			_ = sim.Remove(path.FindString(request))
		}
		return request, nil
	}
}

// deletable detaches nothing, and deletes files that are attached.
func deletable(sim *hypervsim.Host) func(string) (string, *reply) {
	refuse := unasked("DetachVirtualHardDisk", "<p:ReturnValue>1</p:ReturnValue>")(sim)
	return func(request string) (string, *reply) {
		if strings.Contains(request, "Delete_INPUT") {
			_ = sim.Remove(ownFile.FindString(request))
			return request, envelope(request, `<p:Delete_OUTPUT xmlns:p="x"><p:ReturnValue>0</p:ReturnValue></p:Delete_OUTPUT>`)
		}
		return refuse(request)
	}
}

var (
	everything  = []string{""}
	compactions = []string{
		"compact-output", "compact-detached", "compact-attached", "compact-vhd-full", "compact-fixed", "compact-twice", "compact-in-use",
		"cancel", "job-type", "job-record", "job-wrong", "storage-job", "affected", "state-change",
	}
	attachments = []string{"attach-", "find-", "detach", "compact-attached", "compact-in-use", "refusal-way", "delete-in-use"}
)

var answersToWrites = map[string]answerToWrite{
	"creation says 0 and creates nothing": {
		ask: unasked("CreateVirtualHardDisk", "<p:ReturnValue>0</p:ReturnValue>"), never: everything, contradicted: []string{"create-disk"}, left: true, made: 1,
	},
	"creation under another name": {
		ask: asked("CreateVirtualHardDisk_INPUT", "hyperv-conformance-", "renamed-"), never: everything, contradicted: []string{"create-disk"}, left: true, made: 1,
	},
	"creation that the file classes do not show": {
		answer: asks("CIM_DataFile", faultWith(2150858752)), never: everything, contradicted: []string{"create-disk"}, left: true, made: 1,
	},
	"every file is there": {
		ask: func(*hypervsim.Host) func(string) (string, *reply) {
			name := regexp.MustCompile(`(?s)(CIM_DataFile.*Name="Name">)[^<]*<`)
			return func(request string) (string, *reply) {
				return name.ReplaceAllString(request, "${1}"+strings.ReplaceAll(foreign, `$`, `$$`)+"<"), nil
			}
		},
		never: everything, made: -1,
	},
	"creation with an unknown value":    {answer: returns("CreateVirtualHardDisk", 77777), never: everything, made: 1},
	"creation with a negative value":    {answer: returns("CreateVirtualHardDisk", -1), never: everything, made: 1},
	"creation without an answer":        {answer: empty("CreateVirtualHardDisk"), never: everything, made: 1},
	"creation without a value":          {answer: asks("CreateVirtualHardDisk_INPUT", without(`<p:ReturnValue>.*</p:ReturnValue>`)), never: everything, made: 1},
	"creation by a job without a name":  {answer: returns("CreateVirtualHardDisk", 4096), never: everything, made: 1},
	"creation that is never answered":   {rule: always("CreateVirtualHardDisk", hypervsim.Hang()), never: everything, made: 1},
	"creation that fails on the way":    {rule: always("CreateVirtualHardDisk", hypervsim.Status(http.StatusInternalServerError)), never: everything, made: 1},
	"creation by a job that never ends": {answer: jobs("1<", `<p:JobState>\d+<`, "<p:JobState>4<"), never: everything, left: true, job: true, made: 1},
	"creation that is refused": {
		ask: unasked("CreateVirtualHardDisk", "<p:ReturnValue>32770</p:ReturnValue>"), never: everything, made: 4,
	},
	"creation that replaces": {ask: overwriting, contradicted: []string{"create-existing"}},

	"jobs in a state that nobody knows": {answer: jobs("", `<p:JobState>\d+<`, "<p:JobState>42<"), never: everything, left: true, job: true, made: 1},
	"jobs without a state":              {answer: jobs("", `<p:JobState>\d+</p:JobState>`, ""), never: everything, left: true, job: true, made: 1},
	"jobs that are gone":                {answer: asks("Msvm_StorageJob<", faultWith(2150858752)), never: everything, made: 1},
	"compactions that never end":        {answer: jobs("3<", `<p:JobState>\d+<`, "<p:JobState>4<"), never: compactions, job: true},
	"compactions by jobs that are machines": {
		answer: swapFor("CompactVirtualHardDisk_INPUT", "Msvm_StorageJob", "Msvm_ComputerSystem"), never: compactions, contradicted: []string{"job-reference-form", "compact-output"},
	},
	"creations by jobs that are machines":   {answer: swapFor("CreateVirtualHardDisk_INPUT", "Msvm_StorageJob", "Msvm_ComputerSystem"), never: everything, made: 1},
	"compactions by a job without a name":   {answer: returns("CompactVirtualHardDisk", 4096), never: compactions, contradicted: []string{"compact-output"}, untested: []string{"compact-detached-retrim"}},
	"compactions with an unknown value":     {answer: returns("CompactVirtualHardDisk", 4242), never: compactions, contradicted: []string{"compact-output"}},
	"compactions without an answer":         {answer: empty("CompactVirtualHardDisk"), never: compactions},
	"compactions that are answered by HTML": {answer: asks("CompactVirtualHardDisk_INPUT", func(r *reply) { r.body = "<html><body/></html>" }), never: compactions},

	"attaching says 0 and attaches nothing": {
		ask: unasked("AttachVirtualHardDisk", "<p:ReturnValue>0</p:ReturnValue>"), never: attachments, contradicted: []string{"attach-listed"},
	},
	"attaching without an answer":     {answer: empty("AttachVirtualHardDisk"), never: attachments},
	"attaching with an unknown value": {answer: returns("AttachVirtualHardDisk", 7), never: attachments},
	"attached under another path": {
		answer: swapFor("Msvm_MountedStorageImage", "hyperv-conformance-", "other-"), never: attachments, left: true,
	},
	"listed under another path": {
		answer: swapFor("Msvm_MountedStorageImage", "hyperv-conformance-", "other-"), only: []string{"attach-listed"}, contradicted: []string{"attach-listed"}, left: true,
	},
	"attached read-only, whatever was asked for": {
		ask: asked("AttachVirtualHardDisk_INPUT", "ReadOnly>false<", "ReadOnly>true<"), untested: []string{"compact-in-use", "refusal-way"},
	},
	"attached for writing, whatever was asked for": {
		ask:      asked("AttachVirtualHardDisk_INPUT", "ReadOnly>true<", "ReadOnly>false<"),
		untested: []string{"compact-attached-read-only"}, contradicted: []string{"attach-listed"},
	},
	"an endless list of attached disks": {ask: endless, only: []string{"create-disk", "attach-listed", "detach"}, never: attachments, left: true},
	"detaching says 0 and does nothing": {
		ask: unasked("DetachVirtualHardDisk", "<p:ReturnValue>0</p:ReturnValue>"), never: []string{"detach"}, left: true,
	},
	"detaching is refused": {
		ask: unasked("DetachVirtualHardDisk", "<p:ReturnValue>1</p:ReturnValue>"), never: []string{"detach"}, left: true,
	},

	"detaching is refused, and the file can be deleted": {
		ask: deletable, only: []string{"attach-listed"}, left: true,
	},

	"deleting says 0 and deletes nothing": {
		ask: unasked("Delete", "<p:ReturnValue>0</p:ReturnValue>"), never: []string{"delete-"}, contradicted: []string{"delete-file"}, left: true,
	},
	"deleting with an unknown value": {
		ask: unasked("Delete", "<p:ReturnValue>99</p:ReturnValue>"), never: []string{"delete-"}, contradicted: []string{"delete-file", "delete-in-use"}, left: true,
	},
	"deleting without an answer":     {answer: empty("Delete"), never: []string{"delete-"}},
	"deleting without being noticed": {answer: func(r *reply) { returns("Delete", 99)(r) }, never: []string{"delete-"}, contradicted: []string{"delete-file"}},

	"cancelling with an unknown value": {
		answer: returns("RequestStateChange", 99), never: []string{"cancel", "state-change"}, contradicted: []string{"cancel-answer"},
	},
	"cancelling says 0 and cancels nothing": {
		ask: unasked("RequestStateChange", "<p:ReturnValue>0</p:ReturnValue>"), never: []string{"cancel", "state-change"}, contradicted: []string{"state-change-ended-job"},
	},
	"cancelling without an answer":      {answer: empty("RequestStateChange"), never: []string{"cancel", "state-change"}},
	"cancelling that is never answered": {rule: always("RequestStateChange", hypervsim.Hang()), never: []string{"cancel", "state-change"}},
}

func always(method string, effect hypervsim.Effect) *hypervsim.Rule {
	return &hypervsim.Rule{Method: method, Times: -1, Effect: effect}
}

// longestRun is the longest that a run may take on a host whose jobs or answers
// do not come: the bounds of one check or two, and that of the removal.
const longestRun = 10 * time.Minute

// TestAnswersToWrites: whatever a host answers to requests that change something, the run ends,
// holds nothing to be true that was not seen, touches nothing that the kit did not make, and names
// what it could not remove.
func TestAnswersToWrites(t *testing.T) {
	t.Parallel()
	changing := changingClaims(t)
	for name, w := range sample.EveryNamed(20, answersToWrites) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { w.run(t, changing) })
		})
	}
}

// changingClaims are the claims that are only asked about with permission to write.
func changingClaims(t *testing.T) []string {
	t.Helper()
	var ids []string
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, proxied()...)
		o := proxy(t, sim, nil)
		o.Write = false
		r, err := conformance.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			if f.Why == "creating disks was not allowed" {
				ids = append(ids, f.ID)
			}
		}
	})
	if len(ids) < 30 {
		t.Fatalf("only %d claims change something", len(ids))
	}
	return ids
}

func (w answerToWrite) run(t *testing.T, changing []string) {
	t.Helper()
	sim := hypervsim.RunT(t, proxied(append(w.opts, hypervsim.WithVHD(hypervsim.VHD{Path: foreign}))...)...)
	if w.rule != nil {
		sim.AddRule(*w.rule)
	}
	ask := func(request string) (string, *reply) { return request, nil }
	if w.ask != nil {
		ask = w.ask(sim)
	}
	made := 0
	o := proxyAsking(t, sim, func(request string) (string, *reply) {
		if strings.Contains(request, "CreateVirtualHardDisk_INPUT") {
			made++
		}
		return ask(request)
	}, w.answer)
	o.Only, o.Fixtures = changing, nil // nothing that is there belongs to the kit
	if w.only != nil {
		o.Only = w.only
	}
	start := time.Now()
	r, err := conformance.Run(t.Context(), o)
	if r == nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > longestRun {
		t.Errorf("the run took %s", took)
	}
	w.checkFindings(t, r)
	w.checkLeft(t, sim, r, err)
	checkRequests(t, sim)
	if w.made > 0 && made > w.made || w.made < 0 && made > 0 {
		t.Errorf("%d disks were asked for, want at most %d", made, w.made)
	}
}

func (w answerToWrite) checkFindings(t *testing.T, r *conformance.Report) {
	t.Helper()
	for _, f := range r.Findings {
		never := slices.ContainsFunc(w.never, func(prefix string) bool { return strings.HasPrefix(f.ID, prefix) })
		switch {
		case f.Why == "a mistake in the kit":
			t.Errorf("%s: %s", f.ID, f.Why)
		case f.Result == conformance.Held && never && f.ID != "compact-missing-file":
			t.Errorf("%s held: %s", f.ID, f.Seen)
		case f.Result != conformance.Contradicted && slices.Contains(w.contradicted, f.ID):
			t.Errorf("%s: %s: %s%s", f.ID, f.Result, f.Seen, f.Why)
		case f.Result != conformance.NotTested && slices.Contains(w.untested, f.ID):
			t.Errorf("%s: %s: %s", f.ID, f.Result, f.Seen)
		}
	}
}

// ownFile is the name of a file of the kit.
var ownFile = regexp.MustCompile(`(?i)D:\\canary scratch\\hyperv-conformance-(none-)?[0-9a-f]{8}-[0-9a-f-]{27}\.vhdx?`)

// checkLeft compares what is left on the host with what the run reports.
func (w answerToWrite) checkLeft(t *testing.T, sim *hypervsim.Host, r *conformance.Report, err error) {
	t.Helper()
	named := map[string]bool{}
	if err != nil {
		for _, path := range ownFile.FindAllString(err.Error(), -1) {
			named[strings.ToLower(path)] = true
		}
	}
	for _, v := range sim.VHDs() {
		if ownFile.MatchString(v.Path) && !named[strings.ToLower(v.Path)] {
			t.Errorf("%s is left and not named: %v", v.Path, err)
		}
	}
	if (len(named) > 0) != w.left || r.LeftBehind != (w.left || w.job) || (err != nil) != r.LeftBehind {
		t.Errorf("left: named %q, in the report %t, error %v", slices.Collect(maps.Keys(named)), r.LeftBehind, err)
	}
	for _, path := range []string{foreign, diskPath(".vhdx")} {
		if _, ok := sim.VHD(path); !ok {
			t.Errorf("%s is gone", path)
		}
	}
	if len(sim.Attachments()) > 0 && !w.left {
		t.Errorf("left attached: %+v", sim.Attachments())
	}
}

// checkRequests looks for requests that changed something that the kit had not made.
func checkRequests(t *testing.T, sim *hypervsim.Host) {
	t.Helper()
	changing := []string{"CompactVirtualHardDisk", "AttachVirtualHardDisk", "Delete"}
	for _, q := range sim.Requests() {
		path, _ := q.Parameter("Path")
		for _, s := range q.Selectors {
			if s.Name == "Name" {
				path = s.Value
			}
		}
		switch {
		case slices.Contains(changing, q.Method) && !ownFile.MatchString(path):
			t.Errorf("%s of %s", q.Method, path)
		case q.Method == "RequestStateChange" && q.Class != "Msvm_StorageJob":
			t.Errorf("%s of %s", q.Method, q.Class)
		}
	}
}

// TestAnswersToWrites_another: a foreign disk that has taken the place of one of the kit stays, and
// the run says so.
func TestAnswersToWrites_another(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, arrange(".vhdx", hypervsim.WithoutListener())...)
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Effect: hypervsim.Status(http.StatusInternalServerError), Func: func(q hypervsim.Request) {
			path, _ := q.Parameter("Path")
			sim.AddVHD(hypervsim.VHD{Path: path})
		}})
		o := options(sim, ".vhdx")
		o.Only = []string{"compact-output"}
		r, err := conformance.Run(t.Context(), o)
		if r == nil || !r.LeftBehind || err == nil || !ownFile.MatchString(err.Error()) {
			t.Errorf("Run() = %v, want the name of the file", err)
		}
		if n := sim.Calls("Delete"); n != 0 {
			t.Errorf("%d files were deleted", n)
		}
	})
}
