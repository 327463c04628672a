package winpath

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quotes are the quotation marks that programs put around text that is copied from them.
const quotes = "\"'`“”„‟‘’‚‛«»‹›"

// Windows takes most of the characters refused here for a part of a name, and then finds no file.
// They are refused because they come along when a path is copied, and some of them cannot be seen.

// checkStart refuses a quote before a path.
func checkStart(path string) refusal {
	first, _ := utf8.DecodeRuneInString(path)
	return checkQuote(first)
}

// checkEnd refuses what follows the extension of a file. The name of a directory may end like this.
func checkEnd(path string) refusal {
	last, _ := utf8.DecodeLastRuneInString(path)
	if strings.ContainsRune(",;", last) {
		return refusal{fmt.Sprintf("the path ends in %s, which is no part of it", Describe(last)), "Write the path without it."}
	}
	return checkQuote(last)
}

func checkQuote(r rune) refusal {
	if !strings.ContainsRune(quotes, r) {
		return refusal{}
	}
	return refusal{"the path holds " + Describe(r), "Write the path without the quotes."}
}

// checkHidden refuses what cannot be seen.
func checkHidden(path string) refusal {
	for _, r := range path {
		if isHidden(r) {
			return refusal{"the path holds " + Describe(r), "Type the path again, or paste it as plain text: invisible characters may stay behind. A file whose name really holds this character must be renamed first."}
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
