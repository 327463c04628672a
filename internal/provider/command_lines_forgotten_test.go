package provider_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

func lacks(t *testing.T, out, part string) {
	t.Helper()
	if strings.Contains(out, part) {
		t.Errorf("the output has %q:\n%s", part, out)
	}
}

// Copies of one template share their identifier. A copy on another node is taken for
// the same disk, which is said, once, with the way to begin anew.
func TestCommandLines_copyOfATemplate(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		c.write(s.on(hereAddress) + disk())
		c.expect(0, applying...)
		must(t, s.there.Change(diskPath, func(v *hypervsim.VHD) { v.FileSize = 4 * gib }))
		c.write(s.on(thereAddress) + disk())
		contains(t, c.expect(0, planning...), "Virtual hard disk on another node", "last run was on HV-A", "On HV-B", "-replace")
		c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false")
		lacks(t, c.expect(0, planning...), "on another node")

		contains(t, c.expect(0, append(applying, "-replace="+address)...), "1 destroyed")
		lacks(t, c.expect(0, planning...), "on another node")
		compactions(t, s.here, 1)
		compactions(t, s.there, 1)
	})
}

// A compaction whose end was not seen is not forgotten without a warning.
func TestCommandLines_jobThatMayGoOn(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		sim := host(t, hypervsim.WithComputerName("HV-A"), hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) {
			v.Immediate, v.JobDuration, v.NotCancellable = false, time.Hour, true
		})))
		c.write(providerFor(sim) + disk(settings{"timeouts": `{ create = "300ms" }`, "attach_read_only": "false", "mode": `"Full"`}))
		contains(t, c.expect(1, applying...), "interrupted")
		contains(t, c.expect(0, "destroy", "-auto-approve", "-input=false"), "may go on", "HV-A", "Job ", "may still compact the disk")
	})
}

// Nor is it, by an apply or a destroy, while the provider's host has another disk.
func TestCommandLines_jobOnTheFormerHost(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		must(t, s.here.Change(diskPath, func(v *hypervsim.VHD) {
			v.Immediate, v.JobDuration, v.NotCancellable = false, time.Hour, true
		}))
		short := disk(settings{"timeouts": `{ create = "300ms" }`, "attach_read_only": "false", "mode": `"Full"`})
		c.write(s.on(hereAddress) + short)
		c.expect(1, applying...)
		c.expect(0, "untaint", address)

		c.write(s.on(elsewhereAddress) + short)
		contains(t, c.expect(2, planning...), "updated in-place", "last seen on HV-A", "may still compact the disk there", "Nothing is replaced until")
		contains(t, c.expect(1, applying...), "Nothing was started", "HV-A")
		contains(t, c.expect(1, "destroy", "-auto-approve", "-input=false"), "Nothing was forgotten", "HV-A", "may still compact", "terraform state rm")
		c.write(s.on(hereAddress) + short)
		contains(t, c.expect(0, "destroy", "-auto-approve", "-input=false"), "may go on")
		compactions(t, s.elsewhere, 0)
	})
}

// A refresh under another host of the environment forgets nothing, and the first one
// finds everything as it was.
func TestCommandLines_hostOfTheEnvironment(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		c.write(s.on(hereAddress, settings{"host": ""}) + disk())
		env := c.env
		under := func(host string) { c.env = append(slices.Clone(env), "HYPERV_HOST="+host) }
		under(hereAddress)
		c.expect(0, applying...)
		under(elsewhereAddress)
		contains(t, c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false"), "Another virtual hard disk", "last seen on HV-A")
		contains(t, c.expect(0, "state", "show", address), `node = "HV-A"`, `status = "compacted"`)
		contains(t, c.expect(2, planning...), "must be replaced")
		under(hereAddress)
		c.expect(0, planning...)
		under(hereName)
		c.expect(0, planning...)
		c.env = env // a refresh that can ask no host says so
		contains(t, c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false"), "Warning: No Hyper-V host named", "HYPERV_HOST")
		compactions(t, s.here, 1)
		compactions(t, s.elsewhere, 0)
	})
}

