//go:build linux

package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/freeport"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// clusterAddresses are the nodes with the addresses of loopback on which they listen, all on one
// port. They resolve with the domain only.
var clusterAddresses = map[string]string{"HV01": "127.0.0.11", "HV02": "127.0.0.12", "HV03": "127.0.0.13"}

// onCluster returns the path of a disk on the shared volume.
func onCluster(name string) string { return `C:\ClusterStorage\Volume1\VMs\` + name + ".vhdx" }

// startCluster starts three nodes on one port, and the command line of Terraform in
// which their names resolve.
func startCluster(t *testing.T) (*hypervsim.Cluster, string, cli) {
	t.Helper()
	names := []string{}
	for node, address := range clusterAddresses {
		names = append(names, strings.ToLower(node)+".lab.example="+address)
	}
	c := newCLI(t, envNames+"="+strings.Join(names, ","))
	port := strconv.Itoa(freeport.On(t, slices.Collect(maps.Values(clusterAddresses))...))
	config := hypervsim.ClusterConfig{Addresses: map[string]string{}}
	for node, address := range clusterAddresses {
		config.Addresses[node] = net.JoinHostPort(address, port)
	}
	cluster, err := hypervsim.NewCluster(config, nil, slices.Sorted(maps.Keys(clusterAddresses))...)
	must(t, err)
	must(t, cluster.Start(t.Context()))
	t.Cleanup(func() {
		must(t, cluster.Close())
		for _, v := range cluster.Hosts()[0].Violations() {
			t.Errorf("the cluster was treated badly: %s", v)
		}
	})
	return cluster, port, c
}

// clusterConfig is a resource for each of the disks.
func clusterConfig(port string, disks []string, provider, resource settings) string {
	block := settings{
		"host": quote("hv01.lab.example"), "port": port, "https": "false",
		"username": quote(hypervsim.DefaultUser), "password": quote(hypervsim.DefaultPassword),
	}.with(provider)
	var paths []string
	for _, d := range disks {
		paths = append(paths, quote(d))
	}
	return "provider \"hyperv\" {\n" + block.render() + "}\n" +
		"resource \"hyperv_vhd_compaction\" \"disk\" {\n  for_each = toset([" + strings.Join(paths, ", ") + "])\n" +
		settings{"path": `"C:\\ClusterStorage\\Volume1\\VMs\\${each.key}.vhdx"`}.with(resource).render() + "}\n" +
		"output \"ends\" {\n  value = { for k, d in hyperv_vhd_compaction.disk : k => \"${d.status}: ${coalesce(d.status_detail, \"-\")}\" }\n}\n"
}

// ends returns the end of each disk's last run, with its one sentence.
func (c cli) ends() map[string]string {
	c.t.Helper()
	found := map[string]string{}
	must(c.t, json.Unmarshal([]byte(c.expect(0, "output", "-json", "ends")), &found))
	return found
}

// expectation is the expected end of a disk: the status, and a part of the sentence.
type expectation struct {
	status string
	names  []string
}

// population holds the machines and disks of a cluster, and the expected end of each disk.
type population struct {
	cluster  *hypervsim.Cluster
	machines int
	want     map[string]expectation
}

func (p *population) disk(name string, parent string) string {
	v := hypervsim.VHD{
		Path: onCluster(name), FileSize: 10 * gib, ReclaimableMounted: 6 * gib, ReclaimableUnmounted: gib, Immediate: true, AttachImmediate: true,
	}
	if strings.HasSuffix(name, "_cp") {
		v.Path = strings.TrimSuffix(v.Path, ".vhdx") + ".avhdx"
	}
	if parent != "" {
		v.Type, v.ParentPath = hypervsim.TypeDifferencing, onCluster(parent)
	}
	p.cluster.Hosts()[0].AddVHD(v)
	return v.Path
}

// machine puts a machine on the next node and returns the name of that node.
func (p *population) machine(vm hypervsim.VM) string {
	node := p.cluster.Hosts()[p.machines%len(p.cluster.Hosts())]
	p.machines++
	node.AddVM(vm)
	return node.ComputerName()
}

// own adds machines with two disks of their own in one state.
func (p *population) own(count int, kind string, vm hypervsim.VM, status string, names ...string) {
	for i := range count {
		name := fmt.Sprintf("%s%02d", kind, i)
		vm.Name, vm.Disks = name, []string{p.disk(name+"-a", ""), p.disk(name+"-b", "")}
		node := p.machine(vm)
		for _, d := range []string{name + "-a", name + "-b"} {
			e := expectation{status: status}
			if status != "compacted" {
				e.names = append([]string{name, node}, names...)
			}
			p.want[d] = e
		}
	}
}

// fill puts 40 machines and 120 disks on the cluster.
func (p *population) fill() {
	p.own(8, "running", hypervsim.VM{State: hypervsim.VMRunning}, "skipped_in_use", "(running)")
	p.own(5, "saved", hypervsim.VM{State: hypervsim.VMSaved}, "skipped_in_use", "saved state")
	p.own(12, "off", hypervsim.VM{}, "compacted")
	p.own(2, "planned", hypervsim.VM{Planned: true}, "skipped_in_use", "planned")
	p.own(1, "primary", hypervsim.VM{Replication: 1}, "skipped_dependents", "replicated")
	p.own(1, "replica", hypervsim.VM{Replication: 2}, "skipped_dependents", "replica")

	p.disk("golden", "")
	node := ""
	for i := range 6 {
		name := fmt.Sprintf("clone%02d", i)
		n := p.machine(hypervsim.VM{Name: name, Disks: []string{p.disk(name, "golden")}})
		if i == 0 {
			node = n
		}
		p.want[name] = expectation{status: "compacted"}
	}
	p.want["golden"] = expectation{"skipped_dependents", []string{"clone00", node, "(off)", onCluster("clone00")}}

	for i := range 4 {
		name := fmt.Sprintf("checkpoint%02d", i)
		base := p.disk(name, "")
		node := p.machine(hypervsim.VM{
			Name: name, Disks: []string{p.disk(name+"_cp", name)}, Checkpoints: []hypervsim.Checkpoint{{Name: "before", Disks: []string{base}}},
		})
		p.want[name] = expectation{"skipped_in_use", []string{name, node, "(checkpoint)"}}
	}
	p.disk("orphan", "")
	node = p.machine(hypervsim.VM{Name: "orphan", Disks: []string{p.disk("orphan_cp", "orphan")}})
	p.want["orphan"] = expectation{"skipped_in_use", []string{"orphan", node, ".avhdx"}}
	for i := range 120 - len(p.want) - 5 { // and five disks of checkpoints, which no resource names
		name := fmt.Sprintf("free%02d", i)
		p.disk(name, "")
		p.want[name] = expectation{status: "compacted"}
	}
}

// check compares how the disks ended with what was expected.
func (p *population) check(t *testing.T, ends map[string]string) {
	t.Helper()
	for name, want := range p.want {
		status, sentence, _ := strings.Cut(ends[name], ": ")
		if status != want.status {
			t.Errorf("%s ended as %q, want %s", name, ends[name], want.status)
		}
		for _, part := range want.names {
			if !strings.Contains(sentence, part) {
				t.Errorf("%s: %q does not name %q", name, sentence, part)
			}
		}
	}
}

// planned returns the disks for which the output of a plan or an apply announces a run.
func planned(out string) []string {
	var all []string
	for line := range strings.Lines(out) {
		if _, rest, ok := strings.Cut(line, `# hyperv_vhd_compaction.disk["`); ok && strings.Contains(rest, "will be") {
			name, _, _ := strings.Cut(rest, `"`)
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// TestCLI_cluster: a cluster of three nodes with 40 machines and 120 disks. Disks on which others
// depend are left alone, with the reason; all others are compacted. Then one node goes down, and
// one denies access.
func TestCLI_cluster(t *testing.T) {
	t.Parallel()
	cluster, port, c := startCluster(t)
	p := &population{cluster: cluster, want: map[string]expectation{}}
	p.fill()
	if disks := len(cluster.Hosts()[0].VHDs()); p.machines != 40 || disks != 120 {
		t.Fatalf("%d machines and %d disks", p.machines, disks)
	}
	names := slices.Sorted(maps.Keys(p.want))
	skip := settings{"if_in_use": `"skip"`}
	c.write(clusterConfig(port, names, nil, skip))
	plan := []string{"plan", "-detailed-exitcode", "-input=false"}
	apply := []string{"apply", "-auto-approve", "-input=false"}
	c.expect(0, apply...)
	p.check(t, c.ends())

	var owed []string // disks that may be free on a later night
	for name, want := range p.want {
		if want.status == "skipped_in_use" {
			owed = append(owed, name)
		}
	}
	slices.Sort(owed)
	if due := planned(c.expect(2, plan...)); !slices.Equal(due, owed) {
		t.Errorf("due in the second night: %q, want %q", due, owed)
	}

	// HV03 goes down; its machines fail over, including the running ones.
	for _, vm := range cluster.Node("HV03").VMs() {
		must(t, cluster.MoveVM(vm.Name, "HV02"))
	}
	cluster.SetNode("HV03", hypervsim.NodeDown)
	for _, want := range p.want {
		for i, n := range want.names {
			if n == "HV03" {
				want.names[i] = "HV02"
			}
		}
	}
	// Two disks have grown: one that no machine uses, and one of a machine that is off.
	grown := []string{"free01", "off03-b"}
	before := map[string]int{}
	for _, name := range grown {
		must(t, cluster.Hosts()[0].Grow(onCluster(name), 8*gib))
		before[name] = cluster.Hosts()[0].Compactions(onCluster(name))
	}
	out := c.expect(0, apply...)
	contains(t, out, "Cluster nodes down, not asked", "HV03")
	p.check(t, c.ends())
	for _, name := range grown {
		if got := cluster.Hosts()[0].Compactions(onCluster(name)); got != before[name]+1 {
			t.Errorf("%s was compacted %d times more with a node down, want once", name, got-before[name])
		}
	}
	if due := planned(c.expect(2, plan...)); !slices.Equal(due, owed) {
		t.Errorf("due in the third night: %q, want %q", due, owed)
	}

	// HV02 denies access: nothing on the cluster volume is compacted without consent.
	account := strings.ToLower(hypervsim.DefaultUser)
	cluster.Node("HV02").Deny(account, cim.NamespaceVirtualizationV2)
	must(t, cluster.Hosts()[0].Grow(onCluster("free00"), 8*gib))
	last := cluster.Hosts()[0].Compactions(onCluster("free00"))
	out = c.expect(1, "apply", "-auto-approve", "-input=false", `-target=hyperv_vhd_compaction.disk["free00"]`)
	contains(t, out, "node HV02 at HV02.lab.example", "Hyper-V Administrators", "allow_unseen_machines = true")
	if got := cluster.Hosts()[0].Compactions(onCluster("free00")); got != last {
		t.Error("free00 was compacted although HV02 did not tell its machines")
	}
	c.write(clusterConfig(port, names, settings{"allow_unseen_machines": "true"}, skip))
	out = c.expect(0, "apply", "-auto-approve", "-input=false", `-target=hyperv_vhd_compaction.disk["free00"]`)
	contains(t, out, "Use of disks by virtual machines not visible")
	if got := cluster.Hosts()[0].Compactions(onCluster("free00")); got != last+1 {
		t.Errorf("free00 was compacted %d times more with consent, want once", got-last)
	}
}

// TestCLI_refreshElsewhere: thirty of a hundred disks are in use on another node
// when a plan refreshes. None of them fails it.
func TestCLI_refreshElsewhere(t *testing.T) {
	t.Parallel()
	for _, onUse := range []string{"fail", "skip"} {
		t.Run(onUse, func(t *testing.T) {
			t.Parallel()
			cluster, port, c := startCluster(t)
			p := &population{cluster: cluster, want: map[string]expectation{}}
			var names []string
			for i := range 100 {
				names = append(names, fmt.Sprintf("disk%02d", i))
				p.disk(names[i], "")
			}
			c.write(clusterConfig(port, names, nil, settings{"if_in_use": quote(onUse)}))
			c.expect(0, "apply", "-auto-approve", "-input=false")
			for i := range 30 {
				cluster.Node("HV02").AddVM(hypervsim.VM{Name: names[i], State: hypervsim.VMRunning, Disks: []string{onCluster(names[i])}})
			}
			out := c.expect(0, "plan", "-detailed-exitcode", "-input=false")
			contains(t, out, "Virtual hard disk not read, last size kept", "and 29 more similar warnings elsewhere")
			must(t, cluster.Hosts()[0].Grow(onCluster("disk99"), 8*gib))
			if due := planned(c.expect(2, "plan", "-detailed-exitcode", "-input=false")); !slices.Equal(due, []string{"disk99"}) {
				t.Errorf("due: %q, want disk99 alone", due)
			}
		})
	}
}

// TestCLI_goldenImage: a golden image is left alone, says why, and asks for nothing
// on the second night; when it grows it is due, once.
func TestCLI_goldenImage(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd(), vhd(func(v *hypervsim.VHD) {
		v.Path, v.Type, v.ParentPath = `D:\VMs\clone.vhdx`, hypervsim.TypeDifferencing, diskPath
	})), hypervsim.WithVM(hypervsim.VM{Name: "clone", State: hypervsim.VMRunning, Disks: []string{`D:\VMs\clone.vhdx`}}))
	c := newCLI(t)
	c.write(providerFor(sim) + disk(settings{"if_in_use": `"skip"`}))
	plan := []string{"plan", "-detailed-exitcode", "-input=false"}
	apply := []string{"apply", "-auto-approve", "-input=false"}
	contains(t, c.expect(0, apply...), "Virtual hard disk depended on, not compacted", "clone on HYPERV01 (running) through its child")
	c.expect(0, plan...)
	must(t, sim.Write(diskPath, 8*gib))
	contains(t, c.expect(2, plan...), `plan_reason = "first run" -> "grew 8.0 GiB (80 %) from 10.0 GiB"`)
	c.expect(0, apply...)
	c.expect(0, plan...)
	compactions(t, sim, 0)

	c.write(providerFor(sim) + disk())
	c.expect(0, apply...) // if_in_use alone asks for no run
	c.write(providerFor(sim) + disk(settings{"triggers": `{ now = "1" }`}))
	contains(t, c.expect(1, apply...), "other disks depend on it", "clone on HYPERV01", "allow_parent = true and mode")
}

