package winrmsim_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestHTTP: requests that are refused for what HTTP alone says of them.
func TestHTTP(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(r *http.Request)
		status int
	}{
		{"GET", func(r *http.Request) { r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0 }, http.StatusMethodNotAllowed},
		{"other path", func(r *http.Request) { r.URL.Path = "/wsmanx" }, http.StatusNotFound},
		{"chunked", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), -1 }, http.StatusLengthRequired},
		{"too large", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 37<<10))), 37<<10
		}, http.StatusRequestEntityTooLarge},
		{"other type", func(r *http.Request) { r.Header.Set("Content-Type", "text/xml") }, http.StatusUnsupportedMediaType},
		{"other letters in the path", func(r *http.Request) { r.URL.Path = "/WSMan/" }, http.StatusOK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, p := loggedOn(t, hypervsim.WithAllowUnencrypted(true), hypervsim.WithMaxEnvelopeSizeKB(32))
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url, strings.NewReader(getService()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", plainSOAP)
			test.change(r)
			if got := p.do(r); got.status != test.status {
				t.Errorf("answer = %d, %v, want %d", got.status, got.err, test.status)
			}
		})
	}
}

// TestServer_socket serves a real connection as well.
func TestServer_socket(t *testing.T) {
	t.Parallel()
	h := hypervsim.RunT(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+h.Addr()+"/wsman", nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized || h.HostName() != "127.0.0.1" || h.Port() == 0 {
		t.Errorf("%s answered %d", h.Addr(), answer.StatusCode)
	}
}

// TestIdentify: a client that has not logged on gets an answer, without the
// version of the system.
func TestIdentify(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t)
	identify := `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>`
	p.send(identify).wantOK(t, "OS: 10.0")
	header := http.Header{"Content-Type": {plainSOAP}, "Wsmanidentify": {"unauthenticated"}}
	stranger := newPeer(t, h)
	stranger.post(header, []byte(identify)).wantOK(t, "OS: 0.0.0 ")
	if r := stranger.post(header, []byte(getService())); r.status != http.StatusBadRequest {
		t.Errorf("Get without a logon = %d, want 400", r.status)
	}
}

// TestRequests_refused: the faults that only a whole host can give.
func TestRequests_refused(t *testing.T) {
	t.Parallel()
	const wmiCIM = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/"
	tests := []struct {
		name, message string
		code          uint32
		subcode       string
	}{
		{"no selector", message{}.String(), 2147749935, "w:InternalError"},
		{"unknown selector", message{selectors: selector("Nom", "x")}.String(), 2150858843, "w:InvalidSelectors"},
		{"selector twice", message{selectors: selector("Name", "x") + selector("NAME", "y")}.String(), 2150858847, "w:InvalidSelectors"},
		{"job without a key", message{uri: wmiV2 + "Msvm_StorageJob"}.String(), 2150859002, "w:InvalidSelectors"},
		{"no such job", message{uri: wmiV2 + "Msvm_StorageJob", selectors: selector("InstanceID", "x")}.String(), 2150858752, "a:DestinationUnreachable"},
		{"no such class", message{uri: wmiV2 + "Msvm_Nothing", selectors: selector("Name", "x")}.String(), 2150858752, "a:DestinationUnreachable"},
		{"no such namespace", message{uri: wmiV1 + serviceClass, selectors: selector("Name", "x")}.String(), 2147749902, "a:DestinationUnreachable"},
		{"no such method", call("ShrinkVirtualHardDisk", ""), 2147749934, "w:InternalError"},
		{"misspelt parameter", call("GetVirtualHardDiskSettingData", "<m:path>x</m:path>"), 2150858837, "w:InvalidParameter"},
		{"wrong type", call("CompactVirtualHardDisk", "<m:Path>x</m:Path><m:Mode>Full</m:Mode>"), 2150858836, "w:InvalidParameter"},
		{"query on a class", enumerate(wmiCIM+"CIM_DataFile", wql("select * from CIM_DataFile")), 2150859003, "w:InvalidParameter"},
		{"query that is none", enumerate(wmiCIM+"*", wql("choose * from CIM_DataFile")), 2150858778, "n:CannotProcessFilter"},
		{"query for no class", enumerate(wmiV2+"*", wql("select * from Msvm_Nothing")), 2150858778, "n:CannotProcessFilter"},
		{"query for no property", enumerate(wmiV2+"*", wql("select Colour from "+serviceClass)), 2150858778, "n:CannotProcessFilter"},
		{"all classes without a query", enumerate(wmiV2+"*", ""), 2150858778, "n:CannotProcessFilter"},
		{"other dialect", enumerate(wmiV2+serviceClass, `<w:Filter Dialect="urn:x">x</w:Filter>`), 2150858777, "n:FilterDialectRequestedUnavailable"},
		{"unknown part of Enumerate", enumerate(wmiV2+serviceClass, `<w:Everything/>`), 2150858817, "w:SchemaValidationError"},
		{"enumeration with keys", strings.Replace(enumerate(wmiV2+serviceClass, ""), "</s:Header>", "<w:SelectorSet>"+selector("Name", "x")+"</w:SelectorSet></s:Header>", 1), 2150859016, "w:InvalidSelectors"},
		{"unknown context", pull(wmiV2+serviceClass, "uuid:0", ""), 2150858779, "n:InvalidEnumerationContext"},
		{"release of nothing", release(wmiV2+serviceClass, "uuid:0"), 2150858779, "n:InvalidEnumerationContext"},
	}
	_, p := loggedOn(t)
	for _, test := range tests {
		r := p.send(test.message)
		r.wantFault(t, test.code)
		if r.subcode() != test.subcode {
			t.Errorf("%s: subcode = %s, want %s", test.name, r.subcode(), test.subcode)
		}
		if !strings.Contains(r.body, "<a:RelatesTo>uuid:42</a:RelatesTo>") {
			t.Errorf("%s: the fault relates to nothing", test.name)
		}
	}
}

