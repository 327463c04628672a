package winpath

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quotes are the quotation marks that programs put around text that is copied from them.
const quotes = "\"'`“”„‟‘’‚‛«»‹›"

// checkStray refuses characters that no one writes on purpose: they come along when a path is
// copied, and some of them cannot be seen. Windows would take most of them for a part of the name
// and not find the file.
func checkStray(path string) refusal {
	first, _ := utf8.DecodeRuneInString(path)
	last, _ := utf8.DecodeLastRuneInString(path)
	for _, r := range [...]rune{first, last} {
		if strings.ContainsRune(quotes, r) {
			return refusal{"the path holds " + Describe(r), "Write the path without the quotes."}
		}
	}
	if strings.ContainsRune(",;", last) {
		return refusal{fmt.Sprintf("the path ends in %s, which is no part of it", Describe(last)), "Write the path without it."}
	}
	for _, r := range path {
		if isHidden(r) {
			return refusal{"the path holds " + Describe(r), "Type the path again, or paste it as plain text: invisible characters may stay behind."}
		}
	}
	return refusal{}
}

// isHidden reports whether a character cannot be seen, or looks like a plain space.
// Joiners (U+200C, U+200D) and the ideographic space (U+3000) are part of words.
func isHidden(r rune) bool {
	switch r {
	case ' ', '\u200c', '\u200d', '\u3000':
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Zs, unicode.Zl, unicode.Zp)
}

// Describe names a character by its code point and says how it usually comes into a
// name, where that is known.
func Describe(r rune) string {
	code := fmt.Sprintf("U+%04X", r)
	switch {
	case strings.ContainsRune(quotes, r):
		return fmt.Sprintf("the quote %c (%s), which was copied along", r, code)
	case unicode.Is(unicode.Cf, r):
		return "the hidden character " + code + origins[r]
	case unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp) && r != ' ':
		return "the space " + code + ", which is not the plain one"
	case r == '\u2013' || r == '\u2014' || r == '\u2212':
		return fmt.Sprintf("the dash %c (%s), which is not the plain hyphen", r, code)
	case unicode.IsPrint(r) && r != ' ':
		return fmt.Sprintf("the character %c (%s)", r, code)
	}
	return "the character " + code
}

// origins says where hidden characters come from, as the end of a sentence.
var origins = map[rune]string{
	'\u202a': ", which Windows puts before a path that is copied from the properties of a file",
	'\ufeff': ", the byte order mark of a text file",
}
