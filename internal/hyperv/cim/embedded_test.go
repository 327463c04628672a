package cim_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// settings has the shape of what GetVirtualHardDiskSettingData returns.
const settings = `<INSTANCE CLASSNAME="Msvm_VirtualHardDiskSettingData">` +
	`<QUALIFIER NAME="dynamic" TYPE="boolean"><VALUE>TRUE</VALUE></QUALIFIER>` +
	`<PROPERTY NAME="BlockSize" TYPE="uint32"><VALUE>33554432</VALUE></PROPERTY>` +
	`<PROPERTY NAME="Caption" CLASSORIGIN="CIM_ManagedElement" PROPAGATED="true" TYPE="string"><VALUE>Fest&amp;platte ä 日本</VALUE></PROPERTY>` +
	`<PROPERTY NAME="DataAlignment" PROPAGATED="true" TYPE="uint64"></PROPERTY>` +
	`<PROPERTY NAME="ParentIdentifier" TYPE="string"/>` +
	`<PROPERTY NAME="ParentPath" TYPE="string"><VALUE></VALUE></PROPERTY>` +
	`<PROPERTY NAME="ParentTimestamp" TYPE="datetime"><VALUE>20251217185522.702341+540</VALUE></PROPERTY>` +
	`<PROPERTY NAME="IsPmemCompatible" TYPE="boolean"><VALUE>FALSE</VALUE></PROPERTY>` +
	`<PROPERTY.ARRAY NAME="OperationalStatus" TYPE="uint16"><VALUE.ARRAY><VALUE>2</VALUE><VALUE>17</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>` +
	`<PROPERTY.ARRAY NAME="StatusDescriptions" TYPE="string"><VALUE.ARRAY></VALUE.ARRAY></PROPERTY.ARRAY>` +
	`<PROPERTY.ARRAY NAME="Names" TYPE="string"></PROPERTY.ARRAY>` +
	`</INSTANCE>`

// contents is what an instance holds, for comparing; nil stands for null.
func contents(i *cim.Instance) map[string][]string {
	all := map[string][]string{}
	for _, name := range i.Names() {
		if v := i.Value(name); !v.IsNull() {
			all[name] = append([]string{}, v.Elements()...)
			continue
		}
		all[name] = nil
	}
	return all
}

func TestDecodeEmbedded(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"BlockSize": {"33554432"}, "Caption": {"Fest&platte ä 日本"}, "DataAlignment": nil, "ParentIdentifier": nil, "ParentPath": {""},
		"ParentTimestamp": {"20251217185522.702341+540"}, "IsPmemCompatible": {"FALSE"},
		"OperationalStatus": {"2", "17"}, "StatusDescriptions": {}, "Names": nil,
	}
	for name, text := range map[string]string{
		"bare":        settings,
		"declaration": `<?xml version="1.0" encoding="utf-16"?>` + "\r\n" + settings + "\r\n",
		"byte order":  "\ufeff" + settings,
		"wrapped":     `<CIM CIMVERSION="2.0"><DECLARATION><DECLGROUP><VALUE.OBJECT>` + settings + `</VALUE.OBJECT></DECLGROUP></DECLARATION></CIM>`,
		"namespace":   `<INSTANCE xmlns="http://example.com/" ` + strings.TrimPrefix(settings, "<INSTANCE "),
		"comments":    strings.ReplaceAll(settings, "</PROPERTY>", "<!-- x --></PROPERTY>\n"),
		"unknown":     strings.ReplaceAll(settings, "<PROPERTY ", `<PROPERTY.OBJECT NAME="Caption"><VALUE>x</VALUE></PROPERTY.OBJECT><PROPERTY NEW="1" `),
		"null":        strings.ReplaceAll(settings, `TYPE="uint64">`, `TYPE="uint64"><VALUE.NULL/>`),
	} {
		i, err := cim.DecodeEmbedded(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if i.Class != cim.ClassVirtualHardDiskSettingData {
			t.Errorf("%s: class = %q", name, i.Class)
		}
		if diff := cmp.Diff(want, contents(i)); diff != "" {
			t.Errorf("%s: instance (-want +got):\n%s", name, diff)
		}
	}
}

