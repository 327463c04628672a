package provider_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/freeport"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// These tests compare command lines with their expected exit codes, with each
// Terraform at hand: later versions report mistakes that earlier ones overlook.

// site holds three hosts on one port: two nodes that serve the same disk, and one that serves
// another disk under the same path.
type site struct {
	here, there, elsewhere *hypervsim.Host
}

const (
	hereAddress      = "127.0.0.1"
	hereName         = "localhost"
	thereAddress     = "127.0.0.3"
	elsewhereAddress = "127.0.0.2"
)

func newSite(t *testing.T) site {
	t.Helper()
	serving := func(id string, options ...hypervsim.Option) *hypervsim.Host {
		return host(t, append(options, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.VirtualDiskID = id })))...)
	}
	port := strconv.Itoa(freeport.On(t, hereAddress, thereAddress, elsewhereAddress))
	at := func(address string) hypervsim.Option { return hypervsim.WithAddress(net.JoinHostPort(address, port)) }
	const one, other = "0E5D4F1A-5B0A-4B0E-9F10-2C8D3E5B7A01", "7C1B2A3D-0F6E-4D59-8A77-91E04C5D6B02"
	return site{
		here:      serving(one, hypervsim.WithComputerName("HV-A"), at(hereAddress)),
		there:     serving(one, hypervsim.WithComputerName("HV-B"), at(thereAddress)),
		elsewhere: serving(other, hypervsim.WithComputerName("HV-C"), at(elsewhereAddress)),
	}
}

// on writes the provider block for a host of the site.
func (s site) on(host string, changes ...settings) string {
	return providerFor(s.here, append([]settings{{"host": quote(host)}}, changes...)...)
}

// commandLine is a configuration that is applied after another one, and the exit
// codes: of plan -detailed-exitcode, of apply, and of the plan after that.
type commandLine struct {
	before              string // the provider of the site and the disk, by default
	meanwhile           func(t *testing.T)
	after               string
	args                []string // of plan and apply
	plan, apply, second int
	says                []string // in the plan or the apply
	then                func(t *testing.T, c cli)
	knows               since // the feature that Terraform must have; none by default
}

func (l commandLine) run(t *testing.T, c cli) {
	t.Helper()
	c.write(l.before)
	c.expect(0, "apply", "-auto-approve", "-input=false")
	if l.meanwhile != nil {
		l.meanwhile(t)
	}
	c.write(l.after)
	out := c.expect(l.plan, append([]string{"plan", "-detailed-exitcode", "-input=false"}, l.args...)...)
	if l.plan != 1 {
		out += c.expect(l.apply, append([]string{"apply", "-auto-approve", "-input=false"}, l.args...)...)
		out += c.expect(l.second, "plan", "-detailed-exitcode", "-input=false")
	}
	contains(t, out, l.says...)
	if l.then != nil {
		l.then(t, c)
	}
}

// lifecycle writes the resource under test with a line in its lifecycle block.
func lifecycle(line string, changes ...settings) string {
	return strings.TrimSuffix(disk(changes...), "}\n") + "  lifecycle {\n    " + line + "\n  }\n}\n"
}

// otherInputs holds for every input a value other than its default.
var otherInputs = settings{
	"path": `"D:\\VMs\\other.vhdx"`, "host": `"` + elsewhereAddress + `"`, "mode": `"Prezeroed"`, "attach_read_only": "false",
	"if_in_use": `"skip"`, "if_unreachable": `"skip"`, "allow_parent": "true", "allow_replicated": "true", "max_passes": "3", "timeouts": `{ create = "2h" }`,
	"min_file_size_bytes": "1", "recompact_on_growth": "false", "recompact_growth_bytes": "1", "recompact_growth_percent": "1",
	"triggers": `{ month = "12" }`,
}

// besides returns the inputs without which another is refused.
func besides(name string) settings {
	if name == "allow_parent" {
		return settings{"mode": `"Prezeroed"`}
	}
	return nil
}

// ignoring writes a resource for each input, with another value that is ignored.
func ignoring() string {
	var all strings.Builder
	for name, value := range otherInputs {
		block := named(name, besides(name), settings{name: value})
		all.WriteString(strings.TrimSuffix(block, "}\n") + "  lifecycle {\n    ignore_changes = [" + name + "]\n  }\n}\n")
	}
	return all.String()
}