// TestInvoke answers with the output, in the form of the recorded hosts.
func TestInvoke(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t)
	r := p.send(settingData(smallDisk))
	r.wantOK(t, `<p:GetVirtualHardDiskSettingData_OUTPUT `)
	r.wantOK(t, `<p:ReturnValue>0</p:ReturnValue>`)
	r.wantOK(t, `&lt;INSTANCE CLASSNAME=&quot;Msvm_VirtualHardDiskSettingData&quot;`)
	r.wantOK(t, `<p:Job xsi:nil="true"/>`)
	r.wantOK(t, `xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"`)
	r.wantOK(t, `xmlns:p="`+wmiV2+serviceClass+`"`)

	r = p.send(call("CompactVirtualHardDisk", "<m:Path>"+smallDisk+"</m:Path><m:Mode>3</m:Mode>"))
	r.wantOK(t, `<p:Job xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><a:Address>`)
	r.wantOK(t, `<p:ReturnValue>4096</p:ReturnValue>`)
	if got, _ := h.Requests()[1].Parameter("mode"); got != "3" || h.Calls("compactvirtualharddisk") != 1 {
		t.Errorf("recorded mode = %q, calls = %d", got, h.Calls("CompactVirtualHardDisk"))
	}
}

// TestInvoke_dmtf serves clients that address the class in DMTF form: the
// reference they get back is in that form too, with the namespace in it.
func TestInvoke_dmtf(t *testing.T) {
	t.Parallel()
	_, p := loggedOn(t)
	const uri = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/" + serviceClass
	m := strings.ReplaceAll(call("CompactVirtualHardDisk", "<m:Path>"+smallDisk+"</m:Path><m:Mode>3</m:Mode>"), wmiV2+serviceClass, uri)
	m = strings.Replace(m, "<w:SelectorSet>", "<w:SelectorSet>"+selector("__cimnamespace", "root/virtualization/v2"), 1)
	r := p.send(m)
	r.wantOK(t, "<w:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Msvm_StorageJob</w:ResourceURI>")
	r.wantOK(t, `<w:Selector Name="__cimnamespace">root/virtualization/v2</w:Selector>`)
}

// manyDisks are n files in one directory.
func manyDisks(n int) hypervsim.Option {
	var disks []hypervsim.VHD
	for i := range n {
		disks = append(disks, hypervsim.VHD{Path: fmt.Sprintf(`E:\Disks\disk%03d.vhdx`, i), FileSize: 1 << 30})
	}
	return hypervsim.WithVHD(disks...)
}

