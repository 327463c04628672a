package wmi

import (
	"encoding/xml"
	"strings"
	"testing"
)

// FuzzEmbedded: whatever a property holds, the result is well-formed XML that
// gives it back.
func FuzzEmbedded(f *testing.F) {
	for _, seed := range []string{"", `D:\VMs\sql01.vhdx`, `a & b <c> "d" 'e' ]]>`, "データ", "tab\tline\n", "\x00\x1f", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		out := Embedded("Msvm_Test", []Property{Text("Path", value), Texts("All", value, "x"), Null("Nothing", TypeString)})
		var parsed struct {
			Class    string `xml:"CLASSNAME,attr"`
			Property []struct {
				Name  string   `xml:"NAME,attr"`
				Value []string `xml:"VALUE"`
			} `xml:"PROPERTY"`
			Array struct {
				Value []string `xml:"VALUE.ARRAY>VALUE"`
			} `xml:"PROPERTY.ARRAY"`
		}
		if err := xml.Unmarshal([]byte(out), &parsed); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if parsed.Class != "Msvm_Test" || len(parsed.Property) != 2 || len(parsed.Property[1].Value) != 0 {
			t.Fatalf("%q: %+v", out, parsed)
		}
		if strings.ContainsAny(value, "\x00\r") || value != strings.ToValidUTF8(value, "") || escape(value) != strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(value) {
			return // replaced, as Windows does
		}
		if parsed.Property[0].Value[0] != value || parsed.Array.Value[0] != value || parsed.Array.Value[1] != "x" {
			t.Errorf("%q became %+v", value, parsed)
		}
	})
}
