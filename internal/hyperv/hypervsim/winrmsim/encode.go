package winrmsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// writer builds XML text. Everything variable goes through escape.
type writer struct{ strings.Builder }

// raw writes markup.
func (w *writer) raw(parts ...string) {
	for _, p := range parts {
		w.WriteString(p)
	}
}

// escape writes text. Control characters that XML cannot carry become question
// marks (MS-WSMV 3.1.4.1.25).
func (w *writer) escape(s string) {
	for _, r := range s {
		switch {
		case r == '&':
			w.WriteString("&amp;")
		case r == '<':
			w.WriteString("&lt;")
		case r == '>':
			w.WriteString("&gt;")
		case r == '"':
			w.WriteString("&quot;")
		case r == '\r':
			w.WriteString("&#xD;")
		case r < 0x20 && r != '\t' && r != '\n', r == 0xfffe, r == 0xffff:
			w.WriteByte('?')
		default:
			w.WriteRune(r)
		}
	}
}

// element writes an element with text.
func (w *writer) element(name, text string) {
	w.raw("<", name, ">")
	w.escape(text)
	w.raw("</", name, ">")
}

// message is an answer on its way out.
type message struct {
	action    string
	relatesTo string
	id        string
	locale    string
	transfer  bool   // declare x
	enumerate bool   // declare n
	microsoft bool   // declare p, which the body binds to a class
	activity  bool   // add p:ActivityId
	body      string // markup inside s:Body
}

// String is the message as a host writes it: one line, the namespaces on the
// envelope, xml:lang in the language of the texts.
func (m *message) String() string {
	w := &writer{}
	w.raw(`<s:Envelope xml:lang="`)
	w.escape(m.locale)
	w.raw(`" xmlns:s="`, nsSOAP, `" xmlns:a="`, nsAddressing)
	if m.transfer {
		w.raw(`" xmlns:x="`, nsTransfer)
	}
	if m.enumerate {
		w.raw(`" xmlns:n="`, nsEnumeration)
	}
	w.raw(`" xmlns:w="`, nsWSMan)
	if m.microsoft {
		w.raw(`" xmlns:p="`, nsMicrosoft)
	}
	w.raw(`"><s:Header>`)
	w.element("a:Action", m.action)
	w.element("a:MessageID", m.id)
	if m.activity {
		w.raw(`<p:ActivityId s:mustUnderstand="false">`)
		w.escape(strings.TrimPrefix(m.id, "uuid:"))
		w.raw(`</p:ActivityId>`)
	}
	w.element("a:To", uriAnonymous)
	if m.relatesTo != "" {
		w.element("a:RelatesTo", m.relatesTo)
	}
	w.raw(`</s:Header><s:Body>`, m.body, `</s:Body></s:Envelope>`)
	return w.String()
}

// instance is the markup of an object as Get and Enumerate return it.
func instance(t target, o *wmi.Object) string {
	w := &writer{}
	uri := t.classURI(o.Namespace, o.Class)
	w.raw(`<p:`, o.Class, ` xmlns:xsi="`, nsXSI, `" xmlns:p="`, uri, `" xmlns:cim="`, nsCIM, `" xsi:type="p:`, o.Class, `_Type">`)
	for _, p := range sorted(o.Properties) {
		w.property(t, "p:", p)
	}
	w.raw(`</p:`, o.Class, `>`)
	return w.String()
}

// output is the markup of what a method returns.
func output(t target, method string, o *wmi.Object) string {
	w := &writer{}
	w.raw(`<p:`, method, `_OUTPUT xmlns:xsi="`, nsXSI, `" xmlns:p="`, t.uri, `" xmlns:cim="`, nsCIM, `">`)
	for _, p := range sorted(o.Properties) {
		w.property(t, "p:", p)
	}
	w.raw(`</p:`, method, `_OUTPUT>`)
	return w.String()
}

