package provider

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
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
		{HostSource: hostFromProvider, Unreachable: true, Imported: true, Owed: "triggers changed"},
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
	for name, test := range map[string]struct {
		before marks
		change func(*vhdCompactionModel)
		want   marks
	}{
		"reachable":                        {change: full},
		"imported":                         {before: marks{Imported: true}, change: full},
		"unreachable, nothing changed":     {before: marks{Unreachable: true}, want: marks{Unreachable: true}},
		"unreachable, mode changed":        {before: marks{Unreachable: true}, change: full, want: marks{Unreachable: true, Owed: "mode changed from the default to Full"}},
		"unreachable, imported":            {before: marks{Unreachable: true, Imported: true}, change: full, want: marks{Unreachable: true}},
		"unreachable, one more is owed":    {before: marks{Unreachable: true, Owed: "triggers changed"}, change: full, want: marks{Unreachable: true, Owed: "triggers changed; mode changed from the default to Full"}},
		"unreachable, still owed the same": {before: marks{Unreachable: true, Owed: "triggers changed"}, want: marks{Unreachable: true, Owed: "triggers changed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, prior := compacted(), compacted()
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
	before := marks{HostSource: hostFromProvider, Unreachable: true, Imported: true, Owed: "triggers changed"}
	if diff := cmp.Diff(marks{HostSource: hostFromProvider}, before.afterRun(nil)); diff != "" {
		t.Errorf("after a success (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(marks{HostSource: hostFromProvider, Imported: true}, before.afterRun(errors.New("in use"))); diff != "" {
		t.Errorf("after a failure (-want +got):\n%s", diff)
	}
}

func TestProviderData_abandons(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		host   types.String
		source hostSource
		want   bool
	}{
		"same":                    {host: types.StringValue("HV01"), source: hostFromProvider},
		"other":                   {host: types.StringValue("hv02"), source: hostFromProvider, want: true},
		"none any more":           {host: types.StringNull(), source: hostFromProvider, want: true},
		"not known yet":           {host: types.StringUnknown(), source: hostFromProvider},
		"own":                     {host: types.StringValue("hv02"), source: hostFromResource},
		"source lost, none":       {host: types.StringNull()},
		"source lost, same":       {host: types.StringValue("hv01")},
		"source lost, other host": {host: types.StringValue("hv02"), want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := compacted()
			if got := (&providerData{host: test.host}).abandons(&m, marks{HostSource: test.source}); got != test.want {
				t.Errorf("abandons = %t, want %t", got, test.want)
			}
		})
	}
}
