package hyperv

import "strings"

// powerShellQuotes doubles every character that PowerShell takes for a single quote, which the
// quotation marks of a word processor are too (language specification, 2.3.5.2): doubled, it stands
// for itself.
var powerShellQuotes = strings.NewReplacer(
	"'", "''",
	"\u2018", "\u2018\u2018",
	"\u2019", "\u2019\u2019",
	"\u201A", "\u201A\u201A",
	"\u201B", "\u201B\u201B",
)

// quotePowerShell returns the text as a string of PowerShell in which nothing is expanded.
func quotePowerShell(text string) string { return "'" + powerShellQuotes.Replace(text) + "'" }

// DismountCommand returns the command of PowerShell by which a person detaches a disk.
func DismountCommand(path string) string { return "Dismount-VHD -Path " + quotePowerShell(path) }
