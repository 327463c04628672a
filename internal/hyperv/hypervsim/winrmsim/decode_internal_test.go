package winrmsim

import (
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

const (
	serviceURI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_ImageManagementService"

	// getText is a request that every host accepts.
	getText = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"><s:Header>` +
		`<a:To>http://host:5985/wsman</a:To>` +
		`<w:ResourceURI s:mustUnderstand="true">` + serviceURI + `</w:ResourceURI>` +
		`<a:ReplyTo><a:Address s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>` +
		`<a:Action s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action>` +
		`<w:MaxEnvelopeSize s:mustUnderstand="true">153600</w:MaxEnvelopeSize>` +
		`<a:MessageID>uuid:1</a:MessageID>` +
		`<w:Locale xml:lang="en-US" s:mustUnderstand="false"/><p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>` +
		`<w:SelectorSet><w:Selector Name="CreationClassName">Msvm_ImageManagementService</w:Selector></w:SelectorSet>` +
		`<w:OperationTimeout>PT60.000S</w:OperationTimeout>` +
		`</s:Header><s:Body/></s:Envelope>`

	compactBody = `<s:Body><m:CompactVirtualHardDisk_INPUT xmlns:m="` + serviceURI + `"><m:Path>D:\a.vhdx</m:Path><m:Mode>1</m:Mode></m:CompactVirtualHardDisk_INPUT></s:Body>`
)

// compactText is a method call that every host accepts.
func compactText() string {
	return strings.NewReplacer("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", serviceURI+"/CompactVirtualHardDisk",
		"<s:Body/>", compactBody).Replace(getText)
}

// enumerateText is an Enumerate with the given content.
func enumerateText(uri, content string) string {
	return strings.NewReplacer("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", actionEnumerate,
		serviceURI, uri,
		"<w:SelectorSet><w:Selector Name=\"CreationClassName\">Msvm_ImageManagementService</w:Selector></w:SelectorSet>", "",
		"<s:Body/>", `<s:Body><n:Enumerate xmlns:n="`+nsEnumeration+`">`+content+`</n:Enumerate></s:Body>`).Replace(getText)
}

func testDecoder() decoder { return decoder{serverLimit: 500 << 10, maxTimeout: time.Minute} }

// TestDecoder_refuses changes one thing in a good request and expects the fault
// for it.
func TestDecoder_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, old, new string
		code           uint32
		subcode        string
		detail         string
	}{
		{"not well-formed", "</s:Envelope>", "", codeInvalidXML, "w:SchemaValidationError", ""},
		{"undeclared prefix", "<s:Body/>", "<s:Body><q:X/></s:Body>", codeInvalidXML, "w:SchemaValidationError", ""},
		{"document type", "<s:Envelope", "<!DOCTYPE x><s:Envelope", codeInvalidXML, "w:SchemaValidationError", ""},
		{"processing instruction", "<s:Body/>", "<?x y?><s:Body/>", codeInvalidXML, "w:SchemaValidationError", ""},
		{"two roots", "</s:Envelope>", "</s:Envelope><x/>", codeInvalidXML, "w:SchemaValidationError", ""},
		{"not UTF-8", "uuid:1", "uuid:\xff", codeUnsupportedEncoding, "w:EncodingLimit", "CharacterSet"},
		{"SOAP 1.1", "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/", codeVersionMismatch, "s:VersionMismatch", ""},
		{"other root", "s:Envelope", "s:Letter", codeSchemaValidation, "w:SchemaValidationError", ""},
		{"no body", "<s:Body/>", "", codeInvalidBody, "w:SchemaValidationError", ""},
		{"text in the body", "<s:Body/>", "<s:Body>x</s:Body>", codeInvalidBody, "w:SchemaValidationError", ""},
		{"two elements in the body", "<s:Body/>", "<s:Body><w:A/><w:B/></s:Body>", codeInvalidBody, "w:SchemaValidationError", ""},
		{"no To", "<a:To>http://host:5985/wsman</a:To>", "", codeHeaderRequired, "a:MessageInformationHeaderRequired", ""},
		{"no MessageID", "<a:MessageID>uuid:1</a:MessageID>", "", codeHeaderRequired, "a:MessageInformationHeaderRequired", ""},
		{"empty MessageID", "uuid:1", " ", codeInvalidHeader, "a:InvalidMessageInformationHeader", ""},
		{"long MessageID", "uuid:1", strings.Repeat("x", 2049), codeInvalidHeader, "a:InvalidMessageInformationHeader", ""},
		{"two MessageIDs", "<a:MessageID>", "<a:MessageID>uuid:0</a:MessageID><a:MessageID>", codeInvalidHeader, "a:InvalidMessageInformationHeader", ""},
		{"no ReplyTo", `<a:ReplyTo><a:Address s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>`, "", codeHeaderRequired, "a:MessageInformationHeaderRequired", ""},
		{"other ReplyTo", "role/anonymous", "role/none", codeAddressingMode, "w:UnsupportedFeature", "AddressingMode"},
		{"no Action", `<a:Action s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/09/transfer/Get</a:Action>`, "", codeHeaderRequired, "a:MessageInformationHeaderRequired", ""},
		{"unknown Action", "transfer/Get", "transfer/Fetch", codeActionNotSupported, "a:ActionNotSupported", ""},
		{"Put", "transfer/Get", "transfer/Put", codeActionNotSupported, "a:ActionNotSupported", ""},
		{"Locale to be understood", `xml:lang="en-US" s:mustUnderstand="false"/><p:`, `xml:lang="en-US" s:mustUnderstand="true"/><p:`, codeLocaleMustUnderstand, "w:UnsupportedFeature", "Locale"},
		{"no ResourceURI", `<w:ResourceURI s:mustUnderstand="true">` + serviceURI + `</w:ResourceURI>`, "", codeInvalidResourceURI, "a:DestinationUnreachable", "InvalidResourceURI"},
		{"ResourceURI of a shell", serviceURI, "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd", codeInvalidResourceURI, "a:DestinationUnreachable", "InvalidResourceURI"},
		{"keys in the ResourceURI", serviceURI + "<", serviceURI + "?Name=x<", codeInvalidResourceURI, "a:DestinationUnreachable", "InvalidResourceURI"},
		{"duplicate selector", "<w:Selector ", `<w:Selector Name="CREATIONCLASSNAME">x</w:Selector><w:Selector `, codeDuplicateSelectors, "w:InvalidSelectors", "DuplicateSelectors"},
		{"selector without a name", ` Name="CreationClassName"`, "", codeInvalidSelectors, "w:InvalidSelectors", ""},
		{"other namespace in a selector", "<w:Selector ", `<w:Selector Name="__cimnamespace">root/cimv2</w:Selector><w:Selector `, codeInternal, "w:InternalError", ""},
		{"small MaxEnvelopeSize", "153600", "8191", codeMinEnvelopeSize, "w:EncodingLimit", "MinimumEnvelopeLimit"},
		{"MaxEnvelopeSize not a number", "153600", "large", codeSchemaValidation, "w:SchemaValidationError", ""},
		{"short OperationTimeout", "PT60.000S", "PT0.499S", codeUnsupportedTimeout, "w:UnsupportedFeature", "OperationTimeout"},
		{"malformed OperationTimeout", "PT60.000S", "60", codeSchemaValidation, "w:SchemaValidationError", ""},
		{"Get with a body", "<s:Body/>", "<s:Body><w:A/></s:Body>", codeSchemaValidation, "w:SchemaValidationError", ""},
		{"FragmentTransfer", "<w:MaxEnvelopeSize", `<w:FragmentTransfer s:mustUnderstand="true">JobState</w:FragmentTransfer><w:MaxEnvelopeSize`, codeUnsupportedFeature, "w:UnsupportedFeature", "FragmentLevelAccess"},
		{"Enumerate without a body", "transfer/Get", "enumeration/Enumerate", codeSchemaValidation, "w:SchemaValidationError", ""},
		{"Pull without a body", "transfer/Get", "enumeration/Pull", codeSchemaValidation, "w:SchemaValidationError", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(getText, test.old) {
				t.Fatalf("the request has no %q", test.old)
			}
			_, fail := testDecoder().decode([]byte(strings.ReplaceAll(getText, test.old, test.new)), "UTF-8")
			wantFailure(t, fail, test.code, test.subcode, test.detail)
		})
	}
}

