package hypervsim

// shares returns the instances of Win32_Share: the one that every Windows has.
func (*world) shares(v view) []*Object {
	return []*Object{{
		Namespace: v.namespace, Class: classShare, Keys: []string{"Name"},
		Properties: []Property{
			Bool("AllowMaximum", true),
			Text("Caption", "Remote Admin"),
			Text("Description", "Remote Admin"),
			Null("InstallDate", TypeDateTime),
			Null("MaximumAllowed", TypeUint32),
			Text("Name", "ADMIN$"),
			Text("Path", `C:\Windows`),
			Text("Status", "OK"),
			Uint32("Type", 0x80000000), // a directory, for administration
		},
	}}
}
