package winrmsim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

func queried() *wmi.Object {
	return &wmi.Object{Class: "CIM_DataFile", Properties: []wmi.Property{
		{Name: "Name", Type: wmi.TypeString, Values: []string{`d:\vms\o'neil.vhdx`}},
		{Name: "Extension", Type: wmi.TypeString, Values: []string{"vhdx"}},
		{Name: "FileSize", Type: wmi.TypeUint64, Values: []string{"1000"}},
		{Name: "Hidden", Type: wmi.TypeBoolean, Values: []string{"false"}},
		{Name: "Version", Type: wmi.TypeString},
		{Name: "Roles", Type: wmi.TypeString, Array: true, Values: []string{"a"}},
		{Name: "Parent", Type: wmi.TypeReference},
	}}
}

// TestQuery_keep compares as WMI does.
func TestQuery_keep(t *testing.T) {
	t.Parallel()
	tests := []struct {
		where string
		keeps bool
		ok    bool
	}{
		{`Name = 'D:\\VMS\\O\'Neil.vhdx'`, true, true},
		{`Name = "d:\\vms\\o'neil.vhdx"`, true, true},
		{`Name = 'd:\\vms\\other.vhdx'`, false, true},
		{`FileSize > 999 AND FileSize<=1000`, true, true},
		{`FileSize <> 1000`, false, true},
		{`FileSize = '1000'`, true, true},
		{`FileSize = 'many'`, false, false},
		{`Extension='avhdx' OR Extension = 'VHDX'`, true, true},
		{`Extension='vhd' OR Extension='avhd' AND Hidden=FALSE`, false, true},
		{`(Extension='vhd' OR Extension='vhdx') AND Hidden=FALSE`, true, true},
		{`NOT Extension='vhdx'`, false, true},
		{`Name LIKE '%neil.vhd_'`, true, true},
		{`Name LIKE 'neil%'`, false, true},
		{`Version IS NULL`, true, true},
		{`Name IS NOT NULL`, true, true},
		{`Version = 'x'`, false, true},
		{`Roles = 'a'`, false, false},
		{`Parent = 'a'`, false, false},
		{`Missing = 1`, false, false},
	}
	for _, test := range tests {
		q, ok := parseQuery("SELECT * FROM CIM_DataFile WHERE " + test.where)
		if !ok {
			t.Errorf("parseQuery(%s) failed", test.where)
			continue
		}
		kept, ok := q.keep([]*wmi.Object{queried()})
		if ok != test.ok || ok && (len(kept) == 1) != test.keeps {
			t.Errorf("%s: kept %d, %v, want %v, %v", test.where, len(kept), ok, test.keeps, test.ok)
		}
	}
}

// TestParseQuery takes a query apart and refuses texts that are no query.
func TestParseQuery(t *testing.T) {
	t.Parallel()
	q, ok := parseQuery("select Name, FileSize\nfrom CIM_DataFile where Drive='D:' and Path='\\\\vms\\\\' and (Extension='vhd' or Extension='vhdx')")
	if !ok {
		t.Fatal("parseQuery(…) failed")
	}
	if diff := cmp.Diff([]string{"Name", "FileSize"}, q.properties); diff != "" {
		t.Error(diff)
	}
	want := []wmi.KeyValue{wmi.Key("Drive", "D:"), wmi.Key("Path", `\vms\`)}
	if diff := cmp.Diff(want, q.where.equalities(), cmp.AllowUnexported(wmi.KeyValue{})); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{
		"", "select", "select from X", "select * X", "select * from", "select * from X where", "select * from X where A",
		"select * from X where A=", "select * from X where A='b", `select * from X where A='\d'`, "select * from X extra",
		"select a, from X", "select * from X where (A=1", "select * from X where A=1 and", "delete from X",
		"associators of {X.Y='z'}", "select * from 'X'", "select * from X where 1 ! 2",
	} {
		if _, ok := parseQuery(bad); ok {
			t.Errorf("parseQuery(%q) succeeded", bad)
		}
	}
}

// TestParseQuery_nesting bounds what is within one another, and not what is side by side.
func TestParseQuery_nesting(t *testing.T) {
	t.Parallel()
	const many = 100_000
	groups := func(n int) string { return strings.Repeat("(", n) + "Hidden=false" + strings.Repeat(")", n) }
	tests := []struct {
		name, where string
		ok          bool
	}{
		{"groups", groups(maxNesting), true},
		{"one group too many", groups(maxNesting + 1), false},
		{"very many groups", groups(many), false},
		{"groups without end", strings.Repeat("(", many), false},
		{"nots", strings.Repeat("not ", maxNesting) + "Hidden=false", true},
		{"one not too many", strings.Repeat("not ", maxNesting+1) + "Hidden=false", false},
		{"very many nots", strings.Repeat("not ", many) + "Hidden=false", false},
		{"groups and nots", strings.Repeat("not (", maxNesting/2) + "Hidden=false" + strings.Repeat(")", maxNesting/2), true},
		{"too many groups and nots", "not " + groups(maxNesting), false},
		{"one after another", strings.Repeat(groups(maxNesting)+" and ", 100) + groups(maxNesting), true},
		{"long", strings.Repeat("Hidden=false and ", many) + "Hidden=false or Hidden=true", true},
	}
	for _, test := range tests {
		q, ok := parseQuery("select * from CIM_DataFile where " + test.where)
		if ok != test.ok {
			t.Errorf("%s: parseQuery(…) = %v, want %v", test.name, ok, test.ok)
			continue
		}
		if !ok {
			continue
		}
		if kept, ok := q.keep([]*wmi.Object{queried()}); len(kept) != 1 || !ok {
			t.Errorf("%s: kept %d, %v, want the object", test.name, len(kept), ok)
		}
	}
}

// FuzzParseQuery: no query makes the parser or a comparison panic.
func FuzzParseQuery(f *testing.F) {
	f.Add("select Name from CIM_DataFile where Name like '%a' and not (FileSize >= 5 or Hidden = true)")
	f.Add(`select * from X where A="\"\\"`)
	f.Fuzz(func(_ *testing.T, text string) {
		q, ok := parseQuery(text)
		if !ok {
			return
		}
		_, _ = q.keep([]*wmi.Object{queried()})
		if q.where != nil {
			_ = q.where.equalities()
		}
	})
}
