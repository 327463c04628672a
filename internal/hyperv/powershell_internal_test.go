package hyperv

import "testing"

// TestQuotePowerShell: each character at which PowerShell ends a string in single quotes is doubled,
// so that a path stays one string. All of them may stand in the name of a file.
func TestQuotePowerShell(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`D:\VMs\a.vhdx`:       `'D:\VMs\a.vhdx'`,
		``:                    `''`,
		"a'b":                 "'a''b'",
		"a\u2018b":            "'a\u2018\u2018b'",
		"a\u2019b":            "'a\u2019\u2019b'",
		"a\u201Ab":            "'a\u201A\u201Ab'",
		"a\u201Bb":            "'a\u201B\u201Bb'",
		"'\u2019\u2018":       "'''\u2019\u2019\u2018\u2018'",
		"\u2019\u2019":        "'\u2019\u2019\u2019\u2019'",
		"a`$b\u201C\u201D\"c": "'a`$b\u201C\u201D\"c'", // which end no such string
		"\u2032\u02BC\uFF07":  "'\u2032\u02BC\uFF07'",  // which look like one that does
		"C:\\Bob\u2019s; Remove-Item x \u2018\\a.vhdx": "'C:\\Bob\u2019\u2019s; Remove-Item x \u2018\u2018\\a.vhdx'",
	} {
		if got := quotePowerShell(text); got != want {
			t.Errorf("quotePowerShell(%q) = %q, want %q", text, got, want)
		}
	}
}
