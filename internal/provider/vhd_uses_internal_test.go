package provider

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

func TestUsesModel(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		uses   []hyperv.Use
		hidden error
		want   []useModel // nil is null
	}{
		"none":   {want: []useModel{}},
		"hidden": {hidden: errors.New("denied"), want: nil},
		"one host hidden": {
			uses: []hyperv.Use{{Machine: "web01", Node: "HV01", Kind: hyperv.UseSaved}}, hidden: errors.New("denied"),
			want: []useModel{{Machine: types.StringValue("web01"), Node: types.StringValue("HV01"), Kind: types.StringValue("saved")}},
		},
		"through a child": {
			uses: []hyperv.Use{{Machine: "web01", Node: "HV01", Kind: hyperv.UseOff, Child: `D:\a.avhdx`}},
			want: []useModel{{Machine: types.StringValue("web01"), Node: types.StringValue("HV01"), Kind: types.StringValue("off"), ChildPath: types.StringValue(`D:\a.avhdx`)}},
		},
		"unnamed": {uses: []hyperv.Use{{Kind: hyperv.UseUnnamed}}, want: []useModel{{Kind: types.StringValue("unnamed")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, usesModel(test.uses, test.hidden)); diff != "" {
				t.Errorf("uses (-want +got):\n%s", diff)
			}
		})
	}
}
