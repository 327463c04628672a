package provider

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pageCmdlets are those of the scripts and pages for PowerShell with the parameters that
// are given to them, as Microsoft's reference has them on the page with their name; those
// of the guide of Windows stand in cmdlets.
var pageCmdlets = map[string][]string{
	"Add-LocalGroupMember":      {"Group", "Member"},
	"Copy-Item":                 nil,
	"ForEach-Object":            nil,
	"Get-Certificate":           {"Template", "DnsName", "CertStoreLocation"},
	"Get-Content":               nil,
	"Get-Credential":            nil,
	"Get-FileHash":              {"Algorithm"},
	"Get-VM":                    {"ComputerName", "Name"},
	"Grant-ClusterAccess":       {"User", "ReadOnly"},
	"Group-Object":              nil,
	"ConvertFrom-Json":          nil,
	"Invoke-RestMethod":         nil,
	"Measure-Object":            {"Sum"},
	"New-Item":                  {"Path", "Transport", "Address", "CertificateThumbPrint", "Force", "ItemType"}, // WSMan: has parameters of its own
	"New-NetFirewallRule":       {"Name", "DisplayName", "Direction", "Protocol", "LocalPort", "Action", "RemoteAddress"},
	"New-SelfSignedCertificate": {"DnsName", "CertStoreLocation"},
	"Out-Null":                  nil,
	"Out-String":                nil,
	"Remove-Item":               nil,
	"Select-String":             {"SimpleMatch"},
	"Set-Content":               {"Encoding", "Value"},
	"Sort-Object":               {"Property", "Unique"},
	"Start-VM":                  {"VM"},
	"Stop-VM":                   {"VM", "ErrorAction"},
	"Where-Object":              {"Match"},
}

var (
	powershellBlock = regexp.MustCompile("(?ms)^```powershell\n(.*?)^```$")
	quotedText      = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	cmdletName      = regexp.MustCompile(`(?:^|[\s(|;=])([A-Z][A-Za-z]+-[A-Z][A-Za-z]+)\b`)
	cmdletParameter = regexp.MustCompile(`(?:^|\s)-([A-Z][A-Za-z]+)`)
	ownFunction     = regexp.MustCompile(`(?m)^function ([A-Z][a-z]+-[A-Za-z]+)`)
)

// TestPagesOfPowerShell holds the PowerShell of all other pages and of the examples to
// the cmdlets and parameters that there are. `make powershell` parses it.
func TestPagesOfPowerShell(t *testing.T) {
	t.Parallel()
	scripts := map[string]string{}
	for _, pattern := range []string{"../../templates/guides/*.md", "../../*.md", "../../examples/*/*.ps1"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s finds %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			switch {
			case err != nil:
				t.Fatal(err)
			case strings.HasSuffix(file, "windows.md"):
			case strings.HasSuffix(file, ".ps1"):
				scripts[file] = string(text)
			default:
				for _, m := range powershellBlock.FindAllStringSubmatch(string(text), -1) {
					scripts[file] += m[1]
				}
			}
		}
	}
	used := map[string]bool{}
	for file, script := range scripts {
		own := map[string]bool{}
		for _, m := range ownFunction.FindAllStringSubmatch(script, -1) {
			own[m[1]] = true
		}
		for line := range strings.Lines(script) {
			if !strings.HasPrefix(strings.TrimSpace(line), "#") {
				checkPowerShell(t, file, quotedText.ReplaceAllString(line, "''"), own, used)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pageCmdlets)) {
		if !used[name] {
			t.Errorf("no page uses %s", name)
		}
	}
}

// checkPowerShell looks at one line. The parameters of its cmdlets are taken together.
func checkPowerShell(t *testing.T, file, line string, own, used map[string]bool) {
	t.Helper()
	var allowed []string
	named := false
	for _, m := range cmdletName.FindAllStringSubmatch(line, -1) {
		parameters, ok := pageCmdlets[m[1]]
		if !ok && !own[m[1]] {
			t.Errorf("%s uses %s, which the table lacks", file, m[1])
		}
		named, used[m[1]] = true, true
		allowed = append(allowed, parameters...)
	}
	if !named {
		return // of another program
	}
	for _, p := range cmdletParameter.FindAllStringSubmatch(line, -1) {
		if !slices.Contains(allowed, p[1]) {
			t.Errorf("%s: the table lacks the parameter %s in %q", file, p[1], line)
		}
	}
}
