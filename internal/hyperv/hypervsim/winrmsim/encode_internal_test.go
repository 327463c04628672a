package winrmsim

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// capture reads a recorded answer of a real host, without its comments.
func capture(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "..", "shared", "captures", name))
	if err != nil {
		t.Skip("the recorded answers are not here")
	}
	text := regexp.MustCompile(`(?s)<\?xml.*?\?>|<!--.*?-->`).ReplaceAllString(string(b), "")
	return strings.TrimSpace(text)
}

// TestMessage_captures rebuilds recorded answers of real hosts from their
// contents, to the byte.
func TestMessage_captures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		operation Operation
		wrap      func(item string) string
	}{
		{"hyperv-storagejob-running-get-response.xml", OperationGet, func(item string) string { return item }},
		{"hyperv-affectedjobelement-pull-response-last.xml", OperationPull, func(item string) string {
			return "<n:PullResponse><n:Items>" + item + "</n:Items><n:EndOfSequence/></n:PullResponse>"
		}},
		{"hyperv-computersystem-pull-response-middle.xml", OperationPull, func(item string) string {
			return "<n:PullResponse><n:EnumerationContext>uuid:00000000-0000-4000-8000-000000000006</n:EnumerationContext><n:Items>" + item + "</n:Items></n:PullResponse>"
		}},
		{"wql-optimized-enumerate-response-complete-2012.xml", OperationEnumerate, func(item string) string {
			return "<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext><w:Items>" + item + "</w:Items><w:EndOfSequence/></n:EnumerateResponse>"
		}},
		{"wql-optimized-enumerate-response-partial-2008r2.xml", OperationEnumerate, func(item string) string {
			return "<n:EnumerateResponse><n:EnumerationContext>uuid:71F4FA33-BDD3-4B96-BFE3-B4F81532D2D7</n:EnumerationContext><w:Items>" + item + "</w:Items></n:EnumerateResponse>"
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := capture(t, test.name)
			root, err := parseXML([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			header := root.child(nsSOAP, "Header")
			m := message{
				action:    header.child(nsAddressing, "Action").text,
				id:        header.child(nsAddressing, "MessageID").text,
				relatesTo: header.child(nsAddressing, "RelatesTo").text,
			}
			m.locale, _ = root.attribute(nsXML, "lang")
			m.declare(test.operation)
			o, target := recordedObject(t, root)
			m.body = test.wrap(instance(target, o))
			if diff := cmp.Diff(text, m.String()); diff != "" {
				t.Errorf("answer (-recorded +ours):\n%s", diff)
			}
		})
	}
}

// recordedObject finds the instance in a recorded answer and reads it back.
func recordedObject(t *testing.T, e *element) (*wmi.Object, target) {
	t.Helper()
	for len(e.children) > 0 {
		if uri, ok := parseTarget(e.space); ok {
			return readBack(e, uri), uri
		}
		// The instance is the last child that has children of its own.
		next := e.children[0]
		for _, c := range e.children {
			if len(c.children) > 0 {
				next = c
			}
		}
		e = next
	}
	t.Fatal("no instance")
	return nil, target{}
}

func readBack(e *element, t target) *wmi.Object {
	o := &wmi.Object{Namespace: t.namespace, Class: t.class}
	for _, c := range e.children {
		p := wmi.Property{Name: c.local, Type: wmi.TypeString, Values: []string{c.text}}
		if _, null := c.attribute(nsXSI, "nil"); null {
			p.Values = nil
		}
		if r := c.child(nsAddressing, "ReferenceParameters"); r != nil {
			ref, _ := parseTarget(r.child(nsWSMan, "ResourceURI").text)
			keys, _ := readSelectors(r.child(nsWSMan, "SelectorSet"))
			p = wmi.Property{Name: c.local, Type: wmi.TypeReference, Ref: &wmi.ObjectPath{Namespace: ref.namespace, Class: ref.class, Keys: keys}}
		} else if len(c.children) == 1 {
			p.Values[0] = c.children[0].text
			switch c.children[0].local {
			case "Datetime":
				p.Type = wmi.TypeDateTime
			case "Interval":
				// The model speaks Go's durations.
				d, _ := parseDuration(p.Values[0])
				p.Type, p.Values[0] = wmi.TypeInterval, d.String()
			}
		}
		o.Properties = append(o.Properties, p)
	}
	return o
}

// TestFault_captures compares the shape of a fault with a recorded one: the same
// elements and attributes in the same order, other texts.
func TestFault_captures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		fail *wmi.Failure
	}{
		{"fault-invalid-selectors-2150858843.xml", pluginFault(wmi.CodeUnexpectedSelectors)},
		{"fault-max-concurrent-operations-2150859174.xml", fault(codeQuotaOperations)},
		{"fault-wql-invalid-class-winrm1.xml", pluginFault(codeCannotProcessFilter)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			recorded, err := parseXML([]byte(capture(t, test.name)))
			if err != nil {
				t.Fatal(err)
			}
			f := faultText{Failure: *test.fail, locale: "en-US"}
			m := message{transfer: true, enumerate: true, microsoft: true, action: f.action(), relatesTo: "uuid:1", body: f.body()}
			ours, err := parseXML([]byte(m.String()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(shape(recorded, ""), shape(ours, "")); diff != "" {
				t.Errorf("fault (-recorded +ours):\n%s", diff)
			}
		})
	}
}

