package hyperv_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// TestNamedMeanwhile: an attachment without a name is watched, and another client attaches the disk
// in its place with a name, at the same address: that attachment is left alone.
func TestNamedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, names := range map[string][]string{
		"letter": {`E:\`}, "folder": {`C:\mnt\backup\`}, "letter of the partition alone": {"F"},
	} {
		for _, after := range []time.Duration{time.Second, 100 * time.Second, 149 * time.Second} {
			t.Run(name+"/"+after.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk())
					if err := sim.AttachFor("killed", diskPath); err != nil {
						t.Fatal(err)
					}
					console := sim.Console(`HYPERV\backup`)
					time.AfterFunc(after, func() {
						console.Detach(diskPath)
						if err := console.Attach(diskPath, true, names...); err != nil {
							t.Error(err)
						}
					})
					got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.LeftAttached = true }))
					if !errors.Is(err, hyperv.ErrInUse) || sim.Compactions(diskPath) != 0 {
						t.Errorf("result = %+v, %v, want it in use", got, err)
					}
					if left := sim.Attachments(); len(left) != 1 || len(left[0].Names) != 1 {
						t.Errorf("attachments %+v, want that of the backup", left)
					}
				})
			})
		}
	}
}