// TestCLI_replicated: a disk of a primary is compacted only with consent, which the plan names;
// consent makes a disk due that was left alone without it.
func TestCLI_replicated(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{Name: "web01", Replication: 1, Disks: []string{diskPath}}))
	c := newCLI(t)
	apply := []string{"apply", "-auto-approve", "-input=false"}
	c.write(providerFor(sim) + disk(settings{"if_in_use": `"skip"`}))
	contains(t, c.expect(0, apply...), "replicated for virtual machine web01")
	c.write(providerFor(sim) + disk(settings{"if_in_use": `"skip"`, "allow_replicated": "true"}))
	contains(t, c.expect(2, "plan", "-detailed-exitcode", "-input=false"), "allow_replicated was set; a replicated machine is resynchronised afterwards")
	c.expect(0, apply...)
	c.expect(0, "plan", "-detailed-exitcode", "-input=false")
	compactions(t, sim, 1)
}

// TestCLI_unseenMachines: an account whose lists come back empty compacts nothing;
// the error names the right and the consent, and consent leaves one folded warning.
func TestCLI_unseenMachines(t *testing.T) {
	t.Parallel()
	second := vhd(func(v *hypervsim.VHD) { v.Path = `D:\VMs\web02.vhdx` })
	sim := host(t, hypervsim.WithVHD(vhd(), second))
	sim.HideVMs(true)
	c := newCLI(t)
	apply := []string{"apply", "-auto-approve", "-input=false"}
	both := disk() + named("second", settings{"path": quote(second.Path)})
	c.write(providerFor(sim) + both)
	contains(t, c.expect(1, apply...), "lists not even itself", "Hyper-V Administrators", "allow_unseen_machines = true", "The first error for this host says more")
	compactions(t, sim, 0)
	c.write(providerFor(sim, settings{"allow_unseen_machines": "true"}) + both)
	contains(t, c.expect(0, apply...), "Use of disks by virtual machines not visible", "and one more similar warning elsewhere")
	c.expect(0, "plan", "-detailed-exitcode", "-input=false")
	compactions(t, sim, 2)
}
