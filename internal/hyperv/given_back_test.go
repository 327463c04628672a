package hyperv_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestGiveBackAfterAWait: what was left changes hands, or gets a name, while a
// compaction of another disk is awaited. It stays then.
func TestGiveBackAfterAWait(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]func(*testing.T, *hypervsim.Host) (after func()){
		"taken over": func(t *testing.T, sim *hypervsim.Host) func() {
			t.Helper()
			taker := background(t.Context(), process(t, sim, "taker"), order())
			return func() {
				if got, err := taker(); err != nil {
					t.Errorf("the taker: %+v, %v", got, err)
				}
			}
		},
		"a letter": func(t *testing.T, sim *hypervsim.Host) func() {
			t.Helper()
			time.AfterFunc(time.Minute, func() {
				console := sim.Console(`HYPERV\backup`)
				console.Detach(diskPath)
				if err := console.Attach(diskPath, true, `E:\`); err != nil {
					t.Error(err)
				}
			})
			return func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, _ := simulate(t, disk(func(v *hypervsim.VHD) { v.JobDuration = time.Hour }), other())
				if err := sim.AttachFor("left", diskPath); err != nil {
					t.Fatal(err)
				}
				if _, err := sim.Console(`HYPERV\colleague`).Compact(otherPath, 8*time.Minute); err != nil {
					t.Fatal(err)
				}
				after := during(t, sim)
				if err := process(t, sim, "left").GiveBack(t.Context(), diskPath, leftAt()); err == nil {
					t.Error("given back")
				}
				after()
			})
		})
	}
}
