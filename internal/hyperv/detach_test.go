package hyperv_test

import (
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestDetachUnanswered: whatever leaves open whether a detach was carried out, it is not
// sent again for a minute: a late one must not meet the next attachment at its address.
func TestDetachUnanswered(t *testing.T) {
	t.Parallel()
	const jobStarted = 4096
	for name, effect := range map[string]hypervsim.Effect{
		"a job without a name":        hypervsim.Returns(jobStarted),
		"a reset":                     hypervsim.ResetBefore(),
		"a time-out":                  hypervsim.Fault(0x80338029, hypervsim.FaultFormAny),
		"garbage, half a minute late": hypervsim.Late(30*time.Second, hypervsim.CutAnswer()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk())
				var first time.Time
				sim.AddRule(hypervsim.Rule{Method: "DetachVirtualHardDisk", Effect: effect, Func: func(hypervsim.Request) { first = time.Now() }})
				sim.AddRule(hypervsim.Rule{Method: "DetachVirtualHardDisk", Times: -1, Func: func(hypervsim.Request) {
					if after := time.Since(first); after < time.Minute {
						t.Errorf("sent again after %s", after)
					}
				}})
				got, err := host.Compact(t.Context(), order())
				if err != nil || got.LeftAttached {
					t.Errorf("result = %+v, %v", got, err)
				}
				clean(t, sim)
				sim.ClearRules()
			})
		})
	}
}

// TestDetachMeetsAnother: before the detach another client detaches the disk, and its address goes
// to another attachment. That one stays.
func TestDetachMeetsAnother(t *testing.T) {
	t.Parallel()
	for name, attach := range map[string]func(*hypervsim.Console) error{
		"another disk, read-only": func(c *hypervsim.Console) error { return c.Attach(otherPath, true) },
		"another disk, writable":  func(c *hypervsim.Console) error { return c.Attach(otherPath, false) },
		"the same disk, writable": func(c *hypervsim.Console) error { return c.Attach(diskPath, false, `E:\`) },
	} {
		for _, moment := range []struct {
			name string
			rule hypervsim.Rule
		}{
			{"after the job", hypervsim.Rule{Method: "GetVirtualHardDiskState"}},
			{"in the look", hypervsim.Rule{Operation: hypervsim.OperationGet, Class: "Msvm_MountedStorageImage"}},
		} {
			t.Run(name+"/"+moment.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, disk(), other())
					time.AfterFunc(time.Minute, func() {
						rule := moment.rule
						rule.Func = func(hypervsim.Request) {
							console := sim.Console(`HYPERV\colleague`)
							console.Detach(diskPath)
							if err := attach(console); err != nil {
								t.Error(err)
							}
						}
						sim.AddRule(rule)
					})
					got, err := host.Compact(t.Context(), order())
					if got.LeftAttached || got.Run == nil || got.Run.Passes != 1 {
						t.Errorf("result = %+v, %v", got, err)
					}
					if left := sim.Attachments(); len(left) != 1 {
						t.Errorf("attachments %+v, want the colleague's", left)
					}
					if n := sim.Calls("DetachVirtualHardDisk"); n != 0 {
						t.Errorf("%d detaches sent", n)
					}
				})
			})
		}
	}
}

// TestHeldAndNotListed: while a compaction is refused as in use, the host does not list the
// attachment of the run. That is not the end of it: the disk is detached all the same.
func TestHeldAndNotListed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hidden atomic.Bool
		image := regexp.MustCompile(`(?s)<p:Msvm_MountedStorageImage .*?</p:Msvm_MountedStorageImage>`)
		sim, host := simulate(t, disk(), hypervsim.WithAnswer(func(request, answer string) string {
			if hidden.Load() && strings.Contains(request, "Enumerate>") {
				return image.ReplaceAllString(answer, "")
			}
			return answer
		}))
		sim.AddRule(hypervsim.Rule{Method: "CompactVirtualHardDisk", Times: -1, Effect: hypervsim.Returns(32774), Func: func(hypervsim.Request) { hidden.Store(true) }})
		sim.AddRule(hypervsim.Rule{Method: "FindMountedStorageImageInstance", Times: -1, Effect: hypervsim.Returns(32789)})
		got, err := host.Compact(t.Context(), order())
		if !errors.Is(err, hyperv.ErrInUse) || got.LeftAttached {
			t.Errorf("result = %+v, %v", got, err)
		}
		clean(t, sim)
	})
}
