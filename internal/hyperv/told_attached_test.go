package hyperv_test

import (
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// TestAttachmentIsTold: however a host tells of an attachment or of a job, a run says that the disk
// is attached if it is, and a destroy does not say that it has given the disk back if it has not.
func TestAttachmentIsTold(t *testing.T) {
	t.Parallel()
	properties := []saidProperty{{cim.ClassStorageJob, "ErrorCode"}, {cim.ClassStorageJob, "JobType"}, {cim.ClassStorageJob, "InstanceID"}}
	for _, name := range []string{"Access", "Name", "Lun", "PortNumber", "PathId", "TargetId", "PnpDevicePath"} {
		properties = append(properties, saidProperty{cim.ClassMountedStorageImage, name})
	}
	for _, property := range properties {
		for how, change := range map[string]func(request, answer string) string{
			"left out": property.unsay(false), "empty": property.unsay(true),
			"null":   property.tell(`<p:$1 xsi:nil="true"/>`),
			"padded": property.tell("<p:$1>\n $2 </p:$1>"), "blank": property.tell("<p:$1> \n</p:$1>"),
			"garbage": property.tell("<p:$1>x</p:$1>"),
		} {
			if property.name == "Name" && how == "garbage" {
				continue // the name of another file, as far as anyone can see
			}
			for _, release := range []hypervsim.Release{hypervsim.Server2012R2, hypervsim.Server2022} {
				t.Run(property.String()+"/"+how, func(t *testing.T) {
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
