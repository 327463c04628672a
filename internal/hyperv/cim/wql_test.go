package cim_test

import (
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

func TestSelectWQL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		where []cim.Selector
		want  string
	}{
		{nil, `SELECT * FROM CIM_DataFile`},
		{[]cim.Selector{{Name: "Drive", Value: "C:"}}, `SELECT * FROM CIM_DataFile WHERE Drive='C:'`},
		{
			[]cim.Selector{{Name: "Drive", Value: "C:"}, {Name: "Path", Value: `\it's "mine"\`}, {Name: "Extension", Value: "vhdx"}},
			`SELECT * FROM CIM_DataFile WHERE Drive='C:' AND Path='\\it\'s \"mine\"\\' AND Extension='vhdx'`,
		},
	} {
		if got := cim.SelectWQL(cim.ClassDataFile, c.where...); got != c.want {
			t.Errorf("SelectWQL(%v) = %s, want %s", c.where, got, c.want)
		}
	}
}

// unquote reads a literal as WQL does, and fails when it ends before its end.
func unquote(t *testing.T, literal string) string {
	t.Helper()
	if len(literal) < 2 || literal[0] != '\'' || literal[len(literal)-1] != '\'' {
		t.Fatalf("%s is not in quotes", literal)
	}
	var b strings.Builder
	for rest := literal[1 : len(literal)-1]; rest != ""; rest = rest[1:] {
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			rest = rest[1:]
		case rest[0] == '\\', rest[0] == '\'', rest[0] == '"':
			t.Fatalf("%s ends too early", literal)
		}
		b.WriteByte(rest[0])
	}
	return b.String()
}

func FuzzQuoteWQL(f *testing.F) {
	for _, s := range []string{`C:\VMs\it's.vhdx`, `a\`, `\'`, `' OR ''='`, ``, "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := unquote(t, cim.QuoteWQL(s)); got != s {
			t.Errorf("QuoteWQL(%q) reads as %q", s, got)
		}
	})
}