func TestDecodeEmbeddedGetters(t *testing.T) {
	t.Parallel()
	i, err := cim.DecodeEmbedded(settings)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := i.Uint("blocksize", 32); got != 33554432 || !ok || err != nil {
		t.Errorf("Uint(blocksize) = %d, %v, %v", got, ok, err)
	}
	if got, ok, err := i.Bool("IsPmemCompatible"); got || !ok || err != nil {
		t.Errorf("Bool(IsPmemCompatible) = %v, %v, %v", got, ok, err)
	}
	if got, ok, err := i.Time("ParentTimestamp"); got.UnixMicro() != 1765965322702341 || !ok || err != nil {
		t.Errorf("Time(ParentTimestamp) = %v, %v, %v", got, ok, err)
	}
	if got, ok := i.String("ParentPath"); got != "" || !ok {
		t.Errorf("String(ParentPath) = %q, %v, want the empty string", got, ok)
	}
	if got, ok := i.String("ParentIdentifier"); ok {
		t.Errorf("String(ParentIdentifier) = %q, want null", got)
	}
}

func TestDecodeEmbeddedRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":         "",
		"text":          "no XML",
		"no instance":   "<CIM><DECLARATION/></CIM>",
		"cut":           settings[:len(settings)-20],
		"cut in value":  settings[:strings.Index(settings, "33554432")+3],
		"crossed":       `<INSTANCE CLASSNAME="A"><PROPERTY NAME="a"></INSTANCE></PROPERTY>`,
		"document type": `<!DOCTYPE x [<!ENTITY e "v">]>` + settings,
		"entity":        strings.Replace(settings, "33554432", "&e;", 1),
		"deep":          `<INSTANCE CLASSNAME="A">` + strings.Repeat("<X>", 100) + strings.Repeat("</X>", 100) + `</INSTANCE>`,
		"large":         `<INSTANCE CLASSNAME="A">` + strings.Repeat(" ", 1<<20) + `</INSTANCE>`,
	} {
		if i, err := cim.DecodeEmbedded(text); err == nil {
			t.Errorf("%s: %v, want an error", name, contents(i))
		} else if i != nil {
			t.Errorf("%s: an instance beside the error %v", name, err)
		}
	}
}

// encode writes the form that DecodeEmbedded reads, for round trips.
func encode(i *cim.Instance) string {
	var b strings.Builder
	text := func(s string) {
		_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	}
	b.WriteString(`<INSTANCE CLASSNAME="`)
	text(i.Class)
	b.WriteString(`">`)
	for _, name := range i.Names() {
		v := i.Value(name)
		_, scalar := v.Scalar()
		element, open, end := "PROPERTY.ARRAY", "<VALUE.ARRAY>", "</VALUE.ARRAY>"
		if scalar || v.IsNull() {
			element, open, end = "PROPERTY", "", ""
		}
		b.WriteString("<" + element + ` NAME="`)
		text(name)
		b.WriteString(`">` + open)
		for _, s := range v.Elements() {
			b.WriteString("<VALUE>")
			text(s)
			b.WriteString("</VALUE>")
		}
		b.WriteString(end + "</" + element + ">")
	}
	return b.String() + "</INSTANCE>"
}

func FuzzDecodeEmbedded(f *testing.F) {
	f.Add(settings)
	f.Add(`<?xml version="1.0"?><CIM><VALUE.OBJECT>` + settings + `</VALUE.OBJECT></CIM>`)
	f.Add(`<INSTANCE CLASSNAME="A"><PROPERTY NAME="a"><VALUE><![CDATA[<x>]]></VALUE></PROPERTY></INSTANCE>`)
	f.Add(`<INSTANCE/>`)
	f.Fuzz(checkRoundTrip)
}

// TestDecodeEmbeddedNearTheBound: escaped, these quotes are five times as long as they came.
func TestDecodeEmbeddedNearTheBound(t *testing.T) {
	t.Parallel()
	text := `<INSTANCE CLASSNAME="A"><PROPERTY NAME="a"><VALUE>` + strings.Repeat(`"`, cim.MaxEmbeddedBytes/4) + `</VALUE></PROPERTY></INSTANCE>`
	if _, err := cim.DecodeEmbedded(text); err != nil {
		t.Fatal(err)
	}
	checkRoundTrip(t, text)
}

// checkRoundTrip: what is read from text can be written and is then read the same, unless escaping
// makes it too large.
func checkRoundTrip(t *testing.T, text string) {
	t.Helper()
	first, err := cim.DecodeEmbedded(text)
	if err != nil {
		return
	}
	encoded := encode(first)
	if len(encoded) > cim.MaxEmbeddedBytes {
		return
	}
	again, err := cim.DecodeEmbedded(encoded)
	if err != nil {
		t.Fatalf("decode what was encoded from %q: %v", text, err)
	}
	if diff := cmp.Diff(contents(first), contents(again)); diff != "" || first.Class != again.Class {
		t.Errorf("%q does not survive (-first +again):\n%s", text, diff)
	}
}

func BenchmarkDecodeEmbedded(b *testing.B) {
	b.SetBytes(int64(len(settings)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cim.DecodeEmbedded(settings); err != nil {
			b.Fatal(err)
		}
	}
}
