package provider

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// linebreak is a line break with the white space around it.
var linebreak = regexp.MustCompile(`\s*[\t\r\n]\s*`)

// plain returns a text for people, such as the name of a machine or what a host says about an
// error, in a form that can neither pass for another line of ours nor command a terminal: on one
// line, with the characters that are no part of words written by their code points. Whoever may
// name a virtual machine would otherwise write what an administrator reads. Every text that may
// hold one of a host goes through it once, where it leaves the provider to be read: in a
// diagnostic, in status_detail, in progress and in the name of a listed disk. Values that are
// compared or sent stay as they are.
func plain(text string) string {
	var b strings.Builder
	for _, r := range strings.Trim(linebreak.ReplaceAllString(text, " "), " ") {
		if isCommanding(r) {
			fmt.Fprintf(&b, "<U+%04X>", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isCommanding reports whether a character tells a terminal what to do, changes the order in which
// others are read, or cannot be seen. Joiners (U+200C, U+200D) are part of words.
func isCommanding(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\u200c' && r != '\u200d'
}

// plainLines writes texts that may hold those of a host, each on a line of its own.
func plainLines(texts ...string) string {
	var all []string
	for _, text := range texts {
		all = append(all, plain(text))
	}
	return strings.Join(all, "\n")
}
