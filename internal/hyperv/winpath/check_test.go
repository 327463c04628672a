package winpath_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

func TestCheckAccepts(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		`C:\VMs\web01.vhdx`,
		`c:/vms/web01.VHD`,
		`D:\disk.vhdx`,
		`C:\ClusterStorage\Volume1\日本語 ディスク.vhdx`,
		`\\server\share$\web01.vhdx`,
		`//server.example.com/vms/sub/web01.vhdx`,
		volume + `\VMs\web01.vhdx`,
		`C:\VMs\\web01.vhdx`,
		`C:\.hidden\.disk.vhdx`,
		`C:\a..b\c.d.vhdx`,
		`C:\console\com10.vhdx`,
		`C:\100 % [new] 'x' & y; $z.vhdx`,
		`C:\Bob’s disks, old\“a”.vhdx`,
		"C:\\دیسک\u200cها\\web01.vhdx",
		"C:\\新しい\u3000ディスク.vhdx",
		`C:\` + strings.Repeat("a", 250) + `.vhdx`,
	} {
		if err := winpath.Check(path); err != nil {
			t.Errorf("Check(%q) = %v, want nil", path, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, reason, fix string }{
		{``, "is empty", "absolute path"},
		{` `, "is relative", "absolute path"},
		{"C:\\\xff.vhdx", "UTF-8", "UTF-8"},
		{`web01.vhdx`, "is relative", "absolute path"},
		{`VMs\web01.vhdx`, "is relative", "absolute path"},
		{` C:\web01.vhdx`, "is relative", "absolute path"},
		{`CC:\web01.vhdx`, "is relative", "absolute path"},
		{`é:\web01.vhdx`, "is relative", "absolute path"},
		{`file:///C:/web01.vhdx`, "is relative", "absolute path"},
		{`c:web01.vhdx`, "current directory of drive C:", `C:\web01.vhdx`},
		{`\VMs\web01.vhdx`, "names no drive", `C:\VMs\web01.vhdx`},
		{`\\?\C:\VMs\web01.vhdx`, `prefix \\?\ is not needed`, `Write C:\VMs\web01.vhdx`},
		{`\\?\UNC\server\share\web01.vhdx`, `prefix \\?\ is not needed`, `Write \\server\share\web01.vhdx`},
		{`\??\C:\VMs\web01.vhdx`, `prefix \??\ is not needed`, `Write C:\VMs\web01.vhdx`},
		{`\??` + volume[3:] + `\web01.vhdx`, `prefix \??\ is not needed`, volume + `\web01.vhdx`},
		{`\\?\Volume{1}\web01.vhdx`, "names no volume", "absolute path"},
		{`\\?\GLOBALROOT\Device\web01.vhdx`, "names no volume", "absolute path"},
		{volume, "names a volume", volume + `\`},
		{`\\.\PhysicalDrive0`, "names a device", "absolute path"},
		{`//./C:/web01.vhdx`, "names a device", "absolute path"},
		{`\\server`, "no share", `\\server\share`},
		{`\\`, "no share", `\\server\share`},
		{`\\server\share`, "names a share", "on the share"},
		{`\\ser*er\share\web01.vhdx`, "wildcard", "one file"},
		{`\\..\share\web01.vhdx`, "element ..", "without .."},
		{`C:\VMs\..\web01.vhdx`, "element ..", "without .."},
		{`C:\.\web01.vhdx`, "element .", "without ."},
		{`C:\VMs\*.vhdx`, "wildcard", "one file"},
		{`C:\VMs\web0?.vhdx`, "wildcard", "one file"},
		{`C:\VMs\a.vhdx:stream`, "colon", "drive letter"},
		{`C:\C:\a.vhdx`, "colon", "drive letter"},
		{`C:\a<b.vhdx`, "holds <", "without <"},
		{`C:\a>b.vhdx`, "holds >", "without >"},
		{`C:\a"b.vhdx`, `holds "`, `without "`},
		{`C:\a|b.vhdx`, "holds |", "without |"},
		{"C:\\VMs\new.vhdx", "U+000A", "without it"},
		{"C:\\VMs\x00.vhdx", "U+0000", "without it"},
		{"C:\\VMs\x7f\\a.vhdx", "U+007F", "without it"},
		{"C:\\VMs\u0085\\a.vhdx", "U+0085", "without it"},
		{`"C:\VMs\web01.vhdx"`, `the quote " (U+0022)`, "without the quotes"},
		{`C:\VMs\web01.vhdx"`, "copied along", "without the quotes"},
		{`'C:\VMs\web01.vhdx'`, "U+0027", "without the quotes"},
		{`“C:\VMs\web01.vhdx”`, "U+201C", "without the quotes"},
		{`»C:\VMs\web01.vhdx«`, "U+00BB", "without the quotes"},
		{`C:\VMs\web01.vhdx,`, "U+002C", "without it"},
		{`C:\VMs\web01.vhdx;`, "U+003B", "without it"},
		{"\u202aC:\\VMs\\web01.vhdx", "U+202A, which Windows puts before a path", "plain text"},
		{"C:\\VMs\\web01.vhdx\u200b", "U+200B", "plain text"},
		{"C:\\VMs\\we\u00adb01.vhdx", "U+00AD", "plain text"},
		{"\ufeffC:\\VMs\\web01.vhdx", "byte order mark", "plain text"},
		{"C:\\VMs\\web\u00a001.vhdx", "the space U+00A0", "plain text"},
		{"C:\\VMs\\web\u202801.vhdx", "U+2028", "plain text"},
		{"\\\\nas\\vms\\\u2066web01.vhdx", "U+2066", "plain text"},
		{`C:\VMs.\web01.vhdx`, "dot or a space", `"VMs"`},
		{`C:\VMs \web01.vhdx`, "dot or a space", `"VMs"`},
		{`C:\VMs\web01.vhdx `, "dot or a space", `"web01.vhdx"`},
		{`C:\VMs\web01.vhdx.`, "dot or a space", `"web01.vhdx"`},
		{`C:\...\web01.vhdx`, "dots or spaces only", "Write another name"},
		{`C:\NUL\web01.vhdx`, "device", "another name"},
		{`C:\con.vhdx`, "device", "another name"},
		{`C:\Com1 .foo.vhdx`, "device", "another name"},
		{`C:\lpt³.vhdx`, "device", "another name"},
		{`C:\` + strings.Repeat("ä", 256) + `\a.vhdx`, "longer than 255", "shorter"},
		{`C:\` + strings.Repeat("𝄞", 128) + `\a.vhdx`, "longer than 255", "shorter"},
		{`C:\` + strings.Repeat(`a\`, 16383) + `a.vhdx`, "longer than 32767", "shorter"},
		{`C:\VMs\`, "names a directory", ".vhdx file"},
		{`C:\`, "names a directory", ".vhdx file"},
		{`C:\VMs\web01`, "no extension", ".vhdx file"},
		{`C:\VMs\.vhdx`, "extension only", ".vhdx file"},
		{`C:\VMs\web01_1F2E.avhdx`, "checkpoint", "Delete the checkpoint"},
		{`C:\VMs\web01.AVHD`, "checkpoint", "Delete the checkpoint"},
		{`C:\VMs\web01.vhds`, "VHD Set", "not supported"},
		{`C:\VMs\web01.vhdx.rct`, "records changes", ".vhdx file"},
		{`C:\VMs\web01.vhdx.mrt`, "records changes", ".vhdx file"},
		{`C:\VMs\setup.iso`, "optical", ".vhdx file"},
		{`C:\VMs\web01.vmdk`, "VMware", "Convert"},
		{`C:\VMs\notes.txt`, ".txt", ".vhdx file"},
	} {
		err := winpath.Check(c.path)
		var refused *winpath.Error
		if !errors.As(err, &refused) {
			t.Errorf("Check(%q) = %v, want an *Error", c.path, err)
			continue
		}
		if refused.Path != c.path || !strings.Contains(refused.Reason, c.reason) || !strings.Contains(refused.Fix, c.fix) {
			t.Errorf("Check(%q): reason %q, fix %q, want %q and %q in them", c.path, refused.Reason, refused.Fix, c.reason, c.fix)
		}
	}
}

func TestCheckDirectory(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		`C:\`, `c:/VMs/`, `C:\VMs`, `\\server\share`, `\\server\share\`, volume + `\`, volume + `\VMs`,
		`C:\Sons'`, `C:\a,`, `C:\a;\`, `\\server\share’`,
	} {
		if err := winpath.CheckDirectory(path); err != nil {
			t.Errorf("CheckDirectory(%q) = %v, want nil", path, err)
		}
	}
	for _, path := range []string{
		``, `C:`, `VMs`, `\VMs`, `\\server`, volume, `C:\VMs\..`, `C:\VM?`, `\\?\C:\VMs`,
		`'C:\VMs'`, `"C:\VMs"`, `C:\VMs"`, "C:\\VMs\u200b",
	} {
		if err := winpath.CheckDirectory(path); err == nil {
			t.Errorf("CheckDirectory(%q) = nil, want an error", path)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	const want = `path "c:a.vhdx": the path is relative to the current directory of drive C:; write a backslash after the colon: C:\a.vhdx`
	if got := winpath.Check("c:a.vhdx").Error(); got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestMayBeFile(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		`C:\VMs\web01.vhdx`:                            true,
		`C:\VMs\..\web01.vhdx. `:                       true,
		`\\server\share\web01.vhdx`:                    true,
		volume + `\web01.vhdx`:                         true,
		`\\.\C:\web01.vhdx`:                            true,
		`\\.\UNC\server\share\a.vhdx`:                  true,
		`\\.\HarddiskVolume3\a.vhdx`:                   true,
		`\\?\GLOBALROOT\Device\HarddiskVolume3\a.vhdx`: true,
		"C:\\VMs\\web\u00a001.vhdx":                    true,
		`C:\VMs\web01'`:                                true,
		`C:\VMs\web01,`:                                true,
		``:                                             false,
		`web01.vhdx`:                                   false,
		`C:web01.vhdx`:                                 false,
		`\\.\PhysicalDrive0`:                           false,
		`\\HV1\root\virtualization\v2:Msvm_DiskDrive.DeviceID="1"`: false,
		`\\.\root\virtualization\v2:Msvm_DiskDrive.DeviceID="1"`:   false,
	} {
		if got := winpath.MayBeFile(path); got != want {
			t.Errorf("MayBeFile(%q) = %v, want %v", path, got, want)
		}
	}
}
