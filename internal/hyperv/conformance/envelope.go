package conformance

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const (
	actionEnumerate = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
	actionPull      = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull"
	actionRelease   = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Release"
	nsWSMan         = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
)

// letter is a message that the client would never write: the mistakes are made
// here, in the clear.
type letter struct {
	to, resource, action string
	body                 string // markup
	maxEnvelopeSize      string
	timeout              string
	locale               string
	localeMustUnderstand bool
	selectors            [][2]string
}

// letter begins a letter to the host.
func (k *kit) letter(resource, action, body string) letter {
	ep := k.wire.Endpoint
	scheme := "http"
	if ep.HTTPS {
		scheme = "https"
	}
	to := url.URL{Scheme: scheme, Host: net.JoinHostPort(ep.Host, strconv.Itoa(ep.Port)), Path: "/wsman"}
	return letter{to: to.String(), resource: resource, action: action, body: body}
}

// String is the envelope.
func (l letter) String() string {
	var b strings.Builder
	b.WriteString(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"` +
		` xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:w="` + nsWSMan + `"><s:Header>` +
		`<a:To>` + escape(l.to) + `</a:To><w:ResourceURI s:mustUnderstand="true">` + escape(l.resource) + `</w:ResourceURI>` +
		`<a:ReplyTo><a:Address s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>` +
		`<a:Action s:mustUnderstand="true">` + escape(l.action) + `</a:Action>`)
	fmt.Fprintf(&b, `<w:MaxEnvelopeSize s:mustUnderstand="true">%s</w:MaxEnvelopeSize><a:MessageID>uuid:%s</a:MessageID>`, orElse(l.maxEnvelopeSize, "153600"), newGUID())
	fmt.Fprintf(&b, `<w:Locale xml:lang="%s" s:mustUnderstand="%t"/>`, orElse(l.locale, "en-US"), l.localeMustUnderstand)
	if len(l.selectors) > 0 {
		b.WriteString(`<w:SelectorSet>`)
		for _, s := range l.selectors {
			b.WriteString(`<w:Selector Name="` + s[0] + `">` + escape(s[1]) + `</w:Selector>`)
		}
		b.WriteString(`</w:SelectorSet>`)
	}
	b.WriteString(`<w:OperationTimeout>` + orElse(l.timeout, "PT60S") + `</w:OperationTimeout></s:Header>`)
	if l.body == "" {
		b.WriteString(`<s:Body/>`)
	} else {
		b.WriteString(`<s:Body>` + l.body + `</s:Body>`)
	}
	b.WriteString(`</s:Envelope>`)
	return b.String()
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder never fails
	return b.String()
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func newGUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// errNoMessage: an answer that is not a SOAP envelope.
var errNoMessage = &wsman.DecodeError{Err: errors.New("not an envelope")}

// send sends an envelope as it is. A fault in the answer is an error.
func (k *kit) send(ctx context.Context, text string) (*element, error) {
	status, body, err := k.client.Send(ctx, []byte(text))
	if err != nil {
		return nil, err
	}
	root := parse(string(body))
	content := root.find("Body")
	switch {
	case content == nil && status != http.StatusOK:
		return nil, &wsman.HTTPError{Status: status}
	case content == nil:
		return nil, errNoMessage
	}
	if fault := content.find("Fault"); fault != nil {
		return nil, readFault(status, fault)
	}
	if status != http.StatusOK {
		return nil, &wsman.HTTPError{Status: status}
	}
	return root, nil
}

// readFault reads the numbers and names of a fault.
func readFault(status int, e *element) *wsman.Fault {
	f := &wsman.Fault{Status: status}
	local := func(v *element) wsman.QName {
		name := v.value()
		return wsman.QName{Local: name[strings.IndexByte(name, ':')+1:]}
	}
	code := e.find("Code")
	f.Code = local(code.find("Value"))
	f.Subcode = local(code.find("Subcode").find("Value"))
	f.Detail = e.find("FaultDetail").value()
	e.find("Detail").codes(f)
	return f
}

func (e *element) codes(f *wsman.Fault) {
	if e == nil {
		return
	}
	text := ""
	switch e.XMLName.Local {
	case "WSManFault":
		for _, a := range e.Attrs {
			if a.Name.Local == "Code" {
				text = a.Value
			}
		}
	case "error_Code", "StatusCode":
		text = e.value()
	}
	var n int64
	if _, err := fmt.Sscanf(text, "%d", &n); err == nil && n != 0 && !f.Has(uint32(n)) { //nolint:gosec // the low 32 bits are the code
		f.Codes = append(f.Codes, uint32(n)) //nolint:gosec // as above
	}
	for i := range e.Children {
		e.Children[i].codes(f)
	}
}
