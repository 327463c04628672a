package hypervsim

import (
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// shares returns the instances of Win32_Share: the one that every Windows has.
func (*world) shares(v view) []*wmi.Object {
	return []*wmi.Object{{
		Namespace: v.namespace, Class: classShare, Keys: []string{"Name"},
		Properties: []wmi.Property{
			wmi.Bool("AllowMaximum", true),
			wmi.Text("Caption", "Remote Admin"),
			wmi.Text("Description", "Remote Admin"),
			wmi.Null("InstallDate", wmi.TypeDateTime),
			wmi.Null("MaximumAllowed", wmi.TypeUint32),
			wmi.Text("Name", "ADMIN$"),
			wmi.Text("Path", `C:\Windows`),
			wmi.Text("Status", "OK"),
			wmi.Uint32("Type", 0x80000000), // a directory, for administration
		},
	}}
}
