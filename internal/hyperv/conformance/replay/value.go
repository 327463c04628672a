package replay

import (
	"path"
	"regexp"
	"strings"
	"time"
)

var (
	guidForm = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	// alias matches what a mask writes in place of a text.
	alias      = regexp.MustCompile(`(?i)\b(text|name|address)-\d+\b`)
	dateForm   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
	dmtfForm   = regexp.MustCompile(`^\d{14}\.\d{6}[+-]\d{3}$`)
	longBefore = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
)

// ofTheMoment are the properties of a job that show its progress.
var ofTheMoment = map[string]bool{
	"ElapsedTime": true, "PercentComplete": true, "JobState": true, "JobStatus": true, "StatusDescriptions": true,
}

// value compares a text with its counterpart.
func (c *comparison) value(at, recorded, simulated string) {
	switch {
	case c.moment && isOfTheMoment(at):
		c.skip(at, ReasonMoment)
		return
	case path.Base(path.Dir(at)) == "ElapsedTime":
		c.form(at, recorded, simulated, ReasonTime)
		return
	}
	if have, ok := date(recorded); ok {
		c.date(at, have, recorded, simulated)
		return
	}
	c.text(at, recorded, simulated)
}

// isOfTheMoment looks at the last two steps of a path: times have an element of
// their own, and texts that are lists are numbered.
func isOfTheMoment(at string) bool {
	for _, name := range []string{path.Base(at), path.Base(path.Dir(at))} {
		name, _, _ = strings.Cut(name, "#")
		if ofTheMoment[name] {
			return true
		}
	}
	return false
}

// text compares with the replacements of masks and identifiers taken for names:
// equal ones must have equal counterparts.
func (c *comparison) text(at, recorded, simulated string) {
	if strip(recorded) != strip(simulated) {
		c.differ(at, kindOf(recorded, simulated), recorded, simulated)
		return
	}
	for _, form := range []*regexp.Regexp{guidForm, alias} {
		as, bs := form.FindAllString(recorded, -1), form.FindAllString(simulated, -1)
		for i := range as {
			c.skip(at, reasonFor(form))
			if !c.names.agree(as[i], bs[i]) {
				c.differ(at, Value, recorded, simulated)
				return
			}
		}
	}
}

func reasonFor(form *regexp.Regexp) Reason {
	if form == guidForm {
		return ReasonIdentifier
	}
	return ReasonMasked
}

// strip leaves the part that must be the same in both texts; letter case
// counts, in replacements of names too.
func strip(s string) string {
	s = guidForm.ReplaceAllString(s, "{}")
	return alias.ReplaceAllStringFunc(s, func(a string) string { return a[:strings.IndexByte(a, '-')] })
}

func kindOf(recorded, simulated string) Kind {
	if alias.MatchString(recorded) != alias.MatchString(simulated) {
		return Form
	}
	return Value
}

// date reads a time in one of the forms of the wire. A time without a value is
// the zero time.
func date(s string) (time.Time, bool) {
	switch {
	case dateForm.MatchString(s):
		t, err := time.Parse(time.RFC3339Nano, s)
		if err == nil && t.Before(longBefore) {
			t = time.Time{}
		}
		return unsetAs(t), err == nil
	case dmtfForm.MatchString(s):
		t, err := time.Parse("20060102150405.000000", s[:21])
		return unsetAs(t), err == nil
	}
	return time.Time{}, false
}

// unsetAs maps the beginning of Windows' time to the zero time.
func unsetAs(t time.Time) time.Time {
	if t.Year() == 1601 {
		return time.Time{}
	}
	return t
}

func (c *comparison) date(at string, have time.Time, recorded, simulated string) {
	want, ok := date(simulated)
	switch {
	case !ok, timeForm(recorded) != timeForm(simulated), have.IsZero() != want.IsZero():
		c.differ(at, Form, recorded, simulated)
	case have.Sub(want).Abs() > time.Minute:
		c.differ(at, Value, recorded, simulated)
	default:
		c.skip(at, ReasonTime)
	}
}

// form compares the form of two times.
func (c *comparison) form(at, recorded, simulated string, reason Reason) {
	if timeForm(recorded) != timeForm(simulated) {
		c.differ(at, Form, recorded, simulated)
		return
	}
	c.skip(at, reason)
}

var (
	fraction = regexp.MustCompile(`\.\d+`)
	digits   = regexp.MustCompile(`\d+`)
	oneDigit = regexp.MustCompile(`\d`)
)

// timeForm is a time without its numbers. Fractions and, in intervals, how many
// digits a number has depend on the number itself.
func timeForm(s string) string {
	s = fraction.ReplaceAllString(s, "")
	if strings.HasPrefix(s, "P") {
		return digits.ReplaceAllString(s, "0")
	}
	return oneDigit.ReplaceAllString(s, "0")
}
