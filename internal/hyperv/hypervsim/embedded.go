package hypervsim

import (
	"strings"
	"time"
)

// embedded writes an embedded instance in CIM-XML (DSP0201), as the string
// parameters of the Hyper-V provider hold it: a property without VALUE is null.
func embedded(class string, properties []property) string {
	var b strings.Builder
	b.WriteString(`<INSTANCE CLASSNAME="` + escape(class) + `">`)
	for _, p := range properties {
		writeProperty(&b, p)
	}
	b.WriteString("</INSTANCE>")
	return b.String()
}

func writeProperty(b *strings.Builder, p property) {
	element, typ := "PROPERTY", p.typ
	if p.array {
		element = "PROPERTY.ARRAY"
	}
	if typ == typeInterval {
		typ = typeDateTime
	}
	b.WriteString("<" + element + ` NAME="` + escape(p.name) + `" TYPE="` + string(typ) + `">`)
	if p.array && p.values != nil {
		b.WriteString("<VALUE.ARRAY>")
	}
	for _, v := range p.values {
		b.WriteString("<VALUE>" + escape(nativeForm(p.typ, v)) + "</VALUE>")
	}
	if p.array && p.values != nil {
		b.WriteString("</VALUE.ARRAY>")
	}
	b.WriteString("</" + element + ">")
}

// nativeForm gives a value the form that CIM-XML wants where it differs from
// that of the wire: date-times and booleans.
func nativeForm(typ cimType, value string) string {
	switch typ {
	case typeDateTime:
		if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
			return t.UTC().Format("20060102150405.000000") + "+000"
		}
	case typeBoolean:
		return strings.ToUpper(value)
	case typeUint8, typeUint16, typeUint32, typeUint64, typeString, typeInterval, typeReference:
	}
	return value
}

// escape makes a text fit for an element or an attribute. Characters that XML
// 1.0 cannot hold are replaced as Windows does (MS-WSMV 3.1.4.1.25).
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return '?'
		}
		return r
	}, s)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(s)
}
