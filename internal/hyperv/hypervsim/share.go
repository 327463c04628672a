package hypervsim

// shares returns the instances of Win32_Share: the one that every Windows has.
func (*world) shares(v view) []*object {
	return []*object{{
		namespace: v.namespace, class: classShare, keys: []string{"Name"},
		properties: []property{
			boolean("AllowMaximum", true),
			text("Caption", "Remote Admin"),
			text("Description", "Remote Admin"),
			null("InstallDate", typeDateTime),
			null("MaximumAllowed", typeUint32),
			text("Name", "ADMIN$"),
			text("Path", `C:\Windows`),
			text("Status", "OK"),
			number("Type", typeUint32, uint32(0x80000000)), // a directory, for administration
		},
	}}
}
