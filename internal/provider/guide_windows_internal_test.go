package provider

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// cmdlets are those of the guide of Windows with the parameters that it gives them. They
// stand in Microsoft's reference, on the page with the name of the cmdlet: of the modules
// ScheduledTasks, Microsoft.PowerShell.Utility and .Management, ActiveDirectory and
// Microsoft.PowerShell.SecretManagement.
var cmdlets = map[string][]string{
	"New-ScheduledTaskAction":      {"Execute", "Argument", "WorkingDirectory"},
	"New-ScheduledTaskTrigger":     {"Weekly", "DaysOfWeek", "At"},
	"New-ScheduledTaskPrincipal":   {"UserId", "LogonType"},
	"New-ScheduledTaskSettingsSet": {"ExecutionTimeLimit", "MultipleInstances", "AllowStartIfOnBatteries", "DontStopIfGoingOnBatteries", "StartWhenAvailable"},
	"Register-ScheduledTask":       {"TaskName", "Action", "Trigger", "Principal", "Settings"},
	"New-TimeSpan":                 {"Hours"},
	"Remove-Item":                  nil,
	"Get-Secret":                   {"AsPlainText"},
	"Import-Clixml":                nil,
	"Export-Clixml":                nil,
	"Test-ADServiceAccount":        nil,
}

var (
	powershell = regexp.MustCompile("(?s)```powershell\n(.*?)```|`([^`\n]+)`")
	quoted     = regexp.MustCompile(`'[^']*'`)
	cmdlet     = regexp.MustCompile(`\b[A-Z][a-z]+-[A-Z][A-Za-z]+\b`)
	parameter  = regexp.MustCompile(`(?:^|\s)-([A-Z][A-Za-z]+)`)
	assigned   = regexp.MustCompile(`(?m)^ *([a-z_]+) *=`)
	terraform  = regexp.MustCompile("(?s)```terraform\n(.*?)```")
	sspiStatus = regexp.MustCompile(`0x8009[0-9A-F]{4}`)
)

// TestGuideOfWindows holds what the guide of Windows names to what there is: cmdlets and
// their parameters, attributes, environment variables and statuses.
func TestGuideOfWindows(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(guides + "windows.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	used := map[string]bool{}
	for _, m := range powershell.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(m[1] + m[2]) {
			checkCmdlets(t, quoted.ReplaceAllString(line, "''"), used)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cmdlets)) {
		if !used[name] {
			t.Errorf("the guide does not use %s", name)
		}
	}
	attributes := map[string]bool{"path": true, "spn": true}
	for name := range providerSchema().Attributes {
		attributes[name] = true
	}
	for _, m := range terraform.FindAllStringSubmatch(text, -1) {
		for _, name := range assigned.FindAllStringSubmatch(m[1], -1) {
			if !attributes[name[1]] {
				t.Errorf("there is no attribute %s", name[1])
			}
		}
	}
	for _, status := range sspiStatus.FindAllString(text, -1) {
		number, err := strconv.ParseUint(status, 0, 32)
		if err != nil || !slices.ContainsFunc(hyperv.Codes(), func(c hyperv.Code) bool { return uint64(c.Number) == number }) {
			t.Errorf("the status %s is not known", status)
		}
	}
}

// checkCmdlets looks at the parameters of one line, whose cmdlets may be nested.
func checkCmdlets(t *testing.T, line string, used map[string]bool) {
	t.Helper()
	var allowed []string
	for _, name := range cmdlet.FindAllString(line, -1) {
		parameters, ok := cmdlets[name]
		if !ok {
			t.Errorf("the guide uses %s, which the table lacks", name)
		}
		used[name] = true
		allowed = append(allowed, parameters...)
	}
	if len(allowed) == 0 {
		return // of another program
	}
	for _, p := range parameter.FindAllStringSubmatch(line, -1) {
		if !slices.Contains(allowed, p[1]) {
			t.Errorf("the table lacks the parameter %s in %q", p[1], line)
		}
	}
}
