package rehearsal_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
)

// cmdlets are those of the set-up by module, each with the parameters that it is given.
// They stand in Microsoft's reference of Windows PowerShell 5.1 and Windows Server 2022,
// on the page with the name of the cmdlet.
var cmdlets = map[string]map[string][]string{
	"Hyper-V": {
		"Checkpoint-VM": {"Name", "SnapshotName"},
		"Dismount-VHD":  {"Path"},
		"Get-VHD":       {"Path"},
		"Get-VM":        {"Name"},
		"Mount-VHD":     {"Path", "ReadOnly"},
		"New-VHD":       {"Path", "SizeBytes", "Dynamic", "Fixed", "Differencing", "ParentPath"},
		"New-VM":        {"Name", "Generation", "MemoryStartupBytes", "Path", "VHDPath"},
		"Optimize-VHD":  {"Path", "Mode"},
		"Save-VM":       {"Name"},
		"Set-VM":        {"Name", "AutomaticCheckpointsEnabled", "CheckpointType", "Notes"},
		"Start-VM":      {"Name"},
		"Suspend-VM":    {"Name"},
	},
	"Storage": {
		"Format-Volume":     {"FileSystem", "Confirm", "Force"},
		"Get-Disk":          {"Number"},
		"Get-Partition":     {"DiskNumber"},
		"Get-Volume":        nil,
		"Initialize-Disk":   {"Number", "PartitionStyle"},
		"New-Partition":     {"DiskNumber", "UseMaximumSize", "AssignDriveLetter"},
		"Set-Disk":          {"Number", "IsOffline", "IsReadOnly"},
		"Write-VolumeCache": {"DriveLetter"},
	},
	"NetConnection": {"Get-NetConnectionProfile": nil, "Set-NetConnectionProfile": {"NetworkCategory"}},
	"NetTCPIP":      {"Get-NetTCPConnection": {"LocalPort", "State"}},
	"PKI":           {"New-SelfSignedCertificate": {"Subject", "CertStoreLocation", "KeyAlgorithm", "KeyLength", "HashAlgorithm", "TextExtension"}},
	"CimCmdlets":    {"Get-CimInstance": {"Namespace", "ClassName"}, "Invoke-CimMethod": {"InputObject", "MethodName"}},
	"Microsoft.PowerShell.LocalAccounts": {
		"Add-LocalGroupMember": {"SID", "Member"},
		"Get-LocalUser":        {"Name"},
		"New-LocalUser":        {"Name", "Password", "PasswordNeverExpires", "AccountNeverExpires"},
	},
	"Microsoft.WSMan.Management": {
		"Get-WSManInstance":      {"ResourceURI", "Enumerate", "ComputerName", "Authentication", "Credential"},
		"New-WSManInstance":      {"ResourceURI", "SelectorSet", "ValueSet"},
		"New-WSManSessionOption": {"SkipCACheck", "SkipCNCheck", "SkipRevocationCheck"},
	},
	"Microsoft.PowerShell.Core": {
		"Enable-PSRemoting": {"SkipNetworkProfileCheck", "Force"},
		"ForEach-Object":    nil,
		"Import-Module":     {"Name"},
		"Out-Host":          nil,
		"Out-Null":          nil,
		"Set-StrictMode":    {"Version"},
		"Where-Object":      nil,
	},
	"Microsoft.PowerShell.Diagnostics": {"Get-WinEvent": {"FilterHashtable", "MaxEvents"}},
	"Microsoft.PowerShell.Management": {
		"Copy-Item":        {"LiteralPath", "Destination"},
		"Get-ChildItem":    {"LiteralPath", "Force"},
		"Get-Content":      {"LiteralPath", "TotalCount"},
		"Get-Item":         {"Path", "LiteralPath"},
		"Get-ItemProperty": {"LiteralPath"},
		"Get-Service":      {"Name"},
		"Invoke-WmiMethod": {"Name", "ArgumentList"},
		// Those of a client certificate stand in about_WSMan_Provider.
		"New-Item":         {"ItemType", "Path", "Force", "Credential", "Subject", "URI", "Issuer"},
		"New-ItemProperty": {"Path", "Name", "Value", "PropertyType", "Force"},
		"Remove-Item":      {"LiteralPath", "Force", "Recurse"},
		"Restart-Service":  {"Name", "Force"},
		"Set-Item":         {"Path", "Value", "Force"},
		"Set-Service":      {"Name", "StartupType"},
		"Split-Path":       {"Qualifier"},
		"Start-Service":    {"Name"},
		"Test-Path":        {"LiteralPath"},
	},
	"Microsoft.PowerShell.Security": {"ConvertTo-SecureString": {"String", "AsPlainText", "Force"}},
	"Microsoft.PowerShell.Utility": {
		"ConvertTo-Json": {"Depth"},
		"Format-Table":   {"Property"},
		"Get-Date":       nil,
		"New-Object":     nil,
		"Out-String":     nil,
		"Select-String":  {"Pattern"},
		"Start-Sleep":    {"Seconds", "Milliseconds"},
		"Write-Host":     nil,
	},
}