func plainly() string {
	var all strings.Builder
	for name := range otherInputs {
		all.WriteString(named(name, besides(name)))
	}
	return all.String()
}

// commandLines are the command lines for a site, by what they do.
func commandLines(s site) map[string]commandLine {
	const replaces, here = "must be replaced", hereAddress
	grows := func(t *testing.T) {
		t.Helper()
		for _, sim := range []*hypervsim.Host{s.here, s.there, s.elsewhere} {
			if err := sim.Grow(diskPath, 8*gib); err != nil {
				t.Error(err)
			}
		}
	}
	moves := func(t *testing.T) {
		t.Helper()
		if err := s.there.Change(diskPath, func(v *hypervsim.VHD) { v.FileSize = 4 * gib }); err != nil {
			t.Error(err)
		}
	}
	full := settings{"mode": `"Full"`}
	count := func(n string) string { return disk(settings{"count": n}) }
	keyed := func(key string) string { return disk(settings{"for_each": "toset([" + key + "])", "path": "each.key"}) }
	keeps := func(t *testing.T, c cli) {
		t.Helper()
		contains(t, c.expect(0, "state", "list"), address)
	}
	return map[string]commandLine{
		"nothing":          {after: s.on(here) + disk(), args: []string{"-refresh=false"}},
		"grown":            {meanwhile: grows, after: s.on(here) + disk(), plan: 2},
		"grown, targeted":  {meanwhile: grows, after: s.on(here) + disk(), args: []string{"-target=" + address}, plan: 2},
		"grown, unseen":    {meanwhile: grows, after: s.on(here) + disk(), args: []string{"-refresh=false"}, second: 2},
		"replaced":         {after: s.on(here) + disk(), args: []string{"-replace=" + address}, plan: 2},
		"ignores all":      {after: s.on(here) + lifecycle("ignore_changes = all", otherInputs)},
		"ignores each":     {before: s.on(here) + plainly(), after: s.on(here) + ignoring()},
		"renamed":          {after: s.on(here) + named("other") + "moved {\n  from = " + address + "\n  to = hyperv_vhd_compaction.other\n}\n", plan: 2},
		"removed":          {after: s.on(here) + "removed {\n  from = " + address + "\n  lifecycle {\n    destroy = false\n  }\n}\n", plan: 2, knows: knowsRemoved},
		"count to 0":       {before: s.on(here) + count("1"), after: s.on(here) + count("0"), plan: 2},
		"count from 0":     {before: s.on(here) + count("0"), after: s.on(here) + count("1"), plan: 2},
		"a key, respelled": {before: s.on(here) + keyed(`"D:/VMs/web01.vhdx"`), after: s.on(here) + keyed(`"d:\\vms\\WEB01.vhdx"`), plan: 2},
		"a path, respelled": {
			before: s.on(here) + keyed(`"D:/VMs/web01.vhdx"`),
			after:  s.on(here) + disk(settings{"for_each": `toset(["D:/VMs/web01.vhdx"])`, "path": `"d:\\vms\\WEB01.vhdx"`}),
		},

		"the provider's host by name":    {after: s.on(hereName) + disk()},
		"the same disk on another node":  {meanwhile: moves, after: s.on(thereAddress) + disk()},
		"and it has grown there":         {meanwhile: grows, after: s.on(thereAddress) + disk(), plan: 2, says: []string{"grew 14.0 GiB", "updated in-place"}},
		"another disk on another node":   {after: s.on(elsewhereAddress) + disk(), plan: 2, says: []string{replaces, "Another virtual hard disk", "last seen on HV-A", "The resource is replaced"}},
		"another disk, unseen":           {after: s.on(elsewhereAddress) + disk(), args: []string{"-refresh=false"}, second: 2, says: []string{replaces}},
		"another disk, unseen, and due":  {after: s.on(elsewhereAddress) + disk(full), args: []string{"-refresh=false"}, plan: 2, apply: 1, second: 2, says: []string{"Nothing was started"}},
		"another disk, only refreshed":   {after: s.on(elsewhereAddress) + disk(), args: []string{"-refresh-only"}, plan: 2, second: 2, says: []string{"Another virtual hard disk"}, then: keeps},
		"another disk, protected":        {before: s.on(here) + lifecycle("prevent_destroy = true"), after: s.on(elsewhereAddress) + lifecycle("prevent_destroy = true"), plan: 1, says: []string{"Instance cannot be destroyed"}, then: keeps},
		"no such file on another node":   {meanwhile: func(t *testing.T) { t.Helper(); must(t, s.elsewhere.Remove(diskPath)) }, after: s.on(elsewhereAddress) + disk(), args: []string{"-refresh-only"}, plan: 2, second: 2, says: []string{"another disk, or none"}, then: keeps},
		"no host any more":               {after: s.on(here, settings{"host": ""}) + disk(), plan: 1, says: []string{"HYPERV_HOST"}},
		"the provider's becomes its own": {after: s.on(elsewhereAddress) + disk(settings{"host": quote(here)}), plan: 2, says: []string{"updated in-place"}},
		"its own becomes the provider's": {before: s.on(elsewhereAddress) + disk(settings{"host": quote(here)}), after: s.on(here) + disk(), plan: 2, says: []string{"updated in-place"}},
		"its own, respelled":             {before: s.on(here) + disk(settings{"host": `"localhost"`}), after: s.on(here) + disk(settings{"host": `"LOCALHOST"`}), plan: 2, says: []string{"updated in-place"}},
		"its own is another node":        {before: s.on(here) + disk(settings{"host": quote(here)}), after: s.on(here) + disk(settings{"host": quote(thereAddress)}), plan: 2, says: []string{replaces}},
		"its own left to another node":   {before: s.on(thereAddress) + disk(settings{"host": quote(here)}), after: s.on(thereAddress) + disk(), plan: 2, says: []string{replaces}},
		"an alias for the same host":     {after: s.on(elsewhereAddress) + aliased(s.on(here)) + disk(settings{"provider": "hyperv.b"})},
		"an alias for another disk":      {after: s.on(here) + aliased(s.on(elsewhereAddress)) + disk(settings{"provider": "hyperv.b"}), plan: 2, says: []string{replaces}},
	}
}

