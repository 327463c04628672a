package winpath_test

import (
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
)

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`C:\VMs\a.vhdx`, `c:/vms//A.VHDX`, true},
		{`C:\VMs\a.vhdx`, `\??\C:\VMs\a.vhdx`, true},
		{`C:\VMs\a.vhdx`, `\\?\C:\VMs\a.vhdx`, true},
		{`\\Server\Share\a.vhdx`, `\\?\UNC\server\share\A.vhdx`, true},
		{volume + `\a.vhdx`, `\\?\VOLUME{01234567-89AB-CDEF-0123-456789abcdef}\A.vhdx`, true},
		{`C:\ä\é\д\ω\ÿ.vhdx`, `C:\Ä\É\Д\Ω\Ÿ.vhdx`, true},
		{`C:\σ`, `C:\ς`, true},
		{`C:\VMs`, `C:\VMs\`, true},
		{`C:\VMs\a.vhdx`, `\\.\c:\vms\a.vhdx`, true},
		{`C:\VMs\a.vhdx`, `C:\VMs\.\old\..\a.vhdx`, true},
		{`C:\VMs\a.vhdx`, `C:\..\..\VMs. \a.vhdx.`, true},
		{`\\server\share\a.vhdx`, `\\server\share\..\..\a.vhdx `, true},
		{volume + `\a.vhdx`, volume + `\VMs\..\a.vhdx`, true},
		{`C:\`, `C:\VMs\..`, true},
		{`C:\VMs\...a.vhdx`, `C:\VMs\a.vhdx`, false},
		{`C:\VMs\a.vhdx`, `\\.\PhysicalDrive0`, false},
		{`C:\VMs\a.vhdx`, `D:\VMs\a.vhdx`, false},
		{`C:\VMs\a.vhdx`, `C:\VMs\a.vhd`, false},
		{`C:\VMs\a.vhdx`, `C:\VM\sa.vhdx`, false},
		{`\\server\share\a`, `C:\server\share\a`, false},
		{`\\server\share\a`, `\server\share\a`, false},
		{`C:\i`, `C:\ı`, false},
		{`C:\s`, `C:\ſ`, false},
		{`C:\µ`, `C:\Μ`, false},
		{`C:\ss`, `C:\ß`, false},
		{`C:\𐐨`, `C:\𐐀`, false}, // beyond one UTF-16 unit NTFS knows no letter case
		{"C:\\e\u0301", "C:\\é", false},
	} {
		if got := winpath.Equal(c.a, c.b); got != c.want {
			t.Errorf("Equal(%q, %q) = %v, want %v", c.a, c.b, got, c.want)
		}
		if got := winpath.Equal(c.b, c.a); got != c.want {
			t.Errorf("Equal(%q, %q) = %v, want %v", c.b, c.a, got, c.want)
		}
	}
}

// TestKeyOfEveryLetter: a key is its own key, whatever the letter.
func TestKeyOfEveryLetter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= 0x10FFFF; r++ {
		key := winpath.Key("x" + string(r))
		if again := winpath.Key(key); again != key {
			t.Fatalf("Key(%q) = %q, want it unchanged", key, again)
		}
	}
}

func FuzzPaths(f *testing.F) {
	for _, s := range []string{
		`C:\VMs\a.vhdx`, `c:/vms//A.VHDX`, `\\server\share\a.vhdx`, volume + `\a.vhdx`, `\\?\UNC\server\share\a`, `\??\C:\a`,
		`\\?\C:\a`, `\\.\a`, `\\?\UNC\?\C:\a`, `C:a`, `C:`, `C:\`, `\\`, `\`, ``, `\\?\`, `\??\`, "C:\\\xff", "C:\\ς\\ı",
		`\\.0\0.vhd`, `C:\Sons'\a.vhdx`, `C:\a,\b.vhdx`,
	} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		key, normal := winpath.Key(a), winpath.Normalize(a)
		if got := winpath.Key(key); got != key {
			t.Errorf("Key(Key(%q)) = %q, want %q", a, got, key)
		}
		if got := winpath.Normalize(normal); got != normal {
			t.Errorf("Normalize(Normalize(%q)) = %q, want %q", a, got, normal)
		}
		if got := winpath.Key(normal); got != key {
			t.Errorf("Key(Normalize(%q)) = %q, want %q", a, got, key)
		}
		if !winpath.Equal(a, a) || winpath.Equal(a, b) != winpath.Equal(b, a) ||
			winpath.Equal(a, b) && winpath.Equal(b, c) && !winpath.Equal(a, c) {
			t.Errorf("Equal is no equivalence on %q, %q, %q", a, b, c)
		}
		if got := winpath.Dir(winpath.Dir(a)); len(got) > len(normal) {
			t.Errorf("Dir(Dir(%q)) = %q, longer than the path", a, got)
		}
		if winpath.Check(a) != nil {
			return
		}
		if !winpath.MayBeFile(a) {
			t.Errorf("MayBeFile(%q) = false after Check = nil", a)
		}
		// An accepted path names the same file in its normal form, below its directory.
		if err := winpath.Check(normal); err != nil {
			t.Errorf("Check(%q) after Check(%q) = nil: %v", normal, a, err)
		}
		if got := winpath.Join(winpath.Dir(a), winpath.Base(a)); got != normal {
			t.Errorf("Join(Dir, Base) of %q = %q, want %q", a, got, normal)
		}
		if err := winpath.CheckDirectory(winpath.Dir(a)); err != nil {
			t.Errorf("CheckDirectory(Dir(%q)): %v", a, err)
		}
	})
}

func BenchmarkKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		winpath.Key(`C:\ClusterStorage\Volume1\Virtual Machines\web01\Disk 0.vhdx`)
	}
}
