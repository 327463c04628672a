package winpath_test

import (
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

const volume = `\\?\Volume{01234567-89ab-cdef-0123-456789ABCDEF}`

func TestNormalize(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`C:\VMs\a.vhdx`:            `C:\VMs\a.vhdx`,
		`c:/VMs//web\\A.VHDX`:      `C:\VMs\web\A.VHDX`,
		`//server/share/a.vhdx`:    `\\server\share\a.vhdx`,
		`\\\\server\\share\a.vhdx`: `\\server\share\a.vhdx`,
		`\\?\c:\VMs\a.vhdx`:        `C:\VMs\a.vhdx`,
		`\??\C:\VMs\a.vhdx`:        `C:\VMs\a.vhdx`,
		`\\?\UNC\server\share\a`:   `\\server\share\a`,
		`\??\unc\server\share\a`:   `\\server\share\a`,
		`\\?\UNC\?\C:\a`:           `\\?\UNC\?\C:\a`,
		volume + `/VMs/a.vhdx`:     volume + `\VMs\a.vhdx`,
		`\??` + volume[3:] + `\a`:  volume + `\a`,
		volume + `\`:               volume + `\`,
		`C:\VMs\`:                  `C:\VMs`,
		`c:\`:                      `C:\`,
		`\\server\share\`:          `\\server\share`,
		``:                         ``,
		`\`:                        `\`,
		`//`:                       `\\`,
		`VMs/a.vhdx`:               `VMs\a.vhdx`,
		`c:a.vhdx`:                 `C:a.vhdx`,
		`C:\Virtuelle Maschinen\ä`: `C:\Virtuelle Maschinen\ä`,
	} {
		if got := winpath.Normalize(in); got != want {
			t.Errorf("Normalize(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, dir, base, ext string }{
		{`C:\VMs\Web.VHDX`, `C:\VMs`, `Web.VHDX`, `.VHDX`},
		{`c:/a.b/disk`, `C:\a.b`, `disk`, ``},
		{`C:\a.vhdx`, `C:\`, `a.vhdx`, `.vhdx`},
		{`C:\`, `C:\`, ``, ``},
		{`\\server\share\a.vhd`, `\\server\share`, `a.vhd`, `.vhd`},
		{`\\server\share\d\a.vhd`, `\\server\share\d`, `a.vhd`, `.vhd`},
		{`\\server\share`, `\\server\share`, `share`, ``},
		{volume + `\a.vhdx`, volume + `\`, `a.vhdx`, `.vhdx`},
		{volume + `\d\a.vhdx`, volume + `\d`, `a.vhdx`, `.vhdx`},
		{volume + `\`, volume + `\`, ``, ``},
	} {
		if got := winpath.Dir(c.path); got != c.dir {
			t.Errorf("Dir(%q) = %q, want %q", c.path, got, c.dir)
		}
		if got := winpath.Base(c.path); got != c.base {
			t.Errorf("Base(%q) = %q, want %q", c.path, got, c.base)
		}
		if got := winpath.Ext(c.path); got != c.ext {
			t.Errorf("Ext(%q) = %q, want %q", c.path, got, c.ext)
		}
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]string{
		`c:\`: `C:\a.vhdx`, `C:/VMs/`: `C:\VMs\a.vhdx`, `\\server\share`: `\\server\share\a.vhdx`, volume + `\`: volume + `\a.vhdx`,
	} {
		if got := winpath.Join(dir, "a.vhdx"); got != want {
			t.Errorf("Join(%q) = %q, want %q", dir, got, want)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct{ unc, volume bool }{
		`C:\a`:                    {},
		`a`:                       {},
		`\a`:                      {},
		`//server/share/a`:        {unc: true},
		`\\?\UNC\server\share\a`:  {unc: true},
		volume + `\a`:             {volume: true},
		volume:                    {volume: true},
		`\??` + volume[3:] + `\a`: {volume: true},
		`\\?\C:\a`:                {},
		`\\.\C:\a`:                {},
		`\\?\Volume{1}\a`:         {},
		`\\?\Volume{01234567-89ab-cdef-0123-456789ABCDEG}\a`: {},
		`\\?\Volume{01234567089ab-cdef-0123-456789ABCDEF}\a`: {},
	} {
		if got := winpath.IsUNC(path); got != want.unc {
			t.Errorf("IsUNC(%q) = %v, want %v", path, got, want.unc)
		}
		if got := winpath.IsVolumeGUID(path); got != want.volume {
			t.Errorf("IsVolumeGUID(%q) = %v, want %v", path, got, want.volume)
		}
	}
}
