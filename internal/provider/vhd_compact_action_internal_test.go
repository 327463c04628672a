package provider

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

func TestVHDCompactModel_toOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		model vhdCompactModel
		want  hyperv.Order
	}{
		"defaults": {
			vhdCompactModel{Path: pathtype.NewValue(`D:\a.vhdx`)},
			hyperv.Order{Path: `D:\a.vhdx`, MaxPasses: 1, Timeout: time.Hour},
		},
		"everything": {
			vhdCompactModel{
				Path: pathtype.NewValue(`D:\a.vhdx`), Mode: types.StringValue("Prezeroed"), AttachReadOnly: types.BoolValue(false),
				IfInUse: types.StringValue("skip"), AllowParent: types.BoolValue(true), MaxPasses: types.Int64Value(3),
			},
			hyperv.Order{
				Path: `D:\a.vhdx`, Mode: new(hyperv.ModePrezeroed), AttachReadOnly: new(false),
				SkipInUse: true, AllowParent: true, MaxPasses: 3, Timeout: time.Hour,
			},
		},
		"fail in words": {
			vhdCompactModel{Path: pathtype.NewValue(`D:\a.vhdx`), IfInUse: types.StringValue("fail")},
			hyperv.Order{Path: `D:\a.vhdx`, MaxPasses: 1, Timeout: time.Hour},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.model.toOrder(time.Hour)); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}
