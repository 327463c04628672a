package pathtype

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

var (
	_ basetypes.StringValuableWithSemanticEquals = Value{}
	_ xattr.ValidateableAttribute                = Value{}
)

// Value is a path.
type Value struct {
	basetypes.StringValue

	directory bool
}

// NewValue returns a known path of a disk.
func NewValue(s string) Value { return Value{StringValue: basetypes.NewStringValue(s)} }

// NewNull returns a null path of a disk.
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
			fmt.Sprintf("A path was compared with a %T. This is a bug in the provider: please report it to its developers.", o))}
	}
	return v.Equal(other) || known(v) && known(other) && winpath.Equal(v.ValueString(), other.ValueString()), nil
}

func known(v Value) bool { return !v.IsNull() && !v.IsUnknown() }

// ValidateAttribute refuses what cannot be a path of this kind.
func (v Value) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if !known(v) {
		return
	}
	wrong := Refusal(req.Path.String(), v.ValueString())
	if v.directory {
		wrong = refusal(req.Path.String(), winpath.CheckDirectory(v.ValueString()), winpath.DirectoryForm)
	}
	if wrong != "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid attribute value", wrong)
	}
}

// Refusal says why a value cannot be the path of a disk, what such a path looks like, and what to
// do about it. It is empty when nothing is wrong.
func Refusal(name, value string) string {
	return refusal(name, winpath.Check(value), winpath.Form)
}

func refusal(name string, err error, form string) string {
	refused, ok := errors.AsType[*winpath.Error](err)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s is %q: %s. Allowed: %s.\n\n%s%s", name, refused.Path, refused.Reason, form, refused.Fix, advice(refused.Path))
}

// advice returns a hint if the mistake has to do with Terraform's language.
func advice(value string) string {
	switch {
	case strings.ContainsFunc(value, unicode.IsControl):
		return ` In a quoted string of Terraform \t and \n are control characters: write / or \\ between the elements of a path.`
	case strings.ContainsAny(value, "*?"):
		return " The data source hyperv_vhds lists the disks of a directory for for_each."
	}
	return ""
}
