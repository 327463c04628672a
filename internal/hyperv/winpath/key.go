package winpath

import (
	"strings"
	"unicode"
)

// Key is the same for all spellings of one path: separators, letter case and what
// [Resolve] follows do not count. It is for comparing, not for sending to a host.
func Key(path string) string { return strings.Map(upper, Resolve(path)) }

// Equal reports whether two paths are spellings of one.
func Equal(a, b string) bool { return a == b || Key(a) == Key(b) }

// upper is the letter case rule of NTFS: one UTF-16 unit to one, kept in a
// table of each volume, without regard to language. Letters that share their
// capital with another (dotless i, long s, micro sign) are letters of their own
// there, except the final sigma. Taking two files for one would be worse than
// taking one for two, so letters in doubt are left as they are.
//
// Unverified on a real host (upcase-table): the table of a given version of Windows; later versions
// know more letters.
func upper(r rune) rune {
	const maxUnit, finalSigma, capitalSigma = 0xFFFF, 'ς', 'Σ'
	if r == finalSigma {
		return capitalSigma
	}
	u := unicode.ToUpper(r)
	if r > maxUnit || u > maxUnit || unicode.ToLower(u) != r {
		return r
	}
	return u
}
