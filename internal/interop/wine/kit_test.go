//go:build linux

package wine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// The kit asks about every claim as the current user, and by its own NTLM beside.
func TestKit(t *testing.T) { //nolint:paralleltest // one program at a time has the machine
	w := find(t)
	kit := program(t, w, "./internal/hyperv/conformance/cmd/hyperv-conformance")
	for name, tt := range map[string]struct{ securityPackage, auth string }{ //nolint:paralleltest // one program at a time has the machine
		"NTLM by SSPI":      {"NTLM", "windows"},
		"Negotiate by SSPI": {"Negotiate", "windows"},
		"our own NTLM":      {"", "ntlm"},
	} {
		t.Run(name, func(t *testing.T) {
			const disk = `D:\VMs\a.vhdx`
			sim := host(t, hypervsim.WithDirectory(`D:\scratch`, `C:\Documents and Settings`),
				hypervsim.WithVHD(hypervsim.VHD{Path: disk}), hypervsim.WithVM(hypervsim.VM{Name: "sql01", Disks: []string{disk}}))
			env := []string{"HYPERV_HOST=127.0.0.1", "HYPERV_PORT=" + strconv.Itoa(sim.Port()), "HYPERV_HTTPS=false", "HYPERV_AUTH=" + tt.auth}
			if tt.auth == "ntlm" {
				env = append(env, "HYPERV_USERNAME="+domain+`\`+user, "HYPERV_PASSWORD="+password)
			}
			dir := t.TempDir()
			text, code := run(t, w, logon(tt.securityPackage), dir, env, kit, "-write", "-scratch", `D:\scratch`, "-out", "report")
			if code != 0 {
				t.Fatalf("exit code %d\n%s", code, text)
			}
			counts := findings(t, filepath.Join(dir, "report", "report.json"))
			t.Logf("%v", counts)
			if counts["held"] < 50 || counts["contradicted"] != 0 {
				t.Errorf("%v\n%s", counts, text)
			}
			if sim.FailedLogons() != 0 || strings.Contains(text, password) {
				t.Errorf("%d failed logons, or the password is told", sim.FailedLogons())
			}
		})
	}
}

// findings counts the results of a report.
func findings(t *testing.T, name string) map[string]int {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Findings []struct{ Result string }
	}
	if err := json.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, f := range report.Findings {
		counts[f.Result]++
	}
	return counts
}
