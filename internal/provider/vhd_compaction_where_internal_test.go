package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// A host that says nothing, or says it in other letters, names no other disk and no other node.
func TestDiffers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		known types.String
		told  string
		want  bool
	}{
		"another":           {known: types.StringValue("HV-A"), told: "HV-B", want: true},
		"the same":          {known: types.StringValue("HV-A"), told: "HV-A"},
		"in other letters":  {known: types.StringValue("HV-A"), told: "hv-a"},
		"nothing is told":   {known: types.StringValue("HV-A")},
		"nothing was known": {known: types.StringNull(), told: "HV-B"},
		"neither":           {known: types.StringNull()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := differs(test.known, test.told); got != test.want {
				t.Errorf("differs(%s, %q) = %t, want %t", test.known, test.told, got, test.want)
			}
		})
	}
}

// The node of the last run says most of where a disk was seen; a disk that was imported and never
// asked for has only the host that was written.
func TestLastSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		node, own types.String
		asked     string
		want      string
	}{
		"a node":                    {node: types.StringValue("HV-A"), own: types.StringValue("HV01"), asked: "hv01", want: "HV-A"},
		"a host that tells no name": {asked: "hv01", want: "hv01"},
		"never asked, its own host": {own: types.StringValue("HV01"), want: "HV01"},
		"never asked":               {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := compacted()
			m.Node, m.Host = test.node, test.own
			if got, want := m.lastSeen(marks{Asked: test.asked}), (subject{path: `D:\a.vhdx`, host: test.want}); got != want {
				t.Errorf("last seen = %+v, want %+v", got, want)
			}
		})
	}
}
