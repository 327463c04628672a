// Package pathtype is the attribute type of a path on a Windows host: two
// spellings of one path are equal, and what cannot be a disk that is compacted
// is refused at plan.
package pathtype

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

var (
	_ basetypes.StringTypable                    = Type{}
	_ basetypes.StringValuableWithSemanticEquals = Value{}
	_ xattr.ValidateableAttribute                = Value{}
)

// Type is the attribute type. Directory accepts directories in place of disks.
type Type struct {
	basetypes.StringType

	Directory bool
}

// Equal reports whether o is the same type.
func (t Type) Equal(o attr.Type) bool {
	other, ok := o.(Type)
	return ok && t.Directory == other.Directory && t.StringType.Equal(other.StringType)
}

// String names the type.
func (t Type) String() string { return "pathtype.Type" }

// ValueFromString makes a value of this type.
func (t Type) ValueFromString(_ context.Context, in basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return Value{StringValue: in, directory: t.Directory}, nil
}

// ValueFromTerraform makes a value of this type.
func (t Type) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	v, err := t.StringType.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, err
	}
	s, ok := v.(basetypes.StringValue)
	if !ok {
		return nil, fmt.Errorf("unexpected value of type %T", v)
	}
	return Value{StringValue: s, directory: t.Directory}, nil
}

// ValueType returns a value of this type.
func (t Type) ValueType(context.Context) attr.Value { return Value{directory: t.Directory} }

// Value is a path.
type Value struct {
	basetypes.StringValue

	directory bool
}

// NewValue is a known path of a disk.
func NewValue(s string) Value { return Value{StringValue: basetypes.NewStringValue(s)} }

// NewNull is a path of a disk that is null.
func NewNull() Value { return Value{StringValue: basetypes.NewStringNull()} }

// Type returns the attribute type.
func (v Value) Type(context.Context) attr.Type { return Type{Directory: v.directory} }

// Equal reports whether o is the same path in the same spelling.
func (v Value) Equal(o attr.Value) bool {
	other, ok := o.(Value)
	return ok && v.StringValue.Equal(other.StringValue)
}

// StringSemanticEquals reports whether both are spellings of one path.
func (v Value) StringSemanticEquals(_ context.Context, o basetypes.StringValuable) (bool, diag.Diagnostics) {
	other, ok := o.(Value)
	if !ok {
		return false, diag.Diagnostics{diag.NewErrorDiagnostic("Unexpected value type",
			fmt.Sprintf("A path was compared with a %T. This is a bug in the provider; please report it.", o))}
	}
	return winpath.Equal(v.ValueString(), other.ValueString()), nil
}

// ValidateAttribute refuses what cannot be a path of this kind.
func (v Value) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if v.IsNull() || v.IsUnknown() {
		return
	}
	check := winpath.Check
	if v.directory {
		check = winpath.CheckDirectory
	}
	if err := check(v.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid path",
			fmt.Sprintf("The attribute %s: %s", req.Path, err))
	}
}
