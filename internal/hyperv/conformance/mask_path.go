package conformance

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// wholePath matches a text that is a path and nothing else.
	wholePath = regexp.MustCompile(`^([A-Za-z]:[\\/]|\\\\)[^<>"|\r\n;]*$`)
	pathParts = regexp.MustCompile(`[\\/]+|[^\\/]+`)
	// plainPart matches the parts of paths that every Windows has, and the names that the kit gives
	// to files, which hold a random identifier.
	plainPart = regexp.MustCompile(`(?i)^([a-z]:|[?.]|localhost|windows|documents and settings|volume\{[0-9a-f-]{36}\}|` + prefix + `(none-)?[0-9a-f-]{36}\.a?vhdx?)$`)
	diskFile  = regexp.MustCompile(`(?i)\.(a?vhdx?|vhds)$`)
)

// path replaces the names in a path. Its form stays: the drive, its depth, the
// kind of disk that it names, and the case of its letters.
func (m *mask) path(s string) string {
	return pathParts.ReplaceAllStringFunc(s, func(part string) string {
		switch {
		case strings.ContainsAny(part, `\/`):
			return part
		case plainPart.MatchString(part) && !m.knows(part):
			return guidForm.ReplaceAllStringFunc(part, func(id string) string { return m.alias("guid", id) })
		}
		extension := diskFile.FindString(part)
		return likeCase(m.alias("name", strings.TrimSuffix(part, extension)), part) + extension
	})
}

// knows reports whether a text is one that must not be revealed.
func (m *mask) knows(s string) bool {
	return slices.ContainsFunc(m.known, func(id identifier) bool { return strings.EqualFold(id.text, s) })
}

// likeCase gives a replacement the letter case of what it replaces, because
// some answers are about letter case.
func likeCase(alias, original string) string {
	switch original {
	case strings.ToLower(original):
		return alias
	case strings.ToUpper(original):
		return strings.ToUpper(alias)
	}
	return strings.ToUpper(alias[:1]) + alias[1:]
}

// isPlainPath reports whether a path names nothing but what every Windows has.
func isPlainPath(s string) bool {
	if !wholePath.MatchString(s) {
		return false
	}
	for _, part := range pathParts.FindAllString(s, -1) {
		if !strings.ContainsAny(part, `\/`) && !plainPart.MatchString(part) {
			return false
		}
	}
	return true
}