// An update without a run cannot store what it has learned of the disk: the refresh
// after it asks again.
func TestCommandLines_identifierLearnedLate(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		c.write(s.on(hereAddress) + disk())
		c.expect(0, applying...)
		file := filepath.Join(c.dir, "terraform.tfstate")
		stored, err := os.ReadFile(file)
		must(t, err)
		known := regexp.MustCompile(`"virtual_disk_id": "[^"]*"`)
		must(t, os.WriteFile(file, known.ReplaceAll(stored, []byte(`"virtual_disk_id": null`)), 0o600))

		c.write(s.on(hereName) + disk(settings{"if_in_use": `"skip"`}))
		c.expect(0, append(applying, "-refresh=false")...)
		c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false")
		contains(t, c.expect(0, "state", "show", address), `virtual_disk_id = "0E5D4F1A`)
	})
}

// A host that showed another disk and then cannot be reached is asked again by the next refresh:
// until it answers, nothing is replaced.
func TestCommandLines_elsewhereThenUnreachable(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		skip := disk(settings{"if_unreachable": `"skip"`})
		c.write(s.on(hereAddress) + skip)
		c.expect(0, applying...)
		c.write(s.on(elsewhereAddress) + skip)
		contains(t, c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false"), "Another virtual hard disk")

		down := s.on(elsewhereAddress, settings{"port": closedPort(t)})
		c.write(down + skip)
		contains(t, c.expect(0, planning...), "Hyper-V host unreachable, state kept")
		c.write(s.on(elsewhereAddress) + skip)
		contains(t, c.expect(2, planning...), "must be replaced")
	})
}

// An update that starts nothing asks no host, so that it neither fails on another disk nor counts as
// having seen it.
func TestCommandLines_updateWithoutRunAsksNobody(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		c.write(s.on(hereAddress) + disk())
		c.expect(0, applying...)
		c.write(s.on(elsewhereAddress) + disk(settings{"if_in_use": `"skip"`}))
		contains(t, c.expect(0, append(applying, "-refresh=false")...), "1 changed")
		if n := s.elsewhere.Exchanges(); n != 0 {
			t.Errorf("the host was asked %d times, want 0", n)
		}
		contains(t, c.expect(0, "state", "show", address), `if_in_use`, `"skip"`, `node = "HV-A"`)
		contains(t, c.expect(2, planning...), "must be replaced", "last seen on HV-A")
	})
}

// A host that does not tell which disk the path names has not been compared: a refresh keeps the
// state, an apply starts nothing, and the next refresh asks again.
func TestCommandLines_hostThatDoesNotTell(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		c.write(s.on(hereAddress) + disk())
		c.expect(0, applying...)
		s.elsewhere.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskSettingData", Times: -1, Effect: hypervsim.Returns(32768)})
		c.write(s.on(elsewhereAddress) + disk())
		contains(t, c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false"), "Virtual hard disk not read, last size kept")
		c.write(s.on(elsewhereAddress) + disk(settings{"mode": `"Full"`}))
		contains(t, c.expect(1, applying...), "Unable to compact virtual hard disk", "32768")
		s.elsewhere.ClearRules()
		contains(t, c.expect(2, planning...), "must be replaced", "last seen on HV-A")
		compactions(t, s.elsewhere, 0)
	})
}

// A host without identifiers tells nothing against the disk, so what was known stays known, and the
// next host is compared with it.
func TestCommandLines_identifierKeptMeanwhile(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		must(t, s.there.Change(diskPath, func(v *hypervsim.VHD) { v.FileSize, v.VirtualDiskID = 4*gib, "" }))
		c.write(s.on(hereAddress) + disk())
		c.expect(0, applying...)
		c.write(s.on(thereAddress) + disk())
		c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false")
		contains(t, c.expect(0, "state", "show", address), `virtual_disk_id = "0E5D4F1A`, `node = "HV-A"`)
		c.write(s.on(elsewhereAddress) + disk())
		contains(t, c.expect(2, planning...), "must be replaced", "last seen on HV-A")
	})
}