var (
	remark    = regexp.MustCompile(`(?m)(^|\s)#.*$`)
	literal   = regexp.MustCompile(`'[^']*'`)
	continued = regexp.MustCompile("`\n\\s*")
	function  = regexp.MustCompile(`(?m)^function ([A-Za-z-]+)`)
	cmdlet    = regexp.MustCompile(`\b[A-Z][A-Za-z]+-[A-Z][A-Za-z]+\b`)
	parameter = regexp.MustCompile(`(?:^|[\s(])-([A-Z][A-Za-z]+)`)
)

// setup is the script that makes a runner a host.
func setup(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, ".ci", "hyperv-setup.ps1"))
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(b, func(c byte) bool { return c > 0x7F }); i >= 0 {
		t.Errorf("byte %d is not ASCII: Windows PowerShell 5.1 reads a script without a mark in the code page of the system", i)
	}
	return string(b)
}

// TestSetupCmdlets: nothing is called that the reference does not know, and by no
// parameter that it does not give the cmdlet.
func TestSetupCmdlets(t *testing.T) {
	t.Parallel()
	known, used := map[string][]string{}, map[string]bool{}
	for _, m := range cmdlets {
		maps.Copy(known, m)
	}
	script := continued.ReplaceAllString(remark.ReplaceAllString(setup(t), ""), " ")
	for _, m := range function.FindAllStringSubmatch(script, -1) {
		known[m[1]], used[m[1]] = nil, true
	}
	for line := range strings.Lines(literal.ReplaceAllString(script, "''")) {
		allowed := []string{"ErrorAction"}
		for _, name := range cmdlet.FindAllString(line, -1) {
			parameters, ok := known[name]
			if !ok {
				t.Errorf("%s is in no reference: %s", name, line)
			}
			used[name], allowed = true, append(allowed, parameters...)
		}
		for _, p := range parameter.FindAllStringSubmatch(line, -1) {
			if !slices.Contains(allowed, p[1]) {
				t.Errorf("no cmdlet has the parameter %s: %s", p[1], line)
			}
		}
	}
	for name := range known {
		if !used[name] {
			t.Errorf("the set-up does not use %s", name)
		}
	}
}

// TestSetupExplains: a red run prints by itself what tells its commonest causes apart.
func TestSetupExplains(t *testing.T) {
	t.Parallel()
	_, explain, _ := strings.Cut(setup(t), "\nif ($Explain) {")
	explain, _, _ = strings.Cut(explain, "\n}\n")
	for cause, commands := range map[string][]string{
		"the kit gave up":               {`"$report\$name\report.txt" -TotalCount 40`, "'http', 'https'"},
		"vmms or its namespace":         {"Get-Service -Name 'vmms', 'vmcompute', 'WinRM'", "$_.StartType", `-Namespace root\virtualization -ClassName __NAMESPACE`},
		"disk, letter or format":        {"Get-Disk", "$_.IsOffline", "Get-Partition"},
		"the new account is refused":    {"LogName = 'Security'; Id = 4625", "LocalAccountTokenFilterPolicy"},
		"a public network":              {"Get-NetConnectionProfile", "NetworkCategory"},
		"no listener on ::1":            {"Get-Bindings", "Get-NetTCPConnection -LocalPort 5985, 5986 -State Listen", "Get-Listeners"},
		"nothing to reclaim":            {"fsutil behavior query DisableDeleteNotify", "Get-VHD -Path $env:HVC_DISK", "MinimumSize"},
		"Terraform's symbolic links":    {"whoami /priv", "SeCreateSymbolicLink"},
		"machines that do not start":    {"'Microsoft-Windows-Hyper-V-VMMS-Admin'", "Get-VM"},
		"an account with fewer rights":  {"__SystemSecurity", "GetSecurityDescriptor", "$_.AccessMask"},
		"WinRM, NTLM or WMI themselves": {"'Microsoft-Windows-WinRM/Operational'", "'Microsoft-Windows-NTLM/Operational'", "'Microsoft-Windows-WMI-Activity/Operational'"},
	} {
		for _, c := range commands {
			if !strings.Contains(explain, c) {
				t.Errorf("%s: -Explain does not ask %s", cause, c)
			}
		}
	}
	if bad := regexp.MustCompile(`\b(Set|New|Remove|Restart|Start|Add|Enable)-[A-Z]`).FindString(explain); bad != "" {
		t.Errorf("-Explain changes something: %s", bad)
	}
}

