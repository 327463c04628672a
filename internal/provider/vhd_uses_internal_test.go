package provider

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// The order is that of names, whatever the host's, and a machine that refers to a
// disk twice is named once: a refresh changes nothing by itself.
func TestUsesModel(t *testing.T) {
	t.Parallel()
	one := func(machine, kind string) useModel {
		return useModel{Machine: optionalString(machine), Kind: types.StringValue(kind)}
	}
	for name, test := range map[string]struct {
		uses   []hyperv.Use
		hidden error
		want   []useModel // nil is null
	}{
		"none":   {want: []useModel{}},
		"hidden": {hidden: errors.New("denied"), want: nil},
		"order": {
			uses: []hyperv.Use{{Machine: "web02", Kind: hyperv.UseRunning}, {Machine: "web01", Kind: hyperv.UseSaved}, {Machine: "web01", Kind: hyperv.UseCheckpoint}},
			want: []useModel{one("web01", "checkpoint"), one("web01", "saved"), one("web02", "running")},
		},
		"twice": {
			uses: []hyperv.Use{{Machine: "web01", Kind: hyperv.UseCheckpoint}, {Machine: "web02", Kind: hyperv.UseOff}, {Machine: "web01", Kind: hyperv.UseCheckpoint}},
			want: []useModel{one("web01", "checkpoint"), one("web02", "off")},
		},
		"unnamed": {uses: []hyperv.Use{{Kind: hyperv.UseUnnamed}}, want: []useModel{{Machine: types.StringNull(), Kind: types.StringValue("unnamed")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, usesModel(test.uses, test.hidden)); diff != "" {
				t.Errorf("uses (-want +got):\n%s", diff)
			}
		})
	}
}
