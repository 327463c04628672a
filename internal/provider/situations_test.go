package provider_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// incident is a failure at three in the morning: the output of Terraform, and what a person has to
// be able to read, on the screen or in the row of the guide that the screen leads to.
type incident struct {
	screen        func(t *testing.T) string
	cause, remedy string // regular expressions
}

// incidents are the failures with which the guide on troubleshooting is tested.
var incidents = map[string]incident{
	"wrong password":             {applied(nil, settings{"password": `"wrong"`}, nil), `credentials refused`, `user name, its form .* and the password`},
	"https on an http port":      {applied(nil, settings{"https": "true"}, nil), `port does not speak TLS`, `usually 5986`},
	"http on an https port":      {applied(withTLS, nil, nil), `HTTP status 400|the port speaks TLS`, `set https = true`},
	"http on a server's port":    {httpOnHTTPSPort, `HTTP status 400: bad request`, `If the port is one for https, set https = true`},
	"closed port":                {applied(nil, settings{"port": "1"}, nil), `no connection to 127\.0\.0\.1:1: connection refused`, `Check name, port, firewall and the WinRM listener`},
	"name that does not resolve": {applied(nil, settings{"host": `"hv99.invalid"`}, nil), `no such host|server misbehaving|name resolution`, `Check name`},
	"unknown authority":          {applied(withTLS, settings{"https": "true"}, nil), `not signed by a trusted authority`, `cacert_path`},
	"certificate for another name": {
		func(t *testing.T) string {
			t.Helper()
			sim := host(t, hypervsim.WithTLS(), hypervsim.WithVHD(vhd()))
			authority := filepath.Join(t.TempDir(), "ca.pem")
			must(t, os.WriteFile(authority, sim.CACertificate(), 0o600))
			return appliedTo(t, sim, settings{"https": "true", "tls_server_name": `"hv01.example.com"`, "cacert_path": quote(authority)}, nil)
		},
		`certificate for .*, expected hv01\.example\.com: the host's certificate is for another name`, `tls_server_name`,
	},
	"missing CA file":        {applied(nil, settings{"https": "true", "cacert_path": `"no-such.pem"`}, nil), `no-such\.pem`, `cacert_path`},
	"disk in use":            {applied(usedIn(hypervsim.VMRunning), nil, nil), `in use by virtual machine sql01 on HYPERV01 \(running\)`, `Shut the virtual machine down`},
	"machine in saved state": {applied(usedIn(hypervsim.VMSaved), nil, nil), `sql01 on HYPERV01 \(in saved state\)`, `Shut the virtual machine down`},
	"checkpoint": {
		applied([]hypervsim.Option{hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{
			Name: "sql01", Disks: []string{`D:\VMs\sql01_1.avhdx`}, Checkpoints: []hypervsim.Checkpoint{{Name: "before", Disks: []string{diskPath}}},
		})}, nil, nil),
		`sql01 on HYPERV01 \(checkpoint\)`, `deleted in Hyper-V Manager, which merges them`,
	},
	"fixed disk": {
		applied([]hypervsim.Option{hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Type = hypervsim.TypeFixed }))}, nil, nil),
		`the disk is fixed`, `Take the disk out of the configuration`,
	},
	"disk of a checkpoint": {applied(nil, nil, settings{"path": `"D:/VMs/web01_A1.avhdx"`}), `differencing disk of a checkpoint`, `Name the base disk|checkpoint`},
	"relative path":        {applied(nil, nil, settings{"path": `"VMs/web01.vhdx"`}), `VMs/web01\.vhdx`, `Allowed: an absolute path`},
	"missing file":         {applied(nil, nil, settings{"path": `"D:/VMs/sql99.vhdx"`}), `file not found`, `Check the path: the folder answers, and no such file is in it`},
	"missing folder":       {applied(nil, nil, settings{"path": `"D:/VMMs/sql01.vhdx"`}), `its folder D:\\VMMs is not there either`, `Check the path, and that its volume is online`},
	"missing drive":        {applied(nil, nil, settings{"path": `"X:/VMs/sql01.vhdx"`}), `its folder X:\\VMs is not there either`, `Check the path, and that its volume is online`},
	"no right for WinRM":   {ofClerk(), `WinRM refused the account`, `Add it to Administrators`},
	"no right for WMI": {
		ruled(nil, hypervsim.Rule{Operation: hypervsim.OperationInvoke, Times: -1, Effect: hypervsim.Fault(0x80338104, hypervsim.FaultFormAny)}),
		`the WMI service denies access`, `Enable Account, Remote Enable and Execute Methods`,
	},
	"machines not shown": {
		func(t *testing.T) string {
			t.Helper()
			sim := host(t, hypervsim.WithVHD(vhd()))
			sim.HideVMs(true)
			return appliedTo(t, sim, nil, nil)
		},
		`it cannot be told who uses the disk`, `Hyper-V Administrators`,
	},
	"no Hyper-V role":                      {applied([]hypervsim.Option{hypervsim.WithGenerations()}, nil, nil), `no Hyper-V role`, `Install the Hyper-V role`},
	"host that hangs":                      {hangs, `no answer within 1m30s`, `The host is busy or hangs`},
	"host down at a plan":                  {refreshedDown("fail", "fail"), `no connection to`, `apply once with -refresh=false`},
	"host down, skip was applied":          {refreshedDown("skip", "skip"), `Hyper-V host unreachable, state kept`, `until the host answers`},
	"host down, skip was written only now": {refreshedDown("fail", "skip"), `no connection to`, `-refresh=false: a refresh goes by the value in state`},
	"host down at an apply":                {downAtApply, `no connection to`, `Check name, port, firewall and the WinRM listener`},
	"Ctrl-C":                               {interruptedOnce, `interrupted \(Terraform was told to stop\)`, `Run apply again`},
	"killed before":                        {killedBefore, `Attachment of an earlier run taken over`, `the attachment was used and is detached`},
}