func wantFailure(t *testing.T, got *wmi.Failure, code uint32, subcode, detail string) {
	t.Helper()
	switch {
	case got == nil && code == 0:
	case got == nil:
		t.Errorf("accepted, want fault %d", code)
	case got.Code != code || got.Subcode != subcode || got.Detail != detail:
		t.Errorf("fault = %d %s %q, want %d %s %q", got.Code, got.Subcode, got.Detail, code, subcode, detail)
	}
}

// TestDecoder_mustUnderstand: unknown headers matter only when they say so.
func TestDecoder_mustUnderstand(t *testing.T) {
	t.Parallel()
	for value, code := range map[string]uint32{"false": 0, "0": 0, "true": codeMustUnderstand, "1": codeMustUnderstand} {
		header := `<x:Extra xmlns:x="urn:x" s:mustUnderstand="` + value + `"/></s:Header>`
		_, fail := testDecoder().decode([]byte(strings.Replace(getText, "</s:Header>", header, 1)), "")
		subcode := ""
		if code != 0 {
			subcode = "s:MustUnderstand"
		}
		wantFailure(t, fail, code, subcode, "")
	}
}

// TestDecoder_accepts makes changes to a request that a host does not mind.
func TestDecoder_accepts(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, new string }{
		{"as it is", "w:", "w:"},
		{"other prefixes", "w:", "wsman:"},
		{"empty option set", "<w:MaxEnvelopeSize", `<w:OptionSet s:mustUnderstand="true"/><w:MaxEnvelopeSize`},
		{"no limits", `<w:MaxEnvelopeSize s:mustUnderstand="true">153600</w:MaxEnvelopeSize>`, ""},
		{"white space around values", "transfer/Get", "transfer/Get\n"},
		{"namespace in a selector", "<w:Selector ", `<w:Selector Name="__cimnamespace">ROOT/virtualization/v2</w:Selector><w:Selector `},
		{"declaration", "<s:Envelope", `<?xml version="1.0" encoding="UTF-8"?><s:Envelope`},
		{"comment", "<s:Body/>", "<!-- x --><s:Body/>"},
		{"default namespace", "<a:To>http://host:5985/wsman</a:To>", `<To xmlns="http://schemas.xmlsoap.org/ws/2004/08/addressing">http://host/wsman</To>`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := strings.ReplaceAll(getText, test.old, test.new)
			if test.new == "wsman:" {
				text = strings.ReplaceAll(text, "xmlns:w=", "xmlns:wsman=")
			}
			e, fail := testDecoder().decode([]byte(text), "")
			if fail != nil {
				t.Fatalf("refused: %+v", fail)
			}
			if e.operation != OperationGet || e.messageID != "uuid:1" || e.timeout != time.Minute ||
				e.target.namespace != `root\virtualization\v2` || e.target.class != "Msvm_ImageManagementService" ||
				len(e.selectors) != 1 || e.selectors[0] != wmi.Key("CreationClassName", "Msvm_ImageManagementService") {
				t.Errorf("decode(…) = %+v", e)
			}
		})
	}
}