// shape lists the elements of a message with what a program reads of them.
func shape(e *element, indent string) []string {
	line := indent + e.local
	switch e.local {
	case "Value", "Action", "FaultDetail":
		line += " " + e.trimmed()
	case "WSManFault":
		code, _ := e.attribute("", "Code")
		line += " " + code
	}
	lines := []string{line}
	for _, c := range e.children {
		lines = append(lines, shape(c, indent+" ")...)
	}
	return lines
}

// TestFault_forms writes each form.
func TestFault_forms(t *testing.T) {
	t.Parallel()
	has := func(marks ...string) []string { return marks }
	tests := []struct {
		form   FaultForm
		plugin bool
		want   []string
		not    []string
	}{
		{FaultFormAny, false, has(`Code="2150858752" Machine="H"`, "faultDetail/ResourceNotFound", "xml:lang=\"ja-JP\">リソース"), has("ProviderFault")},
		{FaultFormAny, true, has("<f:ProviderFault provider=\"WMI Provider\""), has("MSFT_WmiError")},
		{FaultFormService, true, has("<f:Message>リソース"), has("ProviderFault")},
		{FaultFormProvider, false, has("<f:ProviderFault "), nil},
		{FaultFormWMIError, true, has("<p:error_Code>2150858752</p:error_Code>", "HRESULT 0x80338000"), has("WSManFault", "FaultDetail")},
		{FaultFormBare, true, has("<s:Value>a:DestinationUnreachable</s:Value>"), has("Detail>")},
	}
	for _, test := range tests {
		f := faultText{Failure: wmi.Failure{Code: wmi.CodeResourceNotFound, Subcode: "a:DestinationUnreachable", Sender: true, Detail: "ResourceNotFound", Plugin: test.plugin}, form: test.form, locale: "ja-JP", machine: "H"}
		body := f.body()
		for _, mark := range test.want {
			if !strings.Contains(body, mark) {
				t.Errorf("form %d has no %q: %s", test.form, mark, body)
			}
		}
		for _, mark := range test.not {
			if strings.Contains(body, mark) {
				t.Errorf("form %d has %q: %s", test.form, mark, body)
			}
		}
	}
}

// TestKnownFault: every code has a text in both languages and a known prefix.
func TestKnownFault(t *testing.T) {
	t.Parallel()
	for _, code := range []uint32{
		wmi.CodeResourceNotFound, codeUnsupportedTimeout, codeMustUnderstand, codeOperationTimedOut, codeQuotaOperations, codeQuotaPerUser,
		codeUnreportableSuccess, wmi.CodeInvalidNamespace, codeQueryInvalid, reasonClassMissing, 5, 995, 0x80041033,
	} {
		k := knownFault(code)
		prefix, name, _ := strings.Cut(k.subcode, ":")
		if k.en == "" || k.ja == "" || k.en == k.ja || name == "" || !strings.Contains("swan", prefix) {
			t.Errorf("knownFault(%d) = %+v", code, k)
		}
	}
}

// TestFragment writes a projection: no namespace, not even on dates.
func TestFragment(t *testing.T) {
	t.Parallel()
	o := &wmi.Object{Properties: []wmi.Property{
		{Name: "Name", Type: wmi.TypeString, Values: []string{"a<b"}},
		{Name: "InstallDate", Type: wmi.TypeDateTime, Values: []string{"2026-01-02T03:04:05.12345678+09:00"}},
		{Name: "Other", Type: wmi.TypeString, Values: []string{"x"}},
		{Name: "Empty", Type: wmi.TypeString},
	}}
	want := `<w:XmlFragment xmlns:xsi="` + nsXSI + `"><Empty xsi:nil="true"/><InstallDate><Datetime>2026-01-01T18:04:05.123456Z</Datetime></InstallDate><Name>a&lt;b</Name></w:XmlFragment>`
	if got := fragment(target{}, o, []string{"name", "INSTALLDATE", "Empty"}); got != want {
		t.Errorf("fragment(…) = %s, want %s", got, want)
	}
}

// TestWriter_property: arrays repeat, one value is a scalar, an empty array is
// nothing at all, and what XML cannot carry becomes a question mark.
func TestWriter_property(t *testing.T) {
	t.Parallel()
	tests := []struct {
		p    wmi.Property
		want string
	}{
		{wmi.Texts("A", "1", "2"), "<p:A>1</p:A><p:A>2</p:A>"},
		{wmi.Texts("A", "1"), "<p:A>1</p:A>"},
		{wmi.Texts("A"), ""},
		{wmi.Text("A", ""), "<p:A></p:A>"},
		{wmi.Null("A", wmi.TypeUint16), `<p:A xsi:nil="true"/>`},
		{wmi.Text("A", "a\x01\r\n\t]]>\"'"), "<p:A>a?&#xD;\n\t]]&gt;&quot;'</p:A>"},
		{wmi.Property{Name: "A", Type: wmi.TypeInterval, Values: []string{"26h0m1.5s"}}, "<p:A><cim:Interval>P1DT2H0M1.5S</cim:Interval></p:A>"},
		{wmi.Reference("A", nil), `<p:A xsi:nil="true"/>`},
	}
	for _, test := range tests {
		w := &writer{}
		w.property(target{}, "p:", test.p)
		if got := w.String(); got != test.want {
			t.Errorf("property(%+v) = %s, want %s", test.p, got, test.want)
		}
	}
}
