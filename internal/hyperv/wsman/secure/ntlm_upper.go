package secure

import (
	"unicode"

	"golang.org/x/text/unicode/rangetable"
)

// cased are the characters of Unicode 5.1, whose case mappings Windows has kept.
var cased = rangetable.Assigned("5.1.0")

// upper maps each UTF-16 unit by itself, as MS-UCODEREF 3.1.5.3 has it.
//
// Its table (Windows 8 Upper Case Mapping Table) is the simple mapping of Unicode 5.1
// within the basic plane, of those characters that lower-casing gives back: a dotless
// i, a long s and a final sigma stay what they are, as do scripts whose capitals came
// later (Georgian, Cherokee).
func upper(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		if u := unicode.ToUpper(r); u <= 0xffff && unicode.ToLower(u) == r && unicode.Is(cased, r) && unicode.Is(cased, u) {
			runes[i] = u
		}
	}
	return string(runes)
}
