// Package pathtype is the attribute type of a path on a Windows host: two
// spellings of one path are equal, and a path that cannot be that of a disk to
// compact is refused at plan.
package pathtype

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

var _ basetypes.StringTypable = Type{}

// Type is the attribute type. With Directory it accepts directories in place of
// disks.
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
