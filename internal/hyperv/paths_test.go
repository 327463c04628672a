package hyperv_test

import (
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestCompactAwkwardPaths: a path is data, whatever characters Windows allows in it.
func TestCompactAwkwardPaths(t *testing.T) {
	t.Parallel()
	for _, path := range []string{
		`D:\My VMs\a & b.vhdx`, `D:\VMs\o'neill.vhdx`, `D:\VMs\100 %TEMP%.vhdx`, `D:\VMs\a[1];b.vhdx`,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, hypervsim.WithVHD(hypervsim.VHD{Path: path, FileSize: 4 * gib, ReclaimableMounted: gib}))
				got, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path = path }))
				if err != nil || *got.Run.FileSizeAfterBytes != 3*gib {
					t.Errorf("Compact(%s) = %+v, %v", path, got, err)
				}
				clean(t, sim)
			})
		})
	}
}

// TestPathsReachTheHostNormalised: whatever the spelling, the host gets one
// that Win32 leaves unchanged.
func TestPathsReachTheHostNormalised(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, host := simulate(t, disk())
		if _, err := host.Compact(t.Context(), order(func(c *hyperv.Order) { c.Path = `d:/VMs//sql01.vhdx` })); err != nil {
			t.Fatal(err)
		}
		paths := 0
		for _, r := range sim.Requests() {
			if p, ok := r.Parameter("Path"); ok {
				paths++
				if p != diskPath {
					t.Errorf("%s was sent the path %s", r.Method, p)
				}
			}
		}
		if paths == 0 {
			t.Error("no path was sent")
		}
	})
}
