package hyperv_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// unsaidWorld has disks that must be left alone, each for another reason.
func unsaidWorld() (opts []hypervsim.Option, refused []string) {
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
	below("savedchild", "savedchild_1.avhdx", hypervsim.VM{State: hypervsim.VMSaved})
	add("backup", hypervsim.VM{Checkpoints: []hypervsim.Checkpoint{{Name: "backup", Kind: "Recovery", Disks: []string{disk("backup")}}}})
	disks = append(disks, base(disk("point")), base(disk("share")))
	machines = append(machines,
		hypervsim.VM{Name: "point", Checkpoints: []hypervsim.Checkpoint{{Name: "point", Kind: "Replica:Standard", Disks: []string{disk("point")}}}},
		hypervsim.VM{Name: "share", State: hypervsim.VMSaved, Disks: []string{`\\hyperv01\vms\share.vhdx`}})
	refused = append(refused, disk("point"), disk("share"))
	return []hypervsim.Option{hypervsim.WithVHD(disks...), hypervsim.WithVM(machines...), hypervsim.WithShare("vms", `D:\VMs`)}, refused
}

var (
	resourceURI = regexp.MustCompile(`ResourceURI[^>]*>[^<]*/([A-Za-z_0-9*]+)<`)
	element     = regexp.MustCompile(`<p:([A-Za-z_]+)[ >/]`)
	embedded    = regexp.MustCompile(`PROPERTY(?:\.ARRAY)? NAME=(?:"|&quot;|&#34;)([A-Za-z_]+)`)
)

// unsay removes the property from the answers about a class, or empties it.
func unsay(class, property string, emptied bool) func(request, answer string) string {
	whole := regexp.MustCompile(`(?s)<p:` + property + `( [^>]*)?/>|<p:` + property + `( [^>]*[^/])?>.*?</p:` + property + `>`)
	inside := regexp.MustCompile(`(?s)(?:<|&lt;)PROPERTY(\.ARRAY)? NAME=(?:"|&quot;|&#34;)` + property + `(?:"|&quot;|&#34;).*?(?:<|&lt;)/PROPERTY(\.ARRAY)?(?:>|&gt;)`)
	return func(request, answer string) string {
		if m := resourceURI.FindStringSubmatch(request); m == nil || m[1] != class {
			return answer
		}
		with := ""
		if emptied {
			with = "<p:" + property + "></p:" + property + ">"
		}
		return inside.ReplaceAllString(whole.ReplaceAllString(answer, with), "")
	}
}

func TestUnsaid(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	opts, refused := unsaidWorld()
	synctest.Test(t, func(t *testing.T) {
		listen := hypervsim.WithAnswer(func(request, answer string) string {
			if m := resourceURI.FindStringSubmatch(request); m != nil {
				for _, pattern := range []*regexp.Regexp{element, embedded} {
					for _, p := range pattern.FindAllStringSubmatch(answer, -1) {
						said[m[1]+" "+p[1]] = true
					}
				}
			}
			return answer
		})
		sim, host := simulate(t, append(opts, listen)...)
		for _, path := range refused {
			if got, err := attempt(t, host, path); err == nil {
				t.Errorf("%s: %s", path, got.Status)
			}
		}
		clean(t, sim)
	})
	t.Log(len(said))
	for _, name := range slices.Sorted(maps.Keys(said)) {
		class, property, _ := strings.Cut(name, " ")
		if strings.HasPrefix(property, "Msvm_") || strings.HasSuffix(property, "_OUTPUT") {
			continue
		}
		for _, emptied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%s/emptied=%t", class, property, emptied), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim, host := simulate(t, append(slices.Clone(opts), hypervsim.WithAnswer(unsay(class, property, emptied)))...)
					for _, path := range refused {
						_, err := attempt(t, host, path)
						if sim.CompactionRequests(path) != 0 || errors.Is(err, hyperv.ErrUnauthenticated) {
							t.Errorf("%s: %d requests, %v", path, sim.CompactionRequests(path), err)
						}
					}
				})
			})
		}
	}
}
