package hypervsim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// TestRestart: connections, jobs and attachments end, the host is away for a time,
// and the next disk gets the address of the last.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const other = `D:\VMs\other.vhdx`
		h := hypervsim.RunT(t, hypervsim.WithoutListener(), hypervsim.WithVHD(
			hypervsim.VHD{Path: diskPath, JobDuration: time.Hour}, hypervsim.VHD{Path: other}))
		c, err := newClient(h)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := h.AttachFor(hypervsim.DefaultUser, diskPath); err != nil {
			t.Fatal(err)
		}
		address := func() string {
			t.Helper()
			for image, err := range c.Enumerate(t.Context(), wsman.Enumeration{ResourceURI: cim.ResourceURI(cim.NamespaceVirtualizationV2, cim.ClassMountedStorageImage)}) {
				if err != nil {
					t.Fatal(err)
				}
				lun, _ := image.String("Lun")
				return lun
			}
			return ""
		}
		first := address()
		if _, err := c.Invoke(t.Context(), compaction(diskPath)); err != nil {
			t.Fatal(err)
		}
		h.Restart(5 * time.Minute)
		if len(h.Jobs()) != 0 || len(h.Attachments()) != 0 {
			t.Errorf("jobs %+v, attachments %+v after the restart", h.Jobs(), h.Attachments())
		}
		if _, err := h.Dial(t.Context(), "", ""); err == nil {
			t.Error("the host took a connection while it was down")
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if err := h.Console(`LAB\backup`).Attach(other, false); err != nil {
			t.Fatal(err)
		}
		if second := address(); second == "" || second != first {
			t.Errorf("address %q, before the restart %q", second, first)
		}
	})
}

// TestRestartService: the jobs end, what is attached stays.
func TestRestartService(t *testing.T) {
	t.Parallel()
	h := hypervsim.RunT(t, hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{Path: diskPath, JobDuration: time.Hour}))
	if err := h.Attach(diskPath, true); err != nil {
		t.Fatal(err)
	}
	if _, err := h.StartForeignCompaction(diskPath, time.Hour); err != nil {
		t.Fatal(err)
	}
	h.RestartService()
	if len(h.Jobs()) != 0 || len(h.Attachments()) != 1 {
		t.Errorf("jobs %+v, attachments %+v", h.Jobs(), h.Attachments())
	}
}