const (
	allFiles  = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"
	diskQuery = `select * from CIM_DataFile where Drive='E:' and Path='\\Disks\\'`
)

func limitedQuery(n int) string {
	return strings.Replace(wql(diskQuery), ">100<", fmt.Sprintf(">%d<", n), 1)
}

// TestEnumerate_pages: complete in one answer, page by page, and without items
// in the first answer.
func TestEnumerate_pages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		opts  []hypervsim.Option
		query string
		pull  string
		pages []int
	}{
		{"complete", nil, wql(diskQuery), "", []int{5}},
		{"pages of two", nil, limitedQuery(2), "<n:MaxElements>2</n:MaxElements>", []int{2, 2, 1}},
		{"one by one", nil, strings.Replace(wql(diskQuery), "<w:MaxElements>100</w:MaxElements>", "", 1), "", []int{1, 1, 1, 1, 1}},
		{"not optimized", nil, strings.Replace(strings.Replace(wql(diskQuery), "<w:OptimizeEnumeration/>", "", 1), "<w:MaxElements>100</w:MaxElements>", "", 1), "<n:MaxTime>PT5S</n:MaxTime><n:MaxElements>3</n:MaxElements>", []int{0, 3, 2}},
		{"plain host", []hypervsim.Option{hypervsim.WithPlainEnumeration()}, wql(diskQuery), "<n:MaxElements>100</n:MaxElements>", []int{0, 5}},
		{"old host", []hypervsim.Option{hypervsim.WithSingleItemFirstPage()}, wql(diskQuery), "<n:MaxElements>100</n:MaxElements>", []int{1, 4}},
		{"small batches", []hypervsim.Option{hypervsim.WithMaxBatchItems(3)}, wql(diskQuery), "<n:MaxElements>100</n:MaxElements>", []int{3, 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, p := loggedOn(t, append(test.opts, manyDisks(5))...)
			r := p.send(enumerate(allFiles, test.query))
			contexts := map[string]bool{}
			for i, want := range test.pages {
				if got := strings.Count(r.body, "<p:CIM_DataFile "); r.err != nil || got != want {
					t.Fatalf("page %d has %d items, want %d: %v %s", i, got, want, r.err, r.body)
				}
				if last := strings.Contains(r.body, "EndOfSequence/>"); last != (i == len(test.pages)-1) || last != (r.context() == "") {
					t.Fatalf("page %d: end = %v, context %q", i, last, r.context())
				}
				if i < len(test.pages)-1 {
					if contexts[r.context()] {
						t.Errorf("the context %s came twice", r.context())
					}
					contexts[r.context()] = true
					r = p.send(pull(allFiles, r.context(), test.pull))
				}
			}
			if n := h.OpenEnumerations(); n != 0 {
				t.Errorf("open enumerations = %d, want 0", n)
			}
		})
	}
}

// TestEnumerate_forms: projections, selector filters, references.
func TestEnumerate_forms(t *testing.T) {
	t.Parallel()
	_, p := loggedOn(t, manyDisks(2))
	r := p.send(enumerate(allFiles, wql(`select Name, FileSize from CIM_DataFile where Name='E:\\Disks\\DISK001.vhdx'`)))
	r.wantOK(t, `<w:Items><w:XmlFragment xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><FileSize>1073741824</FileSize><Name>`)
	r.wantOK(t, `</n:EnumerationContext><w:Items>`)
	r = p.send(enumerate(wmiV2+serviceClass, "<w:OptimizeEnumeration/>"+
		`<w:Filter Dialect="http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter"><w:SelectorSet>`+selector("Name", "VHDSVC")+`</w:SelectorSet></w:Filter>`))
	r.wantOK(t, "<w:Items><p:Msvm_ImageManagementService ")
	r = p.send(enumerate(wmiV2+serviceClass, "<w:OptimizeEnumeration/><w:EnumerationMode>EnumerateEPR</w:EnumerationMode>"))
	r.wantOK(t, "<w:Items><a:EndpointReference><a:Address>")
	r = p.send(enumerate(wmiV2+"Msvm_MountedStorageImage", "<w:OptimizeEnumeration/>"))
	r.wantOK(t, "<n:EnumerationContext></n:EnumerationContext><w:Items></w:Items><w:EndOfSequence/>")
}