var withTLS = []hypervsim.Option{hypervsim.WithTLS()}

// usedIn returns the options of a host whose disk belongs to a machine in some state.
func usedIn(state hypervsim.VMState) []hypervsim.Option {
	return []hypervsim.Option{
		hypervsim.WithVHD(vhd()),
		hypervsim.WithVM(hypervsim.VM{Name: "sql01", State: state, Disks: []string{diskPath}}),
	}
}

// applied returns the output of an apply with a host, a provider block and a disk.
func applied(options []hypervsim.Option, provider, resource settings) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		if len(options) == 0 {
			options = []hypervsim.Option{hypervsim.WithVHD(vhd())}
		}
		return appliedTo(t, host(t, options...), provider, resource)
	}
}

func appliedTo(t *testing.T, sim *hypervsim.Host, provider, resource settings) string {
	t.Helper()
	c := newCLI(t)
	c.write(providerFor(sim, settings{"host": `"127.0.0.1"`}, provider) + disk(resource))
	return c.expect(1, "apply", "-auto-approve", "-input=false")
}

// ruled returns the output of an apply when the host answers by a rule.
func ruled(provider settings, rule hypervsim.Rule) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		sim := host(t, hypervsim.WithVHD(vhd()))
		sim.AddRule(rule)
		return appliedTo(t, sim, provider, nil)
	}
}

// ofClerk returns the output for a user whom WinRM does not let in.
func ofClerk() func(*testing.T) string {
	return applied(
		[]hypervsim.Option{hypervsim.WithVHD(vhd()), hypervsim.WithMember(`HYPERV\clerk`, "secret-of-a-test", hypervsim.HyperVAdministrators)},
		settings{"username": quote(`HYPERV\clerk`), "password": `"secret-of-a-test"`}, nil)
}

// httpOnHTTPSPort returns the output with a server that answers plain http on
// its https port with 400, as proxies do.
func httpOnHTTPSPort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 64<<10))
			_, _ = conn.Write([]byte("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"))
			_ = conn.Close()
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	return appliedTo(t, host(t, hypervsim.WithVHD(vhd())), settings{"port": port}, nil)
}

// refreshedDown returns the output of a plan with a host that is down, with if_unreachable as it
// was applied and as it is written now.
func refreshedDown(appliedAs, written string) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		sim := ending(t)
		c := newCLI(t)
		config := func(value string) string { return providerFor(sim) + disk(settings{"if_unreachable": quote(value)}) }
		c.write(config(appliedAs))
		c.expect(0, "apply", "-auto-approve")
		must(t, sim.Close())
		c.write(config(written))
		out, _ := c.run("plan", "-input=false")
		return out
	}
}

// downAtApply returns the output of a first run when its host is down.
func downAtApply(t *testing.T) string {
	t.Helper()
	sim := ending(t)
	must(t, sim.Close())
	return appliedTo(t, sim, nil, settings{"if_unreachable": `"skip"`})
}

