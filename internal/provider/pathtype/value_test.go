package pathtype_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

func TestValidateAttribute(t *testing.T) {
	t.Parallel()
	refused := func(detail string) diag.Diagnostics {
		return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("path"), "Invalid attribute value", detail)}
	}
	for name, c := range map[string]struct {
		directory bool
		value     basetypes.StringValue
		want      diag.Diagnostics
	}{
		"disk":      {value: basetypes.NewStringValue(diskPath)},
		"null":      {value: basetypes.NewStringNull()},
		"unknown":   {value: basetypes.NewStringUnknown()},
		"directory": {directory: true, value: basetypes.NewStringValue(`C:\VMs`)},
		"directory for a disk": {value: basetypes.NewStringValue(`C:\VMs`), want: refused(
			`path is "C:\\VMs": the file name has no extension. Allowed: ` + winpath.Form + ".\n\nWrite the path of the .vhd or .vhdx file.")},
		"relative directory": {directory: true, value: basetypes.NewStringValue(`c:VMs`), want: refused(
			`path is "c:VMs": the path is relative to the current directory of drive C:. Allowed: ` + winpath.DirectoryForm +
				".\n\nWrite a backslash after the colon: C:\\VMs")},
	} {
		v, diags := pathtype.Type{Directory: c.directory}.ValueFromString(t.Context(), c.value)
		if diags.HasError() {
			t.Fatal(diags)
		}
		var resp xattr.ValidateAttributeResponse
		v.(xattr.ValidateableAttribute).ValidateAttribute(t.Context(), xattr.ValidateAttributeRequest{Path: path.Root("path")}, &resp)
		if diff := cmp.Diff(c.want, resp.Diagnostics); diff != "" {
			t.Errorf("%s: diagnostics (-want +got):\n%s", name, diff)
		}
	}
}

// A refusal mentions the language of the configuration if the mistake has to do with it.
func TestRefusalInTerraform(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"D:\\VMs\new.vhdx":   `\t and \n are control characters`,
		`D:\VMs\*.vhdx`:      "hyperv_vhds",
		`D:\VMs\web01.avhdx`: "",
	} {
		got := pathtype.Refusal("path", path)
		if got == "" || !strings.Contains(got, want) {
			t.Errorf("Refusal(%q) = %q, want %q in it", path, got, want)
		}
		if want == "" && (strings.Contains(got, "Terraform") || strings.Contains(got, "hyperv_vhds")) {
			t.Errorf("Refusal(%q) = %q, want nothing of the language in it", path, got)
		}
	}
}