// TestEnumerate_context: it serves one user once, within its time, under the
// limits it was opened with, until it is released.
func TestEnumerate_context(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h, p := loggedOn(t, manyDisks(5), hypervsim.WithClock(func() time.Time { return now }), hypervsim.WithUser("other", "o"), hypervsim.WithUser(hypervsim.DefaultUser, hypervsim.DefaultPassword))
	begin := func() string { return p.send(enumerate(allFiles, limitedQuery(1))).context() }
	more := "<n:MaxElements>1</n:MaxElements>"

	first := begin()
	second := p.send(pull(allFiles, first, more)).context()
	p.send(pull(allFiles, first, more)).wantFault(t, 2150858779)

	other := newPeer(t, h)
	if status := other.logon("other", "o"); status != http.StatusOK {
		t.Fatalf("logon = %d", status)
	}
	other.send(pull(allFiles, second, more)).wantFault(t, 2150858779)
	p.send(pull(allFiles, second, "<n:MaxElements>2</n:MaxElements>")).wantFault(t, 2150859181)
	p.send(strings.Replace(pull(allFiles, second, more), "512000", "100000", 1)).wantFault(t, 2150859181)

	p.send(release(allFiles, second)).wantOK(t, "<s:Body></s:Body>")
	p.send(pull(allFiles, second, more)).wantFault(t, 2150858779)

	late := begin()
	now = now.Add(241 * time.Second)
	if n := h.OpenEnumerations(); n != 0 {
		t.Errorf("open enumerations = %d, want 0", n)
	}
	p.send(pull(allFiles, late, more)).wantFault(t, 2150858779)
}

// TestQuota: open enumerations take the places of operations.
func TestQuota(t *testing.T) {
	t.Parallel()
	tests := []struct {
		generation hypervsim.Generation
		uri        string
		code       uint32
		subcode    string
	}{
		{hypervsim.V2, wmiV2, 2150859240, "w:QuotaLimit"},
		{hypervsim.V1, wmiV1, 2150859174, "w:InternalError"},
	}
	for _, test := range tests {
		_, p := loggedOn(t, manyDisks(5), hypervsim.WithQuota(2), hypervsim.WithGenerations(test.generation))
		service := message{uri: test.uri + serviceClass, selectors: selector("CreationClassName", serviceClass)}.String()
		context := ""
		for range 2 {
			p.send(service).wantOK(t, "vhdsvc")
			context = p.send(enumerate(allFiles, limitedQuery(1))).context()
		}
		r := p.send(service)
		r.wantFault(t, test.code)
		if r.subcode() != test.subcode {
			t.Errorf("subcode = %s, want %s", r.subcode(), test.subcode)
		}
		p.send(release(allFiles, context)).wantOK(t, "")
		p.send(service).wantOK(t, "vhdsvc")
	}
}