// TestDecoder_utf16 reads both byte orders.
func TestDecoder_utf16(t *testing.T) {
	t.Parallel()
	little := fromUTF8(strings.Replace(getText, "<s:Envelope", `<?xml version="1.0" encoding="utf-16"?><s:Envelope`, 1))
	big := make([]byte, len(little))
	for i := 0; i < len(little); i += 2 {
		big[i], big[i+1] = little[i+1], little[i]
	}
	for name, body := range map[string][]byte{"little endian": little, "big endian": big, "no mark": little[2:]} {
		e, fail := testDecoder().decode(body, "UTF-16")
		if fail != nil || !e.wide || e.operation != OperationGet {
			t.Errorf("%s: decode(…) = %+v, %+v", name, e, fail)
		}
	}
	if _, fail := testDecoder().decode(little[:len(little)-1], "UTF-16"); fail == nil {
		t.Error("half a character was accepted")
	}
}

// TestDecoder_dmtf reads the address form of other WS-Management clients.
func TestDecoder_dmtf(t *testing.T) {
	t.Parallel()
	uri := uriDMTF + "Msvm_ImageManagementService"
	text := strings.ReplaceAll(compactText(), serviceURI, uri)
	text = strings.Replace(text, "<w:Selector ", `<w:Selector Name="__cimnamespace">root/virtualization/v2</w:Selector><w:Selector `, 1)
	e, fail := testDecoder().decode([]byte(text), "")
	if fail != nil {
		t.Fatalf("refused: %+v", fail)
	}
	if e.target.namespace != `root\virtualization\v2` || !e.target.dmtf || e.method != "CompactVirtualHardDisk" || len(e.selectors) != 1 {
		t.Errorf("decode(…) = %+v", e)
	}
}