// fragment is the markup of a projection (SELECT a,b): names and nested types
// have no namespace, and the order is alphabetical (MS-WSMV 3.1.4.1.27).
func fragment(t target, o *wmi.Object, names []string) string {
	w := &writer{}
	w.raw(`<w:XmlFragment xmlns:xsi="`, nsXSI, `">`)
	for _, p := range sorted(o.Properties) {
		if wmi.ContainsFold(names, p.Name) {
			w.property(t, "", p)
		}
	}
	w.raw(`</w:XmlFragment>`)
	return w.String()
}

// sorted orders properties as hosts do: by name, without regard to letter case.
func sorted(properties []wmi.Property) []wmi.Property {
	s := slices.Clone(properties)
	slices.SortStableFunc(s, func(a, b wmi.Property) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return s
}

// property writes one property: an element for each value, or a nil one.
func (w *writer) property(t target, prefix string, p wmi.Property) {
	name := prefix + p.Name
	switch {
	case p.Ref != nil:
		w.reference(t, name, p.Ref)
	case len(p.Values) == 0 && !p.Array:
		w.raw("<", name, ` xsi:nil="true"/>`)
	default:
		for _, v := range p.Values {
			w.value(prefix != "", name, p.Type, v)
		}
	}
}

// value writes one value; dates and intervals have an element of their own.
func (w *writer) value(qualified bool, name string, typ wmi.Type, v string) {
	nested := ""
	switch typ {
	case wmi.TypeDateTime:
		nested, v = "Datetime", wireTime(v)
	case wmi.TypeInterval:
		nested, v = "Interval", wireInterval(v)
	case wmi.TypeBoolean, wmi.TypeSint8, wmi.TypeUint8, wmi.TypeUint16, wmi.TypeUint32, wmi.TypeUint64, wmi.TypeString, wmi.TypeReference:
	}
	if nested == "" {
		w.element(name, v)
		return
	}
	if qualified {
		nested = "cim:" + nested
	}
	w.raw("<", name, ">")
	w.element(nested, v)
	w.raw("</", name, ">")
}

// reference writes an endpoint reference: no EndpointReference element around
// it, and its prefixes declared on the property itself.
func (w *writer) reference(t target, name string, ref *wmi.ObjectPath) {
	w.raw("<", name, ` xmlns:a="`, nsAddressing, `" xmlns:w="`, nsWSMan, `">`)
	w.endpoint(t, ref)
	w.raw("</", name, ">")
}

// endpoint writes the inside of an endpoint reference. The namespace is a
// selector when the request used a DMTF URI, and only then (MS-WSMV <46>).
func (w *writer) endpoint(t target, ref *wmi.ObjectPath) {
	w.element("a:Address", uriAnonymous)
	w.raw("<a:ReferenceParameters>")
	w.element("w:ResourceURI", t.classURI(ref.Namespace, ref.Class))
	w.raw("<w:SelectorSet>")
	if t.dmtf {
		w.selector(selectorNamespace, strings.ReplaceAll(ref.Namespace, `\`, "/"))
	}
	for _, k := range ref.Keys {
		w.selector(k.Name, k.Value)
	}
	w.raw("</w:SelectorSet></a:ReferenceParameters>")
}

func (w *writer) selector(name, value string) {
	w.raw(`<w:Selector Name="`)
	w.escape(name)
	w.raw(`">`)
	w.escape(value)
	w.raw(`</w:Selector>`)
}

// wireTime writes a date as hosts do: UTC, with the fraction it has, at most
// microseconds.
func wireTime(v string) string {
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return v
	}
	return t.UTC().Truncate(time.Microsecond).Format("2006-01-02T15:04:05.999999Z")
}

// wireInterval writes an interval as hosts do, for example P0DT0H5M0S.
func wireInterval(v string) string {
	d, err := time.ParseDuration(v)
	if err != nil {
		return v
	}
	days, d := d/(24*time.Hour), d%(24*time.Hour)
	hours, d := d/time.Hour, d%time.Hour
	minutes, d := d/time.Minute, d%time.Minute
	seconds := strconv.FormatFloat(d.Truncate(time.Microsecond).Seconds(), 'f', -1, 64)
	return fmt.Sprintf("P%dDT%dH%dM%sS", days, hours, minutes, seconds)
}
