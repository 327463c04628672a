package pathtype_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

const diskPath = `C:\VMs\web01.vhdx`

func TestTypeFromTerraform(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ  pathtype.Type
		in   tftypes.Value
		want basetypes.StringValue
	}{
		"known":     {pathtype.Type{}, tftypes.NewValue(tftypes.String, `c:/x.vhdx`), basetypes.NewStringValue(`c:/x.vhdx`)},
		"null":      {pathtype.Type{}, tftypes.NewValue(tftypes.String, nil), basetypes.NewStringNull()},
		"unknown":   {pathtype.Type{}, tftypes.NewValue(tftypes.String, tftypes.UnknownValue), basetypes.NewStringUnknown()},
		"directory": {pathtype.Type{Directory: true}, tftypes.NewValue(tftypes.String, `C:\`), basetypes.NewStringValue(`C:\`)},
	} {
		got, err := c.typ.ValueFromTerraform(t.Context(), c.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path, ok := got.(pathtype.Value)
		if !ok || !path.StringValue.Equal(c.want) || !path.Type(t.Context()).Equal(c.typ) {
			t.Errorf("%s: %#v, want %v of type %+v", name, got, c.want, c.typ)
		}
	}
	if got, err := (pathtype.Type{}).ValueFromTerraform(t.Context(), tftypes.NewValue(tftypes.Number, 1)); err == nil {
		t.Errorf("ValueFromTerraform(1) = %v, want an error", got)
	}
}

func TestTypeFromString(t *testing.T) {
	t.Parallel()
	typ := pathtype.Type{Directory: true}
	got, diags := typ.ValueFromString(t.Context(), basetypes.NewStringValue(diskPath))
	if diags.HasError() || !got.Type(t.Context()).Equal(typ) || !got.Equal(pathtype.NewValue(diskPath)) {
		t.Errorf("ValueFromString = %#v, %v", got, diags)
	}
	if got := typ.ValueType(t.Context()); !got.Type(t.Context()).Equal(typ) {
		t.Errorf("ValueType = %#v", got)
	}
}

func TestTypeEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a    pathtype.Type
		b    attr.Type
		want bool
	}{
		{pathtype.Type{}, pathtype.Type{}, true},
		{pathtype.Type{}, pathtype.Type{Directory: true}, false},
		{pathtype.Type{}, basetypes.StringType{}, false},
	} {
		if got := c.a.Equal(c.b); got != c.want {
			t.Errorf("%#v.Equal(%#v) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestValueEqual(t *testing.T) {
	t.Parallel()
	same := pathtype.NewValue(diskPath)
	for name, c := range map[string]struct {
		other attr.Value
		want  bool
	}{
		"same spelling":  {pathtype.NewValue(diskPath), true},
		"other spelling": {pathtype.NewValue(`c:\vms\web01.vhdx`), false},
		"null":           {pathtype.NewNull(), false},
		"string":         {basetypes.NewStringValue(diskPath), false},
	} {
		if got := same.Equal(c.other); got != c.want {
			t.Errorf("%s: Equal = %v, want %v", name, got, c.want)
		}
	}
}

func TestSemanticEquality(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b pathtype.Value
		want bool
	}{
		"same spelling":  {pathtype.NewValue(diskPath), pathtype.NewValue(diskPath), true},
		"other spelling": {pathtype.NewValue(diskPath), pathtype.NewValue(`c:/vms//WEB01.vhdx`), true},
		"other file":     {pathtype.NewValue(diskPath), pathtype.NewValue(`C:\VMs\web02.vhdx`), false},
		"null and empty": {pathtype.NewNull(), pathtype.NewValue(""), false},
		"null and null":  {pathtype.NewNull(), pathtype.NewNull(), true},
		"unknown":        {pathtype.Value{StringValue: basetypes.NewStringUnknown()}, pathtype.NewValue(""), false},
	} {
		for _, order := range [][2]pathtype.Value{{c.a, c.b}, {c.b, c.a}} {
			got, diags := order[0].StringSemanticEquals(t.Context(), order[1])
			if diags.HasError() || got != c.want {
				t.Errorf("%s: %v, %v, want %v", name, got, diags, c.want)
			}
		}
	}
	if got, diags := pathtype.NewValue(diskPath).StringSemanticEquals(t.Context(), basetypes.NewStringValue(diskPath)); got || !diags.HasError() {
		t.Errorf("another type: %v, %v, want an error", got, diags)
	}
}