// TestEnvelope_input reads and refuses the input of methods.
func TestEnvelope_input(t *testing.T) {
	t.Parallel()
	reference := `<a:Address>` + uriAnonymous + `</a:Address><a:ReferenceParameters><w:ResourceURI>` + serviceURI +
		`</w:ResourceURI><w:SelectorSet><w:Selector Name="Name">x</w:Selector></w:SelectorSet></a:ReferenceParameters>`
	tests := []struct {
		name, input string
		code        uint32
		want        string // name=value of each parameter
	}{
		{"two texts", "<m:Path>D:\\a &amp; b</m:Path><m:Mode>1</m:Mode>", 0, "Path=D:\\a & b;Mode=1;"},
		{"nil", `<m:Mode xsi:nil="true"/>`, 0, "Mode=;"},
		{"array", "<m:Names>a</m:Names><m:Names>b</m:Names>", 0, "Names=a,b;"},
		{"interval", "<m:TimeoutPeriod><cim:Interval>PT0S</cim:Interval></m:TimeoutPeriod>", 0, "TimeoutPeriod=PT0S;"},
		{"reference", "<m:Element>" + reference + "</m:Element>", 0, "Element=@Msvm_ImageManagementService;"},
		{"CDATA", "<m:Path><![CDATA[<&>]]></m:Path>", 0, "Path=<&>;"},
		{"wrong namespace", `<w:Path>x</w:Path>`, codeSchemaValidation, ""},
		{"array torn apart", "<m:A>1</m:A><m:B>2</m:B><m:A>3</m:A>", codeSchemaValidation, ""},
		{"text between", "<m:A>1</m:A>x", codeSchemaValidation, ""},
		{"reference in a wrapper", "<m:E><a:EndpointReference>" + reference + "</a:EndpointReference></m:E>", codeSchemaValidation, ""},
		{"instance as elements", "<m:S><m:Name>x</m:Name></m:S>", codeSchemaValidation, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			body := `<s:Body><m:CompactVirtualHardDisk_INPUT xmlns:m="` + serviceURI + `" xmlns:xsi="` + nsXSI + `" xmlns:cim="` + nsCIM + `">` +
				test.input + `</m:CompactVirtualHardDisk_INPUT></s:Body>`
			e, fail := testDecoder().decode([]byte(strings.Replace(compactText(), compactBody, body, 1)), "")
			if fail != nil {
				t.Fatalf("refused: %+v", fail)
			}
			in, fail := e.input()
			subcode := ""
			if test.code != 0 {
				subcode = "w:SchemaValidationError"
			}
			wantFailure(t, fail, test.code, subcode, "")
			if got := describe(in); got != test.want {
				t.Errorf("input() = %q, want %q", got, test.want)
			}
		})
	}
}

func describe(in []wmi.Property) string {
	var b strings.Builder
	for _, p := range in {
		b.WriteString(p.Name + "=" + strings.Join(p.Values, ","))
		if p.Ref != nil {
			b.WriteString("@" + p.Ref.Class)
		}
		b.WriteString(";")
	}
	return b.String()
}

// TestDecoder_invokeBody: the input element is that of the action, in the
// namespace of the class.
func TestDecoder_invokeBody(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, new string }{
		{"other namespace", `xmlns:m="` + serviceURI, `xmlns:m="` + strings.Replace(serviceURI, "v2", "v3", 1)},
		{"other method", "CompactVirtualHardDisk_INPUT", "MountVirtualHardDisk_INPUT"},
		{"misspelt", "_INPUT", "_Input"},
		{"none", compactBody, "<s:Body/>"},
	}
	for _, test := range tests {
		_, fail := testDecoder().decode([]byte(strings.ReplaceAll(compactText(), test.old, test.new)), "")
		if fail == nil || fail.Code != codeSchemaValidation {
			t.Errorf("%s: fault = %+v, want %d", test.name, fail, codeSchemaValidation)
		}
	}
	other := strings.Replace(compactText(), `>`+serviceURI+`/Compact`, `>`+serviceURI+`X/Compact`, 1)
	if _, fail := testDecoder().decode([]byte(other), ""); fail == nil || fail.Code != codeActionNotSupported {
		t.Errorf("action of another class: fault = %+v, want %d", fail, codeActionNotSupported)
	}
}

// TestParseDuration reads what clients send as a time-out.
func TestParseDuration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"PT60S", time.Minute, true},
		{"PT60.000S", time.Minute, true},
		{"PT1M30S", 90 * time.Second, true},
		{"P1DT2H", 26 * time.Hour, true},
		{"P0DT0H0M1.5S", 1500 * time.Millisecond, true},
		{"60", 0, false},
		{"P", 0, false},
		{"PT", 0, false},
		{"PTS", 0, false},
		{"PT1S1M", 0, false},
		{"PT-1S", 0, false},
		{"PT1e3S", 0, false},
		{"PT99999999999999999999S", 0, false},
	}
	for _, test := range tests {
		if got, ok := parseDuration(test.text); got != test.want && ok || ok != test.ok {
			t.Errorf("parseDuration(%q) = %v, %v, want %v, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

// FuzzDecoder: whatever arrives, the decoder neither panics nor accepts a
// message whose operation it cannot name.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte(getText))
	f.Add([]byte(compactText()))
	f.Add([]byte(enumerateText(serviceURI, "<w:OptimizeEnumeration/>")))
	f.Add(fromUTF8(getText))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, fail := testDecoder().decode(body, "")
		if fail != nil {
			return
		}
		if e.operation == "" {
			t.Error("accepted without an operation")
		}
		if e.operation == OperationInvoke {
			_, _ = e.input()
		}
	})
}