// keys are the names of a structure in JSON.
func keys(of any) []string {
	var all []string
	for t := reflect.TypeOf(of); len(all) < t.NumField(); {
		name, _, _ := strings.Cut(t.Field(len(all)).Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}

// TestSetupFixtures: the set-up writes under the names that the kit and the acceptance
// tests read, and makes a disk for every purpose and a machine in every state that the
// simulated host has. What had another name there would be skipped without a word.
func TestSetupFixtures(t *testing.T) {
	t.Parallel()
	script := setup(t)
	_, written, _ := strings.Cut(script, "\n$fixtures = [ordered]@{")
	for _, name := range keys(conformance.Fixtures{}) {
		if !regexp.MustCompile(`(?m)(^ +|\$fixtures\.)` + name + ` += `).MatchString(written) {
			t.Errorf("nothing writes %s", name)
		}
	}
	for what, of := range map[string]any{"disk": conformance.FixtureDisk{}, "machine": conformance.FixtureMachine{}} {
		for _, name := range keys(of) {
			if !regexp.MustCompile(`(@\{ ?|; |\$disk\.)'?` + name + `'? = `).MatchString(script) {
				t.Errorf("no %s has %s", what, name)
			}
		}
	}

	_, fixtures := rehearsal.Host("of a rehearsal", 0)
	var want, got []string
	for _, d := range fixtures.Disks {
		want = append(want, d.For)
	}
	names := regexp.MustCompile(`Add-Disk '([^']+)'|'for' = '([^']+)'|foreach \(\$for in ([^)]+)\)`)
	for _, m := range names.FindAllStringSubmatch(script, -1) {
		for purpose := range strings.SplitSeq(m[1]+m[2]+m[3], ",") {
			got = append(got, strings.Trim(purpose, " '"))
		}
	}
	want = append(want, "refs") // the simulated host knows no file systems
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("disks (-simulated +set-up):\n%s", diff)
	}

	want, got = nil, nil
	for _, m := range fixtures.Machines {
		want = append(want, strings.TrimPrefix(m.Name, "hvc-")+" "+m.State)
	}
	for _, m := range regexp.MustCompile(`Add-Machine '([a-z]+)' '([a-z]+)'`).FindAllStringSubmatch(script, -1) {
		got = append(got, m[1]+" "+m[2])
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("machines (-simulated +set-up):\n%s", diff)
	}
}

// TestSetupVariables: the set-up exports the variables that the steps read, and no others.
func TestSetupVariables(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(root, ".ci", "hyperv-steps.sh"))
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^Export-Variable ([A-Z_]+) `).FindAllStringSubmatch(setup(t), -1) {
		exported[m[1]] = true
	}
	// These have a value of their own on a host with the usual ports.
	optional := []string{"HVC_PORT_HTTP", "HVC_PORT_HTTPS", "HVC_AUTH", "HVC_KIT_FLAGS"}
	read := map[string]bool{}
	for _, name := range regexp.MustCompile(`\$\{?(HVC_[A-Z_]+)`).FindAllStringSubmatch(string(b), -1) {
		read[name[1]] = true
		if !exported[name[1]] && !slices.Contains(optional, name[1]) {
			t.Errorf("nothing exports %s", name[1])
		}
	}
	for name := range exported {
		if strings.HasPrefix(name, "HVC_") && !read[name] {
			t.Errorf("nobody reads %s", name)
		}
	}
	for _, name := range []string{"HYPERV_HOST", "HYPERV_USERNAME", "HYPERV_PASSWORD", "HYPERV_CACERT_PATH"} {
		if !exported[name] {
			t.Errorf("nothing exports %s", name)
		}
	}
}

// TestFixtures_unknown: unknown fields in the file of the set-up are ignored.
func TestFixtures_unknown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "fixtures.json")
	text, err := json.Marshal(map[string]any{
		"machines": []any{}, "setup": map[string]any{"logons": "10.0.26100"},
		"disks": []any{map[string]any{"for": "modes", "path": `D:\a.vhdx`, "length": 7, "block_size": 1 << 25, "optimized": 9}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := conformance.ReadFixtures(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]conformance.FixtureDisk{{For: "modes", Path: `D:\a.vhdx`, BlockSize: 1 << 25, Optimized: 9}}, f.Disks); diff != "" {
		t.Errorf("disks (-want +got):\n%s", diff)
	}
}
