package winpath_test

import (
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

func TestVolume(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		`d:/VMs/a.vhdx`:                           `D:`,
		`D:\`:                                     `D:`,
		`D:`:                                      `D:`,
		`\\?\D:\VMs\a.vhdx`:                       `D:`,
		`C:\ClusterStorage\Volume1\VMs\a.vhdx`:    `C:\ClusterStorage\Volume1`,
		`c:\clusterstorage\Volume1\a.vhdx`:        `C:\clusterstorage\Volume1`,
		`C:\ClusterStorage\Volume1`:               `C:\ClusterStorage\Volume1`,
		`C:\ClusterStorage.000\Volume1\a.vhdx`:    `C:\ClusterStorage.000\Volume1`,
		`C:\ClusterStorage`:                       `C:`,
		`C:\ClusterStorages\Volume1\a.vhdx`:       `C:`,
		`C:\VMs\ClusterStorage\Volume1\a.vhdx`:    `C:`,
		`\\nas\vms\sub\a.vhdx`:                    `\\nas\vms`,
		`\\nas\vms`:                               `\\nas\vms`,
		`\\?\UNC\nas\vms\a.vhdx`:                  `\\nas\vms`,
		volume + `\VMs\a.vhdx`:                    volume,
		volume + `\`:                              volume,
		`\??` + volume[len(`\\?`):] + `\a\b.vhdx`: volume,
	} {
		if got := winpath.Volume(path); got != want {
			t.Errorf("Volume(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestSameVolume(t *testing.T) {
	t.Parallel()
	other := `\\?\Volume{99999999-2222-3333-4444-555555555555}`
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`D:\VMs\a.vhdx`, `d:\more\b.vhdx`, true},
		{`D:\VMs\a.vhdx`, `E:\VMs\a.vhdx`, false},
		{`C:\ClusterStorage\Volume1\a.vhdx`, `c:\clusterstorage\VOLUME1\x\b.vhdx`, true},
		{`C:\ClusterStorage\Volume1\a.vhdx`, `C:\ClusterStorage\Volume2\a.vhdx`, false},
		{`C:\ClusterStorage\Volume1\a.vhdx`, `C:\VMs\a.vhdx`, false},
		{`\\nas\vms\a.vhdx`, `\\NAS\VMS\b\c.vhdx`, true},
		{`\\nas\vms\a.vhdx`, `\\nas\backup\a.vhdx`, false},
		{`\\nas\vms\a.vhdx`, `D:\vms\a.vhdx`, false},
		{volume + `\a.vhdx`, volume + `\b.vhdx`, true},
		{volume + `\a.vhdx`, other + `\a.vhdx`, false},
		{volume + `\a.vhdx`, `D:\a.vhdx`, true},
		{`C:\ClusterStorage\Volume1\a.vhdx`, volume + `\a.vhdx`, true},
		{volume + `\a.vhdx`, `\\nas\vms\a.vhdx`, false},
		{`\\.\` + volume[4:] + `\a.vhdx`, `C:\VMs\b.vhdx`, true},
		{`\\.\` + volume[4:] + `\a.vhdx`, other + `\a.vhdx`, false},
		{`\\.\UNC\nas\vms\a.vhdx`, `\\nas\vms\b.vhdx`, true},
		{`\\.\UNC\nas\vms\a.vhdx`, `D:\vms\b.vhdx`, false},
		{`\\?\GLOBALROOT\Device\HarddiskVolume3\a.vhdx`, `C:\VMs\b.vhdx`, true},
		{`\\?\GLOBALROOT\Device\Mup\nas\vms\a.vhdx`, `\\nas\vms\b.vhdx`, true},
		{`\\.\HarddiskVolume3\a.vhdx`, volume + `\b.vhdx`, true},
	} {
		if got := winpath.SameVolume(tt.a, tt.b); got != tt.want {
			t.Errorf("SameVolume(%q, %q) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
		if got := winpath.SameVolume(tt.b, tt.a); got != tt.want {
			t.Errorf("SameVolume(%q, %q) = %v, want %v", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestClusterVolume(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][2]bool{ // below a volume or its root, the root itself
		`C:\ClusterStorage\Volume1`:            {true, true},
		`c:/clusterstorage/VOLUME1/`:           {true, true},
		`C:\ClusterStorage\Volume1\VMs`:        {true, false},
		`C:\ClusterStorage.001\Volume1\a.vhdx`: {true, false},
		`C:\ClusterStorage`:                    {false, false},
		`C:\ClusterStorageX\Volume1`:           {false, false},
		`C:\`:                                  {false, false},
		`D:\VMs`:                               {false, false},
		`\\nas\ClusterStorage\Volume1`:         {false, false},
		volume + `\ClusterStorage\Volume1`:     {false, false},
		``:                                     {false, false},
	} {
		if got := [2]bool{winpath.OnClusterVolume(path), winpath.IsClusterVolume(path)}; got != want {
			t.Errorf("OnClusterVolume, IsClusterVolume of %q = %v, want %v", path, got, want)
		}
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, directory string
		want            bool
	}{
		{`D:\VMs`, `d:\vms\`, true},
		{`D:\VMs\a`, `D:\VMs`, true},
		{`D:\VMs2`, `D:\VMs`, false},
		{`D:\VMs`, `D:\VMs\a`, false},
		{`D:\VMs`, `D:\`, true},
		{`E:\VMs`, `D:\`, false},
		{`\\nas\vms\a`, `\\nas\vms`, true},
		{volume + `\VMs`, volume + `\`, true},
	} {
		if got := winpath.Within(tt.path, tt.directory); got != tt.want {
			t.Errorf("Within(%q, %q) = %v, want %v", tt.path, tt.directory, got, tt.want)
		}
	}
}

func TestAboveClusterVolumes(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		`C:\`: true, `c:/`: true, `C:\ClusterStorage`: true, `C:\clusterstorage.000\`: true,
		`C:\ClusterStorage\Volume1`: false, `C:\VMs`: false, `\\nas\ClusterStorage`: false, volume + `\`: false, ``: false,
	} {
		if got := winpath.AboveClusterVolumes(path); got != want {
			t.Errorf("AboveClusterVolumes(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestDriveShare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, server, local string }{
		{`\\hv01\d$\VMs\a.vhdx`, "hv01", `D:\VMs\a.vhdx`},
		{`//hv01.example.net/D$/VMs/a.vhdx`, "hv01.example.net", `D:\VMs\a.vhdx`},
		{`\\?\UNC\hv01\c$\a.vhdx`, "hv01", `C:\a.vhdx`},
		{`\\hv01\d$`, "hv01", `D:\`},
		{`\\hv01\vms$\a.vhdx`, "hv01", ""},
		{`\\hv01\1$\a.vhdx`, "hv01", ""},
		{`\\hv01\vms\d$\a.vhdx`, "hv01", ""},
		{`\\hv01`, "hv01", ""},
		{`\\`, "", ""},
		{`C:\d$\a.vhdx`, "", ""},
		{volume + `\d$\a.vhdx`, "", ""},
		{``, "", ""},
	} {
		local, ok := winpath.DriveShare(c.path)
		if server := winpath.Server(c.path); server != c.server || local != c.local || ok != (c.local != "") {
			t.Errorf("%s: server %q, on it %q, %v; want %q and %q", c.path, server, local, ok, c.server, c.local)
		}
	}
}
