package hyperv_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// usedDisks are disks that must be left alone, each for another reason: all of them, and those that
// no consent frees.
func usedDisks() (opts []hypervsim.Option, refused, always []string) {
	disk := func(name string) string { return `D:\VMs\` + name + `.vhdx` }
	var disks []hypervsim.VHD
	var machines []hypervsim.VM
	add := func(name string, m hypervsim.VM) {
		disks = append(disks, base(disk(name)))
		m.Name, m.Disks = name, append(m.Disks, disk(name))
		machines = append(machines, m)
		refused = append(refused, disk(name))
	}
	below := func(name, leaf string, m hypervsim.VM) {
		disks = append(disks, base(disk(name)), child(`D:\VMs\`+leaf, disk(name)))
		m.Name, m.Disks = name, []string{`D:\VMs\` + leaf}
		machines = append(machines, m)
		refused = append(refused, disk(name))
	}
	add("saved", hypervsim.VM{State: hypervsim.VMSaved})
	add("planned", hypervsim.VM{Planned: true})
	add("replica", hypervsim.VM{Replication: 2})
	add("primary", hypervsim.VM{Replication: 1})
	below("clone", "clone_child.vhdx", hypervsim.VM{})
	below("checkpoint", "checkpoint_1.avhdx", hypervsim.VM{})
	add("unlisted", hypervsim.VM{Unlisted: true})
	below("savedchild", "savedchild_1.avhdx", hypervsim.VM{State: hypervsim.VMSaved})
	add("backup", hypervsim.VM{Checkpoints: []hypervsim.Checkpoint{{Name: "backup", Kind: "Recovery", Disks: []string{disk("backup")}}}})
	disks = append(disks, base(disk("point")), base(disk("share")))
	machines = append(machines,
		hypervsim.VM{Name: "point", Checkpoints: []hypervsim.Checkpoint{{Name: "point", Kind: "Replica:Standard", Disks: []string{disk("point")}}}},
		hypervsim.VM{Name: "share", State: hypervsim.VMSaved, Disks: []string{`\\hyperv01\vms\share.vhdx`}})
	refused = append(refused, disk("point"), disk("share"))
	for _, path := range refused {
		if !slices.Contains([]string{disk("primary"), disk("clone"), disk("checkpoint")}, path) {
			always = append(always, path)
		}
	}
	return []hypervsim.Option{hypervsim.WithVHD(disks...), hypervsim.WithVM(machines...), hypervsim.WithShare("vms", `D:\VMs`)}, refused, always
}

// TestUnsaid: whatever one property a host leaves out or leaves empty in its answers, a disk that
// must be left alone is left alone.
func TestUnsaid(t *testing.T) {
	t.Parallel()
	for _, property := range sample.Every(9, said(t)) {
		for _, emptied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/emptied=%t", property, emptied), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { orderUsedDisks(t, property.unsay(emptied)) })
			})
		}
	}
}

// orderUsedDisks orders each disk that must be left alone, of a host whose answers are changed.
func orderUsedDisks(t *testing.T, change func(request, answer string) string) {
	t.Helper()
	world, refused, always := usedDisks()
	sim, host := simulate(t, append(world, hypervsim.WithAnswer(change))...)
	try := func(path string, adjust ...func(*hyperv.Order)) {
		if got, err := attempt(t, host, path, adjust...); err == nil || sim.CompactionRequests(path) != 0 {
			t.Errorf("%s: %s, %v, %d requests, want it left alone", path, got.Status, err, sim.CompactionRequests(path))
		}
	}
	for _, path := range refused {
		try(path)
	}
	for _, path := range always {
		try(path, func(o *hyperv.Order) {
			o.AllowParent, o.AllowReplicated, o.AllowAttach, o.Mode = true, true, false, new(hyperv.ModePrezeroed)
		})
	}
}

// said lists the properties in the answers that these orders get.
func said(t *testing.T) []saidProperty {
	t.Helper()
	found := map[saidProperty]bool{}
	synctest.Test(t, func(t *testing.T) {
		orderUsedDisks(t, func(request, answer string) string {
			for _, pattern := range [...]*regexp.Regexp{elementName, embeddedName} {
				for _, match := range pattern.FindAllStringSubmatch(answer, -1) {
					if class := askedClass(request); match[1] != class { // a whole object cannot be missed
						found[saidProperty{class, match[1]}] = true
					}
				}
			}
			return answer
		})
	})
	if len(found) < 50 || !found[saidProperty{cim.ClassImageManagementService, "VirtualDiskId"}] || !found[saidProperty{cim.ClassComputerSystem, "Name"}] {
		t.Fatalf("the answers are not understood: %v", found)
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b saidProperty) int { return strings.Compare(a.String(), b.String()) })
}

// saidProperty is a property in answers to requests to a class.
type saidProperty struct{ class, name string }

func (p saidProperty) String() string { return p.class + "/" + p.name }

var (
	resourceURI  = regexp.MustCompile(`ResourceURI[^>]*>[^<]*/([A-Za-z_0-9*]+)<`)
	elementName  = regexp.MustCompile(`<p:([A-Za-z_]+)[ >/]`)
	embeddedName = regexp.MustCompile(`PROPERTY(?:\.ARRAY)? NAME=(?:"|&quot;|&#34;)([A-Za-z_]+)`)
)

func askedClass(request string) string {
	if m := resourceURI.FindStringSubmatch(request); m != nil {
		return m[1]
	}
	return ""
}

// unsay drops the property from answers, or its value.
func (p saidProperty) unsay(emptied bool) func(request, answer string) string {
	element := regexp.MustCompile(`(?s)<(?:p:)?` + p.name + `(?: [^>]*)?/>|<(?:p:)?` + p.name + `(?: [^>]*[^/])?>.*?</(?:p:)?` + p.name + `>`)
	embedded := regexp.MustCompile(`(?s)(?:<|&lt;)PROPERTY(\.ARRAY)? NAME=(?:"|&quot;|&#34;)` + p.name + `(?:"|&quot;|&#34;).*?(?:<|&lt;)/PROPERTY(\.ARRAY)?(?:>|&gt;)`)
	with := ""
	if emptied {
		with = "<p:" + p.name + "></p:" + p.name + ">"
	}
	return func(request, answer string) string {
		if askedClass(request) != p.class {
			return answer
		}
		return embedded.ReplaceAllString(element.ReplaceAllString(answer, with), "")
	}
}