// TestEnvelopeSize: an answer that does not fit is a fault; if the work was
// done, the fault says so.
func TestEnvelopeSize(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t, manyDisks(40), hypervsim.WithMaxEnvelopeSizeKB(16))
	r := p.send(enumerate(allFiles, wql(diskQuery)))
	if n := strings.Count(r.body, "<p:CIM_DataFile "); n == 0 || n == 40 || len(r.body) > 16<<10 || r.context() == "" {
		t.Errorf("%d items in %d bytes, context %q", n, len(r.body), r.context())
	}
	long := `F:\` + strings.Repeat("long name ", 900) + ".vhdx"
	h.AddVHD(hypervsim.VHD{Path: long, FileSize: 1})
	p.send(strings.Replace(settingData(long), "512000", "8192", 1)).wantFault(t, 2150858829)
	file := strings.Replace(enumerate(allFiles, wql(`select * from CIM_DataFile where Drive='F:'`)), "512000", "8192", 1)
	p.send(file).wantFault(t, 2150858824)
	h.AddVHD(hypervsim.VHD{Path: `G:\` + strings.Repeat("long name ", 1600) + ".vhdx", FileSize: 1})
	p.send(enumerate(allFiles, wql(`select * from CIM_DataFile where Drive='G:'`))).wantFault(t, 2150858825)
	if r := p.send(settingData(strings.Repeat("x", 17<<10))); r.status != http.StatusRequestEntityTooLarge {
		t.Errorf("large request = %d, want 413", r.status)
	}
}

// TestWithGenerations: the namespaces of a host, and none without Hyper-V.
func TestWithGenerations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		generations []hypervsim.Generation
		v1, v2      bool
	}{
		{"2008", []hypervsim.Generation{hypervsim.V1}, true, false},
		{"2012", []hypervsim.Generation{hypervsim.V1, hypervsim.V2}, true, true},
		{"2022", []hypervsim.Generation{hypervsim.V2}, false, true},
		{"no role", nil, false, false},
	}
	for _, test := range tests {
		_, p := loggedOn(t, hypervsim.WithGenerations(test.generations...))
		for uri, there := range map[string]bool{wmiV1: test.v1, wmiV2: test.v2} {
			r := p.send(message{uri: uri + serviceClass, selectors: selector("CreationClassName", serviceClass)}.String())
			if (r.status == http.StatusOK) != there {
				t.Errorf("%s: %s answered %d, want there = %v", test.name, uri, r.status, there)
			}
			if !there && r.code() != 2147749902 {
				t.Errorf("%s: fault = %d", test.name, r.code())
			}
		}
	}
}

// TestWithLocale: texts in the language of the host, numbers as ever.
func TestWithLocale(t *testing.T) {
	t.Parallel()
	_, p := loggedOn(t, hypervsim.WithLocale("ja-JP"))
	r := p.send(message{uri: wmiV2 + "Msvm_StorageJob", selectors: selector("InstanceID", "x")}.String())
	r.wantFault(t, 2150858752)
	if !strings.Contains(r.body, `xml:lang="ja-JP"`) || !strings.Contains(r.body, "見つかりません") {
		t.Errorf("fault = %s", r.body)
	}
	p.send(getService()).wantOK(t, `xml:lang="ja-JP"`)
}

// TestWithFaultForm: all faults in one form.
func TestWithFaultForm(t *testing.T) {
	t.Parallel()
	_, p := loggedOn(t, hypervsim.WithFaultForm(hypervsim.FaultFormWMIError))
	r := p.send(message{uri: wmiV2 + "Msvm_StorageJob", selectors: selector("InstanceID", "x")}.String())
	if r.status != http.StatusInternalServerError || !strings.Contains(r.body, "<p:error_Code>2150858752</p:error_Code>") {
		t.Errorf("answer = %d %s", r.status, r.body)
	}
}

// TestIdle: the host closes connections that are idle too long, and on demand.
func TestIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, p := loggedOn(t)
		time.Sleep(119 * time.Second)
		p.send(getService()).wantOK(t, "vhdsvc")
		time.Sleep(121 * time.Second)
		if r := p.send(getService()); !errors.Is(r.err, errOneConnection) {
			t.Errorf("answer after two minutes = %d, %v, want a closed connection", r.status, r.err)
		}

		p = newPeer(t, h)
		p.logon(hypervsim.DefaultUser, hypervsim.DefaultPassword)
		synctest.Wait()
		h.DropIdleConnections()
		synctest.Wait()
		if r := p.send(getService()); !errors.Is(r.err, errOneConnection) {
			t.Errorf("answer after a drop = %d, %v, want a closed connection", r.status, r.err)
		}
	})
}

// TestNew_refuses options that cannot work.
func TestNew_refuses(t *testing.T) {
	t.Parallel()
	tests := map[string][]hypervsim.Option{
		"Kerberos without keys":            {hypervsim.WithSchemes(hypervsim.SchemeKerberos)},
		"client certificates without TLS":  {hypervsim.WithClientCertificates(x509.NewCertPool(), "robot")},
		"an address without a port":        {hypervsim.WithAddress("localhost")},
		"a folder that cannot be a volume": {hypervsim.WithFolder("relative", t.TempDir())},
	}
	for name, opts := range tests {
		if _, err := hypervsim.New(opts...); err == nil {
			t.Errorf("New accepted %s", name)
		}
	}
}
