package wsman

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

const declarations = `xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`

func soapBody(body string) string {
	return `<s:Envelope ` + declarations + `><s:Header><p:ActivityId s:mustUnderstand="false">x</p:ActivityId></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

func openBody(t *testing.T, document string) *xmlNode {
	t.Helper()
	body, err := answer{status: http.StatusOK, body: []byte(document)}.open("")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// properties holds the properties of an instance in a form that can be
// compared.
type properties struct {
	Class  string
	Names  []string
	Texts  map[string][]string
	Nulls  []string
	Scalar []string
	Refs   map[string]cim.Reference
}

func describe(i *cim.Instance) properties {
	p := properties{Class: i.Class, Names: i.Names(), Texts: map[string][]string{}, Refs: map[string]cim.Reference{}}
	for _, name := range i.Names() {
		v := i.Value(name)
		if v.IsNull() {
			p.Nulls = append(p.Nulls, name)
			continue
		}
		if ref, ok := v.Reference(); ok {
			p.Refs[name] = ref
			continue
		}
		p.Texts[name] = v.Elements()
	}
	return p
}

func TestDecodeInstance(t *testing.T) {
	t.Parallel()
	ref := cim.Reference{ResourceURI: "http://x/wmi/root/v2/Msvm_StorageJob", Selectors: []cim.Selector{{Name: "InstanceID", Value: " A&B "}, {Name: "__cimnamespace", Value: "root/v2"}}}
	const epr = `<a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>
		http://x/wmi/root/v2/Msvm_StorageJob </w:ResourceURI><w:SelectorSet><w:Selector Name="InstanceID"> A&amp;B </w:Selector><w:Selector Name="__cimnamespace">root/v2</w:Selector></w:SelectorSet></a:ReferenceParameters>`
	for name, tt := range map[string]struct {
		body string
		want properties
	}{
		"prefix bound twice": {
			`<p:C xmlns:p="urn:c" xsi:type="p:C_Type"><p:A>1</p:A></p:C>`,
			properties{Class: "C", Names: []string{"A"}, Texts: map[string][]string{"A": {"1"}}},
		},
		"null, empty and blank": {
			`<c:C xmlns:c="urn:c"><c:N xsi:nil="true"/><c:N1 xsi:nil=" 1 "/><c:E/><c:E2></c:E2><c:B>
 </c:B><c:F xsi:nil="false">x</c:F></c:C>`,
			properties{
				Class: "C", Names: []string{"N", "N1", "E", "E2", "B", "F"}, Nulls: []string{"N", "N1"},
				Texts: map[string][]string{"E": {""}, "E2": {""}, "B": {"\n "}, "F": {"x"}},
			},
		},
		"array": {
			`<c:C xmlns:c="urn:c"><c:A>17</c:A><c:X>a</c:X><c:A>2</c:A><c:A xsi:nil="true"/></c:C>`,
			properties{Class: "C", Names: []string{"A", "X"}, Texts: map[string][]string{"A": {"17", "2", ""}, "X": {"a"}}},
		},
		"times wrapped and bare": {
			`<c:C xmlns:c="urn:c"><c:T><cim:Datetime>2025-12-17T09:55:22.702341Z</cim:Datetime></c:T><c:I>
				<cim:Interval> P0DT0H5M0S </cim:Interval></c:I><c:B>2025-12-17T09:55:22Z</c:B></c:C>`,
			properties{Class: "C", Names: []string{"T", "I", "B"}, Texts: map[string][]string{
				"T": {"2025-12-17T09:55:22.702341Z"}, "I": {"P0DT0H5M0S"}, "B": {"2025-12-17T09:55:22Z"},
			}},
		},
		"fragment of a projection": {
			`<w:XmlFragment><InstallDate><Datetime>2013-03-09T02:57:32Z</Datetime></InstallDate><Name>n</Name></w:XmlFragment>`,
			properties{Names: []string{"InstallDate", "Name"}, Texts: map[string][]string{"InstallDate": {"2013-03-09T02:57:32Z"}, "Name": {"n"}}},
		},
		"references with and without wrapper": {
			`<c:C xmlns:c="urn:c"><c:J>` + epr + `</c:J><c:W><a:EndpointReference>` + epr + `</a:EndpointReference></c:W></c:C>`,
			properties{Class: "C", Names: []string{"J", "W"}, Refs: map[string]cim.Reference{"J": ref, "W": ref}},
		},
		"what is no property": {
			`<c:C xmlns:c="urn:c"><cim:Location>` + epr + `</cim:Location><c:A>1</c:A><c:Nested><c:X>1</c:X></c:Nested><c:Refs>` + epr + `</c:Refs><c:Refs>` + epr + `</c:Refs></c:C>`,
			properties{Class: "C", Names: []string{"A"}, Texts: map[string][]string{"A": {"1"}}},
		},
		"text in parts": {
			`<c:C xmlns:c="urn:c"><c:A>a<![CDATA[<&>]]><!-- x -->&amp;&#x65E5;</c:A></c:C>`,
			properties{Class: "C", Names: []string{"A"}, Texts: map[string][]string{"A": {"a<&>&日"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := describe(decodeInstance(openBody(t, soapBody(tt.body)).first()))
			if tt.want.Texts == nil {
				tt.want.Texts = map[string][]string{}
			}
			if tt.want.Refs == nil {
				tt.want.Refs = map[string]cim.Reference{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("instance differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodePage(t *testing.T) {
	t.Parallel()
	type result struct {
		Context string
		Items   int
		Last    bool
	}
	for name, tt := range map[string]struct {
		response, body string
		want           result
	}{
		"optimised and complete": {"EnumerateResponse", `<n:EnumerationContext/><w:Items><X/><X/></w:Items><w:EndOfSequence/>`, result{"old", 2, true}},
		"other namespace":        {"EnumerateResponse", `<n:EnumerationContext>c</n:EnumerationContext><n:Items><X/></n:Items><n:EndOfSequence/>`, result{"c", 1, true}},
		"partial":                {"EnumerateResponse", `<n:EnumerationContext> uuid:1 </n:EnumerationContext><w:Items><X/></w:Items>`, result{"uuid:1", 1, false}},
		"context only":           {"EnumerateResponse", `<n:EnumerationContext>c</n:EnumerationContext>`, result{"c", 0, false}},
		"empty":                  {"EnumerateResponse", `<w:EndOfSequence/>`, result{"old", 0, true}},
		"page":                   {"PullResponse", `<n:EnumerationContext>c2</n:EnumerationContext><n:Items><X/></n:Items>`, result{"c2", 1, false}},
		"page, context kept":     {"PullResponse", `<n:Items/>`, result{"old", 0, false}},
		"last page":              {"PullResponse", `<n:Items><X/></n:Items><n:EndOfSequence/>`, result{"old", 1, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := page{context: "old"}
			body := openBody(t, soapBody(`<n:`+tt.response+`>`+tt.body+`</n:`+tt.response+`>`))
			if err := p.decode(body, tt.response); err != nil {
				t.Fatal(err)
			}
			if got := (result{p.context, len(p.items), p.last}); got != tt.want {
				t.Errorf("decode = %+v, want %+v", got, tt.want)
			}
		})
	}
	var p page
	if err := p.decode(openBody(t, soapBody(`<n:EnumerateResponse><n:EnumerationContext/><w:Items><X/></w:Items></n:EnumerateResponse>`)), "EnumerateResponse"); err == nil {
		t.Error("an enumeration that neither ends nor goes on is accepted: instances would be missing")
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	const get = `<s:Envelope ` + declarations + `><s:Header><a:RelatesTo>
		uuid:AB </a:RelatesTo></s:Header><s:Body><X/></s:Body></s:Envelope>`
	utf16le := func(s string) string {
		b := []byte{0xFF, 0xFE}
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return string(b)
	}
	utf16be := func(s string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.BigEndian.AppendUint16(b, u)
		}
		return string(b)
	}
	isDecode := func(err error) bool { return errors.As(err, new(*DecodeError)) }
	isStatus := func(err error) bool { return errors.As(err, new(*HTTPError)) }
	isNil := func(err error) bool { return err == nil }
	for name, tt := range map[string]struct {
		status int
		body   string
		id     string
		ok     func(error) bool
	}{
		"success":                 {200, get, "uuid:ab", isNil},
		"no RelatesTo":            {200, soapBody("<X/>"), "uuid:ab", isNil},
		"another message":         {200, get, "uuid:cd", isDecode},
		"declaration":             {200, `<?xml version="1.0" encoding="utf-8"?>` + get, "", isNil},
		"byte order mark":         {200, "\xEF\xBB\xBF" + get, "", isNil},
		"UTF-16 with mark":        {200, utf16le(`<?xml version="1.0" encoding="utf-16"?>` + get), "", isNil},
		"UTF-16 without mark":     {200, utf16be(get), "", isNil},
		"UTF-16 of odd length":    {200, utf16le(get) + "x", "", isDecode},
		"unknown character set":   {200, `<?xml version="1.0" encoding="ebcdic"?>` + get, "", isDecode},
		"not UTF-8":               {200, strings.Replace(get, "<X/>", "<X>\xff</X>", 1), "", isDecode},
		"document type":           {200, `<!DOCTYPE x [<!ENTITY e "eeee">]>` + get, "", isDecode},
		"undefined entity":        {200, strings.Replace(get, "<X/>", "<X>&e;</X>", 1), "", isDecode},
		"two roots":               {200, get + get, "", isDecode},
		"text behind":             {200, get + "x", "", isDecode},
		"cut off":                 {200, get[:len(get)-20], "", isDecode},
		"too deep":                {200, soapBody(strings.Repeat("<X>", 200) + strings.Repeat("</X>", 200)), "", isDecode},
		"too many":                {200, soapBody(strings.Repeat("<X/>", 300000)), "", isDecode},
		"empty":                   {200, "", "", isDecode},
		"SOAP 1.1":                {200, `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body/></Envelope>`, "", isDecode},
		"500 without a body":      {500, "", "", isStatus},
		"400 without a body":      {400, "", "", isStatus},
		"500 with rubbish":        {500, "<html>", "", isStatus},
		"500 with other XML":      {500, "<html/>", "", isStatus},
		"500 without a fault":     {500, soapBody("<X/>"), "", isStatus},
		"503 with a page of text": {503, "Service Unavailable", "", isStatus},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := answer{status: tt.status, body: []byte(tt.body)}.open(tt.id)
			if !tt.ok(err) || err == nil && body.child("X", "") == nil {
				t.Errorf("open = %v, %v", body, err)
			}
		})
	}
}

func TestDecodeFault(t *testing.T) {
	t.Parallel()
	head := func(subcode string) string {
		return `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value xmlns:q="` + nsEnumeration + `"> ` + subcode + ` </s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="">  Es geht
			nicht. </s:Text></s:Reason>`
	}
	sender := QName{nsSOAP, "Sender"}
	for name, tt := range map[string]struct {
		body string
		want Fault
	}{
		"detail with WSManFault": {
			head("w:InvalidSelectors") + `<s:Detail><w:FaultDetail>http://x/faultDetail/UnexpectedSelectors</w:FaultDetail><f:WSManFault xmlns:f="` + nsFault + `" Code="2150858843"><f:Message>Es geht nicht.</f:Message></f:WSManFault></s:Detail></s:Fault>`,
			Fault{500, sender, QName{nsWSMan, "InvalidSelectors"}, "http://x/faultDetail/UnexpectedSelectors", []uint32{2150858843}, "Es geht nicht."},
		},
		"provider with extended status": {
			head("q:CannotProcessFilter") + `<s:Detail><f:WSManFault xmlns:f="` + nsFault + `" Code="2150858778"><f:Message><f:ProviderFault><f:WSManFault Code="2147749904"><f:Message>Keine Klasse.</f:Message></f:WSManFault><f:ExtendedError><x:__ExtendedStatus xmlns:x="urn:x"><x:StatusCode>-2147217392</x:StatusCode><x:Description>d</x:Description></x:__ExtendedStatus></f:ExtendedError></f:ProviderFault></f:Message></f:WSManFault></s:Detail></s:Fault>`,
			Fault{500, sender, QName{nsEnumeration, "CannotProcessFilter"}, "", []uint32{2150858778, 2147749904}, "Es geht nicht. Keine Klasse."},
		},
		"WMI error": {
			head("w:InternalError") + `<s:Detail><e:MSFT_WmiError xmlns:e="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"><e:CIMStatusCode xsi:type="cim:cimUnsignedInt">27</e:CIMStatusCode><e:Message>m</e:Message><e:MessageID>HRESULT 0x803381a5</e:MessageID><e:error_Category>30</e:error_Category><e:error_Code>2150859173</e:error_Code><e:error_Type>HRESULT</e:error_Type></e:MSFT_WmiError></s:Detail></s:Fault>`,
			Fault{500, sender, QName{nsWSMan, "InternalError"}, "", []uint32{2150859173}, "Es geht nicht. m"},
		},
		"no detail": {
			head("a:DestinationUnreachable") + `</s:Fault>`,
			Fault{500, sender, QName{nsAddressing, "DestinationUnreachable"}, "", nil, "Es geht nicht."},
		},
		"code in hexadecimal, zero ignored": {
			head("w:QuotaLimit") + `<s:Detail><WSManFault Code="0x803381a6"><WSManFault Code="0"/><WSManFault Code="x"/><WSManFault Code="5000000000"/></WSManFault></s:Detail></s:Fault>`,
			Fault{500, sender, QName{nsWSMan, "QuotaLimit"}, "", []uint32{2150859174}, "Es geht nicht."},
		},
		"prefix bound nowhere": {
			head("wsa:EndpointUnavailable") + `</s:Fault>`,
			Fault{500, sender, QName{nsAddressing, "EndpointUnavailable"}, "", nil, "Es geht nicht."},
		},
		"next to nothing": {`<s:Fault/>`, Fault{Status: 500}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := answer{status: 500, body: []byte(soapBody(tt.body))}.open("")
			var f *Fault
			if !errors.As(err, &f) {
				t.Fatalf("open = %v, want a Fault", err)
			}
			if diff := cmp.Diff(tt.want, *f); diff != "" {
				t.Errorf("fault differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFaultText(t *testing.T) {
	t.Parallel()
	f := &Fault{
		Status: 500, Code: QName{nsSOAP, "Sender"}, Subcode: QName{nsAddressing, "DestinationUnreachable"},
		Detail: "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/InvalidResourceURI", Codes: []uint32{2150858752}, Reason: "見つかりません。",
	}
	err := &OpError{Op: "get", ResourceURI: cim.ResourceURI(cim.NamespaceVirtualizationV2, cim.ClassStorageJob), Err: f}
	const want = "fault 2150858752 (0x80338000) a:DestinationUnreachable InvalidResourceURI: 見つかりません。 (get Msvm_StorageJob)"
	if err.Error() != want {
		t.Errorf("Error() = %q, want %q", err, want)
	}
	if !f.Has(2150858752) || f.Has(5) || !f.IsSubcode(nsAddressing, "DestinationUnreachable") || f.IsSubcode(nsWSMan, "DestinationUnreachable") {
		t.Error("Has or IsSubcode is wrong")
	}
}

func TestFaultBounds(t *testing.T) {
	t.Parallel()
	var detail strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&detail, `<f:WSManFault xmlns:f="%s" Code="%d"><f:Message>%s</f:Message></f:WSManFault>`, nsFault, i+1, strings.Repeat("日", i+1))
	}
	_, err := answer{status: 500, body: []byte(soapBody(`<s:Fault><s:Reason><s:Text>` + strings.Repeat("語", 5000) + `</s:Text></s:Reason><s:Detail>` + detail.String() + `</s:Detail></s:Fault>`))}.open("")
	var f *Fault
	if !errors.As(err, &f) || len(f.Codes) != maxCodes || f.Codes[0] != 1 || len(f.Reason) > maxReason+10 || !utf8.ValidString(f.Reason) {
		t.Errorf("open = %v", err)
	}
}

// captures is where recorded answers of real hosts may be, relative to the
// package.
const captures = "../../../../shared/captures"

func readCaptures(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(captures, "*.xml"))
	if err != nil || len(files) == 0 {
		t.Skip("no folder with recorded answers")
	}
	recorded := map[string][]byte{}
	for _, f := range files {
		if recorded[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return recorded
}

func TestCaptures(t *testing.T) {
	t.Parallel()
	recorded := readCaptures(t)
	for file, document := range recorded {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			status := http.StatusOK
			if strings.Contains(file, "fault") {
				status = http.StatusInternalServerError
			}
			body, err := answer{status: status, body: document}.open("")
			if f, ok := errors.AsType[*Fault](err); ok {
				if len(f.Codes) == 0 || f.Subcode.Space == "" || f.Subcode.Local == "" || f.Code.Space != nsSOAP || f.Reason == "" {
					t.Errorf("fault read incompletely: %#v", f)
				}
				return
			}
			if err != nil || status != http.StatusOK {
				t.Fatalf("open = %v", err)
			}
			if strings.Contains(file, "config") || strings.Contains(file, "request") {
				return
			}
			instances := []*xmlNode{body.first()}
			for _, response := range []string{"EnumerateResponse", "PullResponse"} {
				if e := body.child(response, nsEnumeration); e != nil {
					var p page
					if err := p.decode(body, response); err != nil {
						t.Fatal(err)
					}
					instances = p.items
				}
			}
			for _, e := range instances {
				if i := decodeInstance(e); i.Class == "" || len(i.Names()) == 0 {
					t.Errorf("instance read incompletely: %+v", i)
				}
			}
		})
	}
	job := decodeInstance(openBody(t, string(recorded["hyperv-storagejob-running-get-response.xml"])).first())
	if state, _, err := job.Uint("JobState", 16); err != nil || state != 4 || job.Class != cim.ClassStorageJob {
		t.Errorf("recorded job: class %s, state %d, %v", job.Class, state, err)
	}
	created := outputElement(openBody(t, string(recorded["hyperv-ims-createvirtualharddisk-job-response-adjusted.xml"])), "CreateVirtualHardDisk")
	if ref, ok := decodeInstance(created).Value("Job").Reference(); !ok || ref.ResourceURI != cim.ResourceURI(cim.NamespaceVirtualizationV2, cim.ClassStorageJob) || len(ref.Selectors) != 1 {
		t.Errorf("recorded job reference: %+v, %v", ref, ok)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(soapBody(`<n:PullResponse><n:Items><c:C xmlns:c="urn:c"><c:A>1</c:A><c:A xsi:nil="true"/></c:C></n:Items><n:EndOfSequence/></n:PullResponse>`)))
	f.Add([]byte(soapBody(`<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Detail><f:WSManFault xmlns:f="x" Code="5"/></s:Detail></s:Fault>`)))
	f.Add([]byte("\xff\xfe<\x00s\x00"))
	if files, _ := filepath.Glob(filepath.Join(captures, "*.xml")); len(files) > 0 {
		for _, file := range files {
			if document, err := os.ReadFile(file); err == nil {
				f.Add(document)
			}
		}
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
			body, err := answer{status: status, body: document}.open("uuid:1")
			if err != nil {
				if err.Error() == "" {
					t.Error("an error without text")
				}
				continue
			}
			for _, e := range body.children {
				for _, name := range decodeInstance(e).Names() {
					if name == "" {
						t.Error("a property without name")
					}
				}
			}
			var p page
			_ = p.decode(body, "PullResponse")
			for _, item := range p.items {
				decodeInstance(item)
			}
			outputElement(body, "M")
		}
	})
}

// Any parser must read back unchanged what the builder writes.
func FuzzBuilder(f *testing.F) {
	f.Add("&<'\"]]>日本\r\n\t")
	f.Add("\x00")
	f.Add("\xff")
	f.Add("\uFFFE")
	f.Fuzz(func(t *testing.T, value string) {
		c := &Client{session: &session{wire: &wire{url: "http://h/wsman"}}, locale: "en-US"}
		e, err := c.envelope(request{reference: cim.Reference{ResourceURI: "urn:" + value, Selectors: []cim.Selector{{Name: value, Value: value}}}, action: "a"})
		if err != nil {
			return
		}
		root, err := parse([]byte(e.message.String()))
		if err != nil {
			t.Fatal(err)
		}
		s := root.child("Header", nsSOAP).child("SelectorSet", nsWSMan).first()
		if s.text() != value || s.attribute("", "Name") != value {
			t.Errorf("wrote %q, read %q and %q", value, s.text(), s.attribute("", "Name"))
		}
	})
}
