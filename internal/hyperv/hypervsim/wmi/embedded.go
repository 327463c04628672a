package wmi

import (
	"strings"
	"time"
)

// Embedded writes an embedded instance in CIM-XML (DSP0201), as the string
// parameters of the Hyper-V provider hold it: a property without VALUE is null.
func Embedded(class string, properties []Property) string {
	var b strings.Builder
	b.WriteString(`<INSTANCE CLASSNAME="` + escape(class) + `">`)
	for _, p := range properties {
		writeProperty(&b, p)
	}
	b.WriteString("</INSTANCE>")
	return b.String()
}

func writeProperty(b *strings.Builder, p Property) {
	element, typ := "PROPERTY", p.Type
	if p.Array {
		element = "PROPERTY.ARRAY"
	}
	if typ == TypeInterval {
		typ = TypeDateTime
	}
	b.WriteString("<" + element + ` NAME="` + escape(p.Name) + `" TYPE="` + string(typ) + `">`)
	if p.Array && p.Values != nil {
		b.WriteString("<VALUE.ARRAY>")
	}
	for _, v := range p.Values {
		b.WriteString("<VALUE>" + escape(nativeForm(p.Type, v)) + "</VALUE>")
	}
	if p.Array && p.Values != nil {
		b.WriteString("</VALUE.ARRAY>")
	}
	b.WriteString("</" + element + ">")
}

// nativeForm gives a value the form that CIM-XML wants where it differs from
// that of the wire: date-times and booleans.
func nativeForm(typ Type, value string) string {
	switch typ {
	case TypeDateTime:
		if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
			return t.UTC().Format("20060102150405.000000") + "+000"
		}
	case TypeBoolean:
		return strings.ToUpper(value)
	case TypeSint8, TypeUint8, TypeUint16, TypeUint32, TypeUint64, TypeString, TypeInterval, TypeReference:
	}
	return value
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

// escape makes a text safe to write into an element or an attribute. Characters
// that XML 1.0 cannot hold are replaced as Windows does (MS-WSMV 3.1.4.1.25).
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '?'
		}
		return r
	}, s)
	return escaper.Replace(s)
}
