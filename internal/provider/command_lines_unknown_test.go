package provider_test

import (
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// learned writes a provider whose host is known only after another resource was applied, and that
// resource.
func (s site) learned(host string, changes ...settings) string {
	return "resource \"terraform_data\" \"host\" {\n  input = " + quote(host) + "\n}\n" +
		providerFor(s.here, append(changes, settings{"host": "terraform_data.host.output"})...)
}

// While a plan does not know which host the provider will ask, it plans nothing that an apply,
// which does know, would plan differently.
func TestCommandLines_unknownHost(t *testing.T) {
	t.Parallel()
	full := settings{"mode": `"Full"`}
	for name, test := range map[string]struct {
		before, after func(s site) string
		refreshed     string // the provider's host of a refresh in between
		apply, second int
		plans, says   string
	}{
		"the same host": {
			before: func(s site) string { return s.on(hereAddress) + disk() },
			after:  func(s site) string { return s.learned(hereAddress) + disk() },
		},
		"the same host, and due": {
			before: func(s site) string { return s.on(hereAddress) + disk() },
			after:  func(s site) string { return s.learned(hereAddress) + disk(full) },
		},
		"another disk": {
			before: func(s site) string { return s.on(hereAddress) + disk() },
			after:  func(s site) string { return s.learned(elsewhereAddress) + disk() },
			second: 2,
		},
		"another disk, and due": {
			before: func(s site) string { return s.on(hereAddress) + disk() },
			after:  func(s site) string { return s.learned(elsewhereAddress) + disk(full) },
			apply:  1, second: 2, says: "Nothing was started",
		},
		"another disk, seen before, and due": {
			before:    func(s site) string { return s.on(hereAddress) + disk() },
			after:     func(s site) string { return s.learned(elsewhereAddress) + disk(full) },
			refreshed: elsewhereAddress, apply: 1, second: 2, says: "Nothing was started",
		},
		"its own left to the provider, the same": {
			before: func(s site) string { return s.on(elsewhereAddress) + disk(settings{"host": quote(hereAddress)}) },
			after:  func(s site) string { return s.learned(hereAddress) + disk() },
		},
		"its own left to the provider, another": {
			before: func(s site) string { return s.on(elsewhereAddress) + disk(settings{"host": quote(hereAddress)}) },
			after:  func(s site) string { return s.learned(elsewhereAddress) + disk() },
			plans:  "must be replaced",
		},
		"its own becomes unknown, the same": {
			before: func(s site) string { return s.on(hereAddress) + disk(settings{"host": quote(hereAddress)}) },
			after: func(s site) string {
				return "resource \"terraform_data\" \"host\" {\n  input = " + quote(hereAddress) + "\n}\n" +
					s.on(hereAddress) + disk(settings{"host": "terraform_data.host.output"})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			throughEach(t, func(c recent) {
				t := c.t
				s := newSite(t)
				c.write(test.before(s))
				c.expect(0, applying...)
				if test.refreshed != "" {
					c.write(s.on(test.refreshed) + disk())
					c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false")
				}
				c.write(test.after(s))
				contains(t, c.expect(2, planning...), test.plans) // terraform_data is new
				out, code := c.run(applying...)
				if code != test.apply {
					t.Errorf("apply ended with %d, want %d:\n%s", code, test.apply, out)
				}
				contains(t, out, test.says)
				c.expect(test.second, planning...)
			})
		})
	}
}

// A refresh has found another disk on a host of which a plan without a refresh does not know whether
// the provider will ask it: such a plan changes nothing, and one with a refresh goes on.
func TestCommandLines_unknownHostUnrefreshed(t *testing.T) {
	t.Parallel()
	const undecided = "cannot know whether the provider will ask this host"
	full, skips := settings{"mode": `"Full"`}, settings{"if_in_use": `"skip"`}
	for name, test := range map[string]struct {
		learns      string
		change      settings
		plan, apply int // without a refresh, and with one
		runs, other int // compactions of the former disk, and of the other
	}{
		"nothing changed, then replaced": {learns: elsewhereAddress, plan: 2, apply: 0, runs: 1, other: 1}, // the host is known by then
		"due":                            {learns: elsewhereAddress, change: full, plan: 1, apply: 1, runs: 1},
		"due, and it is the former":      {learns: hereAddress, change: full, plan: 1, apply: 0, runs: 2},
		"changed, but not due":           {learns: elsewhereAddress, change: skips, plan: 1, apply: 0, runs: 1},
		"changed, and it is the former":  {learns: hereAddress, change: skips, plan: 1, apply: 0, runs: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			throughEach(t, func(c recent) {
				t := c.t
				s := newSite(t)
				c.write(s.on(hereAddress) + disk())
				c.expect(0, applying...)
				c.write(s.on(elsewhereAddress) + disk())
				c.expect(0, "apply", "-refresh-only", "-auto-approve", "-input=false")

				c.write(s.learned(test.learns) + disk(test.change))
				if out := c.expect(test.plan, append(planning, "-refresh=false")...); test.plan == 1 {
					contains(t, strings.Join(strings.Fields(out), " "), undecided, "last seen on HV-A", "Plan with a refresh")
				} else {
					c.expect(0, append(applying, "-refresh=false")...)
				}
				c.expect(test.apply, applying...)
				compactions(t, s.here, test.runs)
				compactions(t, s.elsewhere, test.other)
			})
		})
	}
}

// An apply that cannot connect to a host that the plan did not know, starts nothing: what was due is
// due again when the host answers.
func TestCommandLines_unknownThenUnreachable(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		machine hypervsim.VM
		first   int // compactions before
		change  settings
		reason  string
	}{
		"an input changed": {first: 1, change: settings{"mode": `"Full"`}, reason: "mode changed from the default to Full"},
		"a consent given": {
			machine: hypervsim.VM{Name: "web01", Replication: 1, Disks: []string{diskPath}},
			change:  settings{"allow_replicated": "true"}, reason: "allow_replicated was set",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			throughEach(t, func(c recent) {
				t := c.t
				s := newSite(t)
				if test.machine.Name != "" {
					s.here.AddVM(test.machine)
					s.there.AddVM(test.machine)
				}
				skip := settings{"if_unreachable": `"skip"`, "if_in_use": `"skip"`}
				c.write(s.on(hereAddress) + disk(skip))
				c.expect(0, applying...)
				compactions(t, s.here, test.first)
				c.write(s.learned(thereAddress, settings{"port": closedPort(t)}) + disk(skip, test.change))
				contains(t, c.expect(0, applying...), "Hyper-V host unreachable, state kept", "1 changed")
				compactions(t, s.there, 0)
				c.write(s.on(thereAddress) + disk(skip, test.change))
				contains(t, c.expect(2, planning...), "updated in-place") // terraform_data goes, too
				c.expect(0, applying...)
				contains(t, c.expect(0, "state", "show", address), test.reason, `"compacted"`)
				c.expect(0, planning...)
				compactions(t, s.there, 1)
			})
		})
	}
}
