package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// Report is what a run found out.
type Report struct {
	// Kit is the version of the kit.
	Kit            string    `json:"kit"`
	Started        time.Time `json:"started"`
	DurationMillis int64     `json:"duration_ms"`
	Host           HostFacts `json:"host"`
	// Summary counts the findings by result.
	Summary  map[Result]int `json:"summary"`
	Findings []Finding      `json:"findings"`
	// LeftBehind says that something could not be removed from the host, or that it
	// is not known whether something is left.
	LeftBehind bool `json:"left_behind"`

	kit *kit
}

// HostFacts holds what a report says about the host.
type HostFacts struct {
	ProductVendor  string `json:"product_vendor,omitempty"`
	ProductVersion string `json:"product_version,omitempty"`
	WindowsVersion string `json:"windows_version,omitempty"`
	// Namespace is the namespace of the generation of the Hyper-V provider that was asked.
	Namespace string `json:"namespace,omitempty"`
	// HTTPS and Auth say how it was asked.
	HTTPS bool        `json:"https"`
	Auth  hyperv.Auth `json:"auth,omitempty"`
}

// Name distinguishes hosts and ways of asking.
func (h HostFacts) Name() string {
	transport := "http"
	if h.HTTPS {
		transport = "https"
	}
	return fmt.Sprintf("Windows %s over %s, %s", orElse(h.WindowsVersion, "of an unknown version"), transport, orElse(string(h.Auth), "logon unknown"))
}

// tidy removes from a finding what could identify the host.
func (k *kit) tidy(s string) string {
	if s == "" {
		return ""
	}
	return k.newMask().line(s)
}

func (r *Report) finish(left error) {
	m := r.kit.newMask()
	r.LeftBehind = left != nil
	r.Host.ProductVendor, r.Host.ProductVersion, r.Host.WindowsVersion = m.value(r.Host.ProductVendor), m.value(r.Host.ProductVersion), m.value(r.Host.WindowsVersion)
	r.Summary = map[Result]int{Held: 0, Contradicted: 0, NotTested: 0}
	for _, f := range r.Findings {
		r.Summary[f.Result]++
	}
}

// Text renders the report for people.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "hyperv-conformance %s, %s, %.1f s\n", r.Kit, r.Started.Format(time.RFC3339), float64(r.DurationMillis)/1000)
	fmt.Fprintf(&b, "Host: %s, %s, %s, %s\n", orElse(r.Host.ProductVendor, "?"), orElse(r.Host.ProductVersion, "?"), r.Host.Name(), orElse(r.Host.Namespace, "no Hyper-V"))
	fmt.Fprintf(&b, "%d held, %d contradicted, %d not tested\n", r.Summary[Held], r.Summary[Contradicted], r.Summary[NotTested])
	if r.LeftBehind {
		b.WriteString("Something that the kit made, or a job of it, may still be on the host; the output of the run names it.\n")
	}
	for _, result := range []Result{Contradicted, Held, NotTested} {
		fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(string(result)))
		for _, f := range r.Findings {
			if f.Result == result {
				fmt.Fprintf(&b, "  %s [%s] %s\n    %s (%d ms)\n", f.ID, f.Evidence, f.Claim, orElse(f.Seen, f.Why), f.DurationMillis)
			}
		}
	}
	return b.String()
}

// The files of a report.
const (
	fileText       = "report.txt"
	fileJSON       = "report.json"
	fileRecordings = "recordings.json"
)

// Write writes the report and the recordings into a directory, made if need be,
// and searches them for everything that must not be in them. After a hit all of
// them are deleted.
func (r *Report) Write(directory string) error {
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return err
	}
	report, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	recordings, err := json.MarshalIndent(r.recordings(), "", " ")
	if err != nil {
		return err
	}
	files := map[string][]byte{fileText: []byte(r.Text()), fileJSON: report, fileRecordings: recordings}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(directory, name), content, 0o600); err != nil {
			return errors.Join(err, discard(directory))
		}
	}
	if err := r.verify(directory); err != nil {
		return errors.Join(err, discard(directory))
	}
	return nil
}

func discard(directory string) error {
	var errs []error
	for _, name := range []string{fileText, fileJSON, fileRecordings} {
		if err := os.Remove(filepath.Join(directory, name)); err != nil && !os.IsNotExist(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// LeakError says that a file held something that it must not hold; the files have been deleted.
type LeakError struct{ File, Kind string }

// Error implements error. It does not repeat what was found.
func (e *LeakError) Error() string {
	return fmt.Sprintf("%s would have held %s; the report was deleted, please tell the developers", e.File, e.Kind)
}

// verify searches the files as they are on the disk.
func (r *Report) verify(directory string) error {
	for _, name := range []string{fileText, fileJSON, fileRecordings} {
		content, err := os.ReadFile(filepath.Join(directory, name)) //nolint:gosec // G304: it was written a moment ago
		if err != nil {
			return err
		}
		if kind := r.kit.leak(string(content)); kind != "" {
			return &LeakError{File: name, Kind: kind}
		}
	}
	return nil
}

// leak returns the kind of what a text holds but must not hold, empty if there is nothing.
func (k *kit) leak(content string) string {
	switch {
	case holdsSecret(content, k.options.Config.Password):
		return "the password"
	case k.holdsName(content):
		return "a name or an address"
	case k.holdsIdentifier(content):
		return "an identifier of the host"
	}
	return ""
}

func holdsSecret(content, password string) bool {
	return password != "" && slices.ContainsFunc(forms(password), func(form string) bool {
		return len(form) >= 4 && strings.Contains(content, form) || wordForm(form).MatchString(content)
	})
}

func (k *kit) holdsName(content string) bool {
	folded := strings.ToLower(content)
	for _, id := range k.newMask().known {
		for _, form := range forms(id.text) {
			if strings.Contains(folded, strings.ToLower(form)) && wordForm(form).MatchString(content) {
				return true
			}
		}
	}
	return false
}

func (k *kit) holdsIdentifier(content string) bool {
	known := map[string]bool{}
	for _, e := range k.tape.since(0) {
		for id := range identifiers(e.answer) {
			known[id] = true
		}
	}
	for id := range identifiers(content) {
		if known[id] {
			return true
		}
	}
	return false
}

// identifiers yields the GUIDs in a text, in lower case. One can begin in the last digits of another.
func identifiers(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			at := guidForm.FindStringIndex(text)
			if at == nil || !yield(strings.ToLower(text[at[0]:at[1]])) {
				return
			}
			text = text[at[1]-8:]
		}
	}
}

// forms are the ways in which a text can stand in a file, each once.
func forms(s string) []string {
	list := []string{s, escape(s)}
	for _, text := range list[:2] {
		if quoted, err := json.Marshal(text); err == nil {
			list = append(list, strings.Trim(string(quoted), `"`))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
