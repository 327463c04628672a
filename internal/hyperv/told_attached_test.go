package hyperv_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// TestAttachmentIsTold: however a host tells of an attachment or of a job, a run says that the disk
// is attached if it is, and a destroy does not say that it has given the disk back if it has not.
func TestAttachmentIsTold(t *testing.T) {
	t.Parallel()
	properties := []saidProperty{{cim.ClassStorageJob, "ErrorCode"}, {cim.ClassStorageJob, "JobType"}, {cim.ClassStorageJob, "InstanceID"}}
	for _, name := range []string{"Access", "Name", "Lun", "PortNumber", "PathId", "TargetId", "PnpDevicePath"} {
		properties = append(properties, saidProperty{cim.ClassMountedStorageImage, name})
	}
	ways := map[string]func(saidProperty) func(request, answer string) string{
		"left out": func(p saidProperty) func(_, _ string) string { return p.unsay(false) },
		"empty":    func(p saidProperty) func(_, _ string) string { return p.unsay(true) },
		"null":     func(p saidProperty) func(_, _ string) string { return p.tell(`<p:$1 xsi:nil="true"/>`) },
		"padded":   func(p saidProperty) func(_, _ string) string { return p.tell("<p:$1>\n $2 </p:$1>") },
		"blank":    func(p saidProperty) func(_, _ string) string { return p.tell("<p:$1> \n</p:$1>") },
		"garbage":  func(p saidProperty) func(_, _ string) string { return p.tell("<p:$1>x</p:$1>") },
	}
	cases := map[string]func(request, answer string) string{}
	for _, property := range properties {
		for how, way := range ways {
			cases[property.String()+"/"+how] = way(property)
		}
	}
	delete(cases, cim.ClassMountedStorageImage+"/Name/garbage") // the name of another file, as far as anyone can see
	for name, change := range sample.EveryNamed(7, cases) {
		for _, release := range []hypervsim.Release{hypervsim.Server2012R2, hypervsim.Server2022} {
			t.Run(fmt.Sprintf("%s/%v", name, release), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, hypervsim.WithRelease(release), disk(), hypervsim.WithAnswer(change))
					got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.Timeout = time.Hour }))
					if attached := len(sim.Attachments()) == 1; attached && err == nil && !got.LeftAttached {
						t.Errorf("%s, although the disk is attached", got.Status)
					}
					sim.Detach(diskPath)
					if err := sim.AttachFor("left", diskPath); err != nil {
						t.Fatal(err)
					}
					err = process(t, sim, "left").GiveBack(t.Context(), diskPath, leftAt())
					if attached := len(sim.Attachments()) == 1; attached && err == nil {
						t.Error("given back, although the disk is attached")
					}
				})
			})
		}
	}
}

// TestAttachCompletedWithAnError: the job of an attach has completed, and has an error code. Whether
// the disk is attached is looked for, also by a run that is interrupted meanwhile.
func TestAttachCompletedWithAnError(t *testing.T) {
	t.Parallel()
	code := saidProperty{cim.ClassStorageJob, "ErrorCode"}.tell("<p:$1>1</p:$1>")
	for name, timeout := range map[string]time.Duration{"awaited": time.Hour, "interrupted": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk(func(v *hypervsim.VHD) { v.AttachDuration = 10 * time.Second }),
					hypervsim.WithAnswer(func(request, answer string) string {
						if strings.Contains(answer, "<p:JobState>7<") {
							return code(request, answer)
						}
						return answer
					}))
				got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.Timeout = timeout }))
				if attached := len(sim.Attachments()) == 1; attached && !got.LeftAttached {
					t.Errorf("%s, %v, although the disk is attached", got.Status, err)
				}
			})
		})
	}
}

// TestAttachCompletedInUse: an attach that has completed, with the code that says that the disk is
// in use, and has attached nothing, is a refusal.
func TestAttachCompletedInUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, host := simulate(t, disk(func(v *hypervsim.VHD) {
			v.AttachFailure = &hypervsim.JobFailure{ErrorCode: 32774, CompletionStatus: 0x80070020}
		}), hypervsim.WithAnswer(func(_, answer string) string {
			return strings.ReplaceAll(answer, "<p:JobState>10</p:JobState>", "<p:JobState>7</p:JobState>")
		}))
		got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.SkipInUse = true }))
		if err != nil || got.Status != hyperv.StatusSkippedInUse {
			t.Errorf("%s, %v", got.Status, err)
		}
	})
}

// TestDeviceToldLater: a list does not tell the device of an attachment yet, and a look tells it.
func TestDeviceToldLater(t *testing.T) {
	t.Parallel()
	untold := saidProperty{cim.ClassMountedStorageImage, "PnpDevicePath"}.unsay(false)
	synctest.Test(t, func(t *testing.T) {
		sim, _ := simulate(t, disk(), hypervsim.WithAnswer(func(request, answer string) string {
			if strings.Contains(request, "enumeration/") {
				return untold(request, answer)
			}
			return answer
		}))
		if err := sim.AttachFor("left", diskPath); err != nil {
			t.Fatal(err)
		}
		if err := process(t, sim, "left").GiveBack(t.Context(), diskPath, leftAt()); err != nil {
			t.Error(err)
		}
		clean(t, sim)
	})
}

// tell tells the property in answers otherwise: $1 is its name, $2 its value.
func (p saidProperty) tell(as string) func(request, answer string) string {
	told := regexp.MustCompile(`<p:(` + p.name + `)>([^<]*)</p:` + p.name + `>`)
	return func(request, answer string) string {
		if askedClass(request) != p.class {
			return answer
		}
		return told.ReplaceAllString(answer, as)
	}
}
