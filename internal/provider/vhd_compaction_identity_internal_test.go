package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

// FuzzImportID: an import id is refused, or names a host that may be null and a
// path that is fit for a resource; and the id that a resource shows leads back
// to both.
func FuzzImportID(f *testing.F) {
	for _, id := range []string{
		`D:\VMs\sql01.vhdx`, `hyperv01|D:\VMs\sql01.vhdx`, `fe80::1|\\server\share\a.vhd`,
		`|D:\a.vhdx`, `h|`, `|`, ``, `h|D:\a|b.vhdx`, `D:/VMs/日本.vhdx`, "h\x00|D:\\a.vhdx", `https://h|D:\a.vhdx`,
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		host, file, diags := importTarget(t.Context(), resource.ImportStateRequest{ID: id})
		if diags.HasError() {
			return
		}
		if err := winpath.Check(file); err != nil {
			t.Errorf("%q gave the path %q: %v", id, file, err)
		}
		if host.IsNull() {
			return
		}
		again, same, diags := importTarget(t.Context(), resource.ImportStateRequest{ID: host.ValueString() + "|" + file})
		if diags.HasError() || !again.Equal(host) || same != file {
			t.Errorf("%q gave %s and %q, and these %s and %q, %v", id, host, file, again, same, diags)
		}
	})
}
