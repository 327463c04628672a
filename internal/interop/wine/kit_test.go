//go:build linux

package wine_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// The kit asks about every claim as the current user, and gets the answers that our own NTLM gets:
// each claim that it can ask about holds.
func TestKit(t *testing.T) { //nolint:paralleltest // one program at a time has the machine
	w := find(t)
	kit := program(t, w, "./internal/hyperv/conformance/cmd/hyperv-conformance")
	var own map[string]string
	for _, tt := range []struct{ name, securityPackage, auth string }{ //nolint:paralleltest // one program at a time has the machine
		{"our own NTLM", "", "ntlm"},
		{"NTLM by SSPI", "NTLM", "windows"},
		{"Negotiate by SSPI", "Negotiate", "windows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
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
			results := findings(t, filepath.Join(dir, "report", "report.json"))
			if own == nil {
				own = results
			}
			counts := map[string]int{}
			for _, result := range results {
				counts[result]++
			}
			t.Logf("%v", counts)
			if diff := cmp.Diff(own, results); diff != "" || counts["held"] < 80 || counts["contradicted"] != 0 {
				t.Errorf("%v, against our own NTLM:\n%s\n%s", counts, diff, text)
			}
			if sim.FailedLogons() != 0 || strings.Contains(text, password) {
				t.Errorf("%d failed logons, or the password is told", sim.FailedLogons())
			}
		})
	}
}

// findings reads the results of a report, by claim.
func findings(t *testing.T, name string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Findings []struct{ ID, Result string }
	}
	if err := json.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	results := map[string]string{}
	for _, f := range report.Findings {
		results[f.ID] = f.Result
	}
	return results
}