// aliased gives a provider block the alias b.
func aliased(block string) string { return strings.Replace(block, "{\n", "{\n  alias = \"b\"\n", 1) }

func TestCommandLines(t *testing.T) {
	t.Parallel()
	for name := range commandLines(newSite(t)) {
		for _, program := range programs(t) {
			t.Run(name+"/"+program.label(), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				line := commandLines(s)[name]
				if line.before == "" {
					line.before = s.on(s.here.HostName()) + disk()
				}
				line.run(t, program.anew(t).needs(line.knows))
			})
		}
	}
}

// throughEach runs a test with each Terraform at hand.
func throughEach(t *testing.T, test func(c recent)) {
	t.Helper()
	for _, program := range programs(t) {
		t.Run(program.label(), func(t *testing.T) {
			t.Parallel()
			test(program.anew(t))
		})
	}
}

var (
	planning = []string{"plan", "-detailed-exitcode", "-input=false"}
	applying = []string{"apply", "-auto-approve", "-input=false"}
)

// A disk that was left attached is never forgotten: not by a provider that turns to
// another host, not by destroy there, not by a refresh.
func TestCommandLines_leftAttached(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		c.write(s.on(s.here.HostName()) + disk())
		c.expect(0, applying...)
		must(t, s.here.Grow(diskPath, 8*gib))
		leaveAttached(t, s.here)
		c.expect(1, applying...)

		c.write(s.on(elsewhereAddress) + disk())
		out := c.expect(2, planning...)
		contains(t, out, "updated in-place", "last seen on HV-A", "left the disk attached")
		contains(t, c.expect(1, applying...), "Another virtual hard disk", "last seen on HV-A", "Nothing was started")
		contains(t, c.expect(1, "destroy", "-auto-approve", "-input=false"), "Unable to detach", "HV-A", "terraform state rm")
		c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false")
		contains(t, c.expect(0, "state", "show", address), "left_attached = true")

		must(t, s.here.Grow(diskPath, gib))
		letDetach(s.here)
		c.write(s.on(s.here.HostName()) + disk())
		c.expect(0, applying...)
		c.expect(0, planning...)
	})
}

