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
	"Set-Content":                  nil,
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

// rows are those of the guide's tables, by their first cell: the tests that hold them, in
// the file that is named, or the page that says so.
var rows = map[string]struct{ tests, page string }{
	"settings of the command line": {page: "CLI Configuration File (.terraformrc or terraform.rc); OpenTofu: CLI Configuration File"},
	"the same, named":              {page: "Environment Variables: TF_CLI_CONFIG_FILE"},
	"providers":                    {page: "CLI Configuration File: Provider Plugin Cache"},

	"SecretManagement, SecretStore": {page: "Get-Secret; Set-SecretStoreConfiguration"},
	"a file of `Export-Clixml`":     {page: "Export-Clixml, example 3: encrypt an exported credential object on Windows"},
	"a variable of the machine":     {page: "about_Environment_Variables, scopes"},

	"Ctrl-C":                            {tests: "../e2e/kill_test.go TestInterrupted"},
	"Ctrl-C twice, Ctrl-Break after it": {tests: "../e2e/kill_test.go TestInterrupted_twice; ../process/process_windows_internal_test.go TestConsole"},
	"the window or tab is closed":       {tests: "../process/process_windows_internal_test.go TestConsole TestParentGone"},
	"Terraform alone is killed":         {tests: "../interop/wine/terraform_test.go TestParentKilled"},
	"a whole tree is killed: the time limit of a task, `taskkill /T`, a runner": {
		tests: "../e2e/acc_interrupted_test.go TestAccKilled", page: "taskkill; ITaskSettings::get_AllowHardTerminate; TerminateProcess",
	},
	"log off, shut down": {page: "HandlerRoutine callback function: CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT and their time-outs"},
}

// tableRow is a row of Markdown below the line that ends the head of a table.
var tableRow = regexp.MustCompile(`(?m)^\| ([^|]*[^|\s-][^|]*) \|`)

// TestGuideOfWindows_tables: every row of a table is covered by tests that exist, or has a page
// that says so.
func TestGuideOfWindows_tables(t *testing.T) {
	t.Parallel()
	found := map[string]bool{"what": true, "store": true, "event": true} // heads
	for _, m := range tableRow.FindAllStringSubmatch(guideOfWindows(t), -1) {
		if _, ok := rows[m[1]]; !ok && !found[m[1]] {
			t.Errorf("the row %q has neither tests nor a page", m[1])
		}
		found[m[1]] = true
	}
	for row, by := range rows {
		if !found[row] {
			t.Errorf("no table has the row %q", row)
		}
		if by.tests == "" && by.page == "" {
			t.Errorf("nothing holds the row %q", row)
		}
		for list := range strings.SplitSeq(by.tests, "; ") {
			file, names, _ := strings.Cut(list, " ")
			for name := range strings.FieldsSeq(names) {
				if b, err := os.ReadFile(file); err != nil || !strings.Contains(string(b), "func "+name+"(") {
					t.Errorf("row %q: %s has no test %s (%v)", row, file, name, err)
				}
			}
		}
	}
}

// TestGuideOfWindows_exit: a script that runs Terraform ends with its code, and does not
// end well where Terraform cannot be started.
func TestGuideOfWindows_exit(t *testing.T) {
	t.Parallel()
	scripts := 0
	for _, m := range powershell.FindAllStringSubmatch(guideOfWindows(t), -1) {
		before, after, runs := strings.Cut(m[1], "& terraform.exe ")
		if !runs {
			continue
		}
		scripts++
		_, then, _ := strings.Cut(after, "\n")
		kept := strings.HasPrefix(then, "$code = $LASTEXITCODE\n") && strings.HasSuffix(then, "\nexit $code\n")
		if !strings.Contains(before, "$global:LASTEXITCODE = 1") || !kept && !strings.HasSuffix(after, "\nexit $LASTEXITCODE\n") {
			t.Errorf("this script hides how Terraform ended:\n%s", m[1])
		}
	}
	if scripts == 0 {
		t.Error("no script runs Terraform")
	}
}

func guideOfWindows(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(guides + "windows.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestGuideOfWindows: the cmdlets and their parameters, attributes, environment variables and
// statuses that the guide of Windows names exist.
func TestGuideOfWindows(t *testing.T) {
	t.Parallel()
	text := guideOfWindows(t)
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
