package provider

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// privateState is private state in memory.
type privateState map[string][]byte

func (p privateState) GetKey(_ context.Context, key string) ([]byte, diag.Diagnostics) {
	return p[key], nil
}

func (p privateState) SetKey(_ context.Context, key string, value []byte) diag.Diagnostics {
	p[key] = value
	return nil
}

func TestMarks_roundTrip(t *testing.T) {
	t.Parallel()
	for _, want := range []marks{
		{},
		{Unreachable: true, Owed: "triggers changed", Imported: true, Attached: true, Asked: "hv01", Elsewhere: "hv09", HostSource: "provider"},
	} {
		private := privateState{}
		if diags := want.write(t.Context(), private); diags.HasError() {
			t.Fatal(diags)
		}
		got, diags := readMarks(t.Context(), private)
		if diags.HasError() {
			t.Fatal(diags)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("marks (-want +got):\n%s", diff)
		}
	}
}

func TestReadMarks(t *testing.T) {
	t.Parallel()
	if got, diags := readMarks(t.Context(), privateState{}); got != (marks{}) || diags.HasError() {
		t.Errorf("readMarks(nothing) = %v, %v; want nothing", got, diags)
	}
	if _, diags := readMarks(t.Context(), privateState{marksKey: []byte("{")}); !diags.HasError() {
		t.Error("readMarks(half an object) gives no error")
	}
}

func TestMarks_afterUpdate(t *testing.T) {
	t.Parallel()
	full := func(m *vhdCompactionModel) { m.Mode = types.StringValue("Full") }
	consent := func(m *vhdCompactionModel) {
		m.AllowParent, m.AllowReplicated = types.BoolValue(true), types.BoolValue(true)
	}
	for name, test := range map[string]struct {
		before marks
		status hyperv.Status // compacted by default
		change func(*vhdCompactionModel)
		want   marks
	}{
		"nothing changed":                  {},
		"imported":                         {before: marks{Imported: true}, change: full},
		"unreachable, nothing changed":     {before: marks{Unreachable: true}, want: marks{Unreachable: true}},
		"unreachable, mode changed":        {before: marks{Unreachable: true}, change: full, want: marks{Unreachable: true, Owed: "mode changed from the default to Full"}},
		"unreachable, imported":            {before: marks{Unreachable: true, Imported: true}, change: full, want: marks{Unreachable: true}},
		"unreachable, one more is owed":    {before: marks{Unreachable: true, Owed: "triggers changed"}, change: full, want: marks{Unreachable: true, Owed: "triggers changed; mode changed from the default to Full"}},
		"unreachable, consent":             {before: marks{Unreachable: true}, change: consent, want: marks{Unreachable: true}},
		"unreachable, consent after skip":  {before: marks{Unreachable: true}, status: hyperv.StatusSkippedDependents, change: consent, want: marks{Unreachable: true, Owed: "allow_parent was set; allow_replicated was set"}},
		"unreachable, still owed the same": {before: marks{Unreachable: true, Owed: "triggers changed"}, want: marks{Unreachable: true, Owed: "triggers changed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, prior := compacted(), compacted()
			if test.status != "" {
				prior.Status = types.StringValue(string(test.status))
			}
			if test.change != nil {
				test.change(&plan)
			}
			if diff := cmp.Diff(test.want, test.before.afterUpdate(&plan, &prior)); diff != "" {
				t.Errorf("marks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMarks_afterRun(t *testing.T) {
	t.Parallel()
	before := marks{Unreachable: true, Owed: "triggers changed", Imported: true, Attached: true, Asked: "hv01", Elsewhere: "hv09"}
	if diff := cmp.Diff(marks{Asked: "hv01"}, before.afterRun(nil)); diff != "" {
		t.Errorf("after a success (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(marks{Imported: true, Asked: "hv01"}, before.afterRun(errors.New("in use"))); diff != "" {
		t.Errorf("after a failure (-want +got):\n%s", diff)
	}
}

// Version 0 had the host in the state even where it was the provider's.
func TestFromVersion0(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		found, want marks
		host        types.String
	}{
		"the provider's": {found: marks{HostSource: "provider", Owed: "triggers changed"}, want: marks{Asked: "hv01", Owed: "triggers changed"}, host: types.StringNull()},
		"its own":        {found: marks{HostSource: "resource"}, want: marks{Asked: "hv01"}, host: types.StringValue("HV01")},
		"not noted":      {found: marks{Imported: true}, want: marks{Imported: true}, host: types.StringValue("HV01")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, found := compacted(), test.found
			m.Host = types.StringValue("HV01")
			m.fromVersion0(&found)
			if diff := cmp.Diff(test.want, found); diff != "" || !m.Host.Equal(test.host) {
				t.Errorf("host = %s, want %s; marks (-want +got):\n%s", m.Host, test.host, diff)
			}
		})
	}
}
