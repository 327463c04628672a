package hyperv_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestUnnamedAttachment: an attachment that a host lists without its name may be that of the disk.
// It is not told that the disk is not attached, by a host that cannot be asked by path too.
func TestUnnamedAttachment(t *testing.T) {
	t.Parallel()
	for _, release := range []hypervsim.Release{hypervsim.Server2012R2, hypervsim.Server2022} {
		for _, emptied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/emptied=%t", release, emptied), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					unnamed := saidProperty{cim.ClassMountedStorageImage, "Name"}.unsay(emptied)
					sim, host := simulate(t, hypervsim.WithRelease(release), disk(), hypervsim.WithAnswer(unnamed))
					if err := sim.AttachFor("left", diskPath); err != nil {
						t.Fatal(err)
					}
					if err := process(t, sim, "left").GiveBack(t.Context(), diskPath, leftAt()); err == nil {
						t.Error("given back")
					}
					if attached, err := host.AttachedReadOnly(t.Context(), diskPath); err == nil {
						t.Errorf("attached read-only: %t", attached)
					}
					if got, err := attempt(t, host, diskPath); err == nil {
						t.Errorf("%s", got.Status)
					}
					if len(sim.Attachments()) != 1 {
						t.Errorf("attachments %+v, want the one that was left", sim.Attachments())
					}
				})
			})
		}
	}
}

// TestUnnamedFile: a list with an entry that has no name is not complete, and whoever uses it would
// forget a disk.
func TestUnnamedFile(t *testing.T) {
	t.Parallel()
	for class, listing := range map[string]hyperv.Listing{
		cim.ClassDataFile:  {Directory: `D:\VMs`},
		cim.ClassDirectory: {Directory: `D:\`, Recurse: true},
	} {
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				unnamed := saidProperty{"*", "Name"}.unsay(false) // a query names no class in its address
				_, host := simulate(t, files(`D:\VMs\a.vhdx`, `D:\VMs\b.vhdx`), hypervsim.WithAnswer(func(request, answer string) string {
					if strings.Contains(request, "FROM "+class) {
						return unnamed(request, answer)
					}
					return answer
				}))
				if got, err := listed(t.Context(), host, listing); err == nil {
					t.Errorf("listed %q, want an error", got)
				}
			})
		})
	}
}