// hangs returns the errors for a host that accepts requests and never answers, in virtual time,
// because it takes minutes to be sure of that.
func hangs(t *testing.T) (screen string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, hypervsim.WithoutListener(), hypervsim.WithVHD(vhd()))
		fleet, err := hyperv.NewFleet(hyperv.Config{
			Auth: hyperv.AuthNTLM, Username: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword,
			Port: sim.Port(), RequestTimeout: time.Minute, MaxConcurrentRequests: 1, MaxConcurrentCompactions: 1, Dial: sim.Dial,
		})
		must(t, err)
		defer fleet.Close()
		asked, err := fleet.Host(sim.HostName())
		must(t, err)
		_, err = asked.FileSize(t.Context(), diskPath) // logged on
		must(t, err)
		sim.AddRule(hypervsim.Rule{Operation: hypervsim.OperationInvoke, Times: -1, Effect: hypervsim.Hang()})
		_, err = asked.Compact(t.Context(), hyperv.Order{Path: diskPath})
		screen = fmt.Sprint("Unable to compact virtual hard disk ", err, " ", hyperv.Explain(err).Hint)
	})
	return screen
}

// killedBefore is what an apply shows after a run whose Terraform and provider were
// killed at once: all that is left of it is an attachment.
func killedBefore(t *testing.T) string {
	t.Helper()
	sim := host(t, hypervsim.WithVHD(vhd()))
	must(t, sim.Attach(diskPath, true))
	c := newCLI(t)
	c.write(providerFor(sim) + disk())
	defer detached(t, sim)
	return c.expect(0, "apply", "-auto-approve", "-input=false")
}

// interruptedOnce returns the output of Terraform after Ctrl-C during a compaction.
func interruptedOnce(t *testing.T) string {
	t.Helper()
	sim := host(t, hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Immediate, v.JobDuration = false, time.Hour })))
	c := newCLI(t)
	c.write(providerFor(sim) + disk())
	polled := make(chan struct{})
	sim.AddRule(hypervsim.Rule{Class: "Msvm_StorageJob", Operation: hypervsim.OperationGet, Func: func(hypervsim.Request) { close(polled) }})
	cmd := c.command("apply", "-auto-approve")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	select {
	case <-polled:
	case <-t.Context().Done():
	}
	must(t, cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err == nil {
		t.Error("the interrupted apply succeeded")
	}
	return out.String()
}

// flat returns the errors and warnings in the output of Terraform, without boxes, line breaks and
// the plan, and without the warnings about the installation of the tests.
func flat(screen string) string {
	if _, rest, found := strings.Cut(screen, "incompatible with published"); found {
		screen = rest
	}
	if at := diagnosed.FindStringIndex(screen); at != nil {
		screen = screen[at[0]:]
	}
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(screen)), " ")
}

var diagnosed = regexp.MustCompile(`(?m)^│? ?(Error|Warning): `)

// guideRow is a row of the first tables of the guide on troubleshooting: what is on
// the screen, and warnings.
type guideRow struct {
	phrases []string
	text    string
}

var phrase = regexp.MustCompile("`([^`]+)`")

func troubleshooting(t *testing.T) []guideRow {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", "troubleshooting.md"))
	must(t, err)
	first, rest, found := strings.Cut(string(text), "\n## Warnings\n")
	warnings, _, _ := strings.Cut(rest, "\n## ")
	if !found || !strings.Contains(first, "\n| On the screen |") {
		t.Fatal("the guide lacks the table that begins with: | On the screen |, or that of warnings")
	}
	var rows []guideRow
	for line := range strings.Lines(first + warnings) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		row := guideRow{text: line}
		for _, m := range phrase.FindAllStringSubmatch(cells[0], -1) {
			row.phrases = append(row.phrases, m[1])
		}
		if len(row.phrases) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// dangerous matches advice that no remedy may give to a user in a hurry.
var dangerous = regexp.MustCompile(`(?i)delete them\b|delete the checkpoint files|context (deadline|canceled)|disable the firewall`)

// TestIncidents: whatever goes wrong, the screen alone, or the row of the guide that
// it leads to, names the cause and one safe remedy.
func TestIncidents(t *testing.T) {
	t.Parallel()
	if len(incidents) < 28 {
		t.Errorf("%d incidents, want the 28 that people were tried with", len(incidents))
	}
	rows := troubleshooting(t)
	for name, test := range incidents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			screen := flat(test.screen(t))
			known := screen
			found := 0
			for _, row := range rows {
				for _, p := range row.phrases {
					if strings.Contains(screen, p) {
						known += " " + row.text
						found++
						t.Logf("%q leads to: %s", p, row.text)
						break
					}
				}
			}
			if found == 0 {
				t.Errorf("the guide has no row for it")
			}
			for what, want := range map[string]string{"cause": test.cause, "remedy": test.remedy} {
				if !regexp.MustCompile(want).MatchString(known) {
					t.Errorf("neither screen nor guide names the %s %q", what, want)
				}
			}
			if m := dangerous.FindString(known); m != "" {
				t.Errorf("it says %q", m)
			}
			if t.Failed() {
				t.Log(screen)
			}
		})
	}
}