// A resource that is removed and added again begins anew, and its removal does not touch the host.
func TestCommandLines_countAndBack(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		for i, count := range []string{"1", "0", "1"} {
			c.write(s.on(s.here.HostName()) + disk(settings{"count": count}))
			c.expect(2, planning...)
			c.expect(0, applying...)
			c.expect(0, planning...)
			compactions(t, s.here, (i+2)/2)
		}
	})
}

// Two workspaces are two states of one disk. Neither plans because of the other.
func TestCommandLines_workspaces(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		s := newSite(t)
		c.write(s.on(s.here.HostName()) + disk())
		c.expect(0, applying...)
		c.expect(0, "workspace", "new", "second")
		c.expect(2, planning...)
		c.expect(0, applying...)
		c.expect(0, planning...)
		c.expect(0, "workspace", "select", "default")
		c.expect(0, planning...)
	})
}

// Each way to import, with and without a host in the configuration, ends in a plan
// without changes, at the latest after one apply.
func TestCommandLines_import(t *testing.T) {
	t.Parallel()
	const byPath, byHost = `  id = "D:\\VMs\\web01.vhdx"`, `  id = "127.0.0.1|D:\\VMs\\web01.vhdx"`
	identity := func(host string) string {
		return "  identity = {\n    path = " + quote(diskPath) + "\n" + host + "  }"
	}
	for name, test := range map[string]struct {
		target, host string
		knows        since
	}{
		"by path":                          {target: byPath},
		"by path, written":                 {target: byPath, host: `"127.0.0.1"`},
		"by host":                          {target: byHost},
		"by host, written":                 {target: byHost, host: `"127.0.0.1"`},
		"by identity":                      {target: identity(""), knows: knowsIdentity},
		"by identity, written":             {target: identity(""), host: `"127.0.0.1"`, knows: knowsIdentity},
		"by identity with a host":          {target: identity("    host = \"127.0.0.1\"\n"), knows: knowsIdentity},
		"by identity with a host, written": {target: identity("    host = \"127.0.0.1\"\n"), host: `"127.0.0.1"`, knows: knowsIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			throughEach(t, func(c recent) {
				t := c.t
				c.needs(test.knows)
				s := newSite(t)
				c.write(s.on(s.here.HostName()) + disk(settings{"host": test.host}) + "import {\n  to = " + address + "\n" + test.target + "\n}\n")
				c.expect(2, planning...)
				c.expect(0, applying...)
				c.expect(0, planning...)
				compactions(t, s.here, 0)
				contains(t, c.expect(0, "state", "show", address), `status = "imported"`)
			})
		})
	}
}

// A password that only variables of one run carry is in no saved plan, and the plan
// is applied with it.
func TestCommandLines_savedPlanWithEphemeralPassword(t *testing.T) {
	t.Parallel()
	throughEach(t, func(c recent) {
		t := c.t
		c.needs(knowsEphemeral)
		s := newSite(t)
		c.write("variable \"password\" {\n  type = string\n  ephemeral = true\n}\n" +
			s.on(s.here.HostName(), settings{"password": "var.password"}) + disk())
		password := "-var=password=" + hypervsim.DefaultPassword
		c.expect(2, append(planning, password, "-out=saved.plan")...)
		c.expect(0, "apply", "-input=false", password, "saved.plan")
		c.expect(0, append(planning, password)...)
	})
}

// programs returns the Terraforms at hand.
func programs(t *testing.T) []recent {
	t.Helper()
	all := []recent{newCLI(t).version()}
	if newer := newRecent(t); newer.label() != all[0].label() {
		all = append(all, newer)
	}
	return all
}

func (r recent) label() string { return fmt.Sprintf("%s 1.%d", r.name, r.minor) }

// anew returns the same program in a new folder.
func (r recent) anew(t *testing.T) recent {
	t.Helper()
	c := newCLI(t)
	c.binary = r.binary
	return recent{c, r.name, r.minor}
}
