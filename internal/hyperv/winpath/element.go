package winpath

import (
	"fmt"
	"strings"
	"unicode"
)

// checkElement returns the reason why no file or directory of Windows can have
// this name.
func checkElement(name string) refusal {
	if name == "." || name == ".." {
		return refusal{
			"the path holds the element " + name + ", so that one file would have many paths",
			"Write the path without " + name + ".",
		}
	}
	for _, r := range name {
		if refused := checkRune(name, r); refused != (refusal{}) {
			return refused
		}
	}
	trimmed := strings.TrimRight(name, ". ")
	switch last := name[len(name)-1]; {
	case trimmed == "":
		return refusal{fmt.Sprintf("the element %q is made of dots or spaces only, which Windows drops", name), "Write another name."}
	case last == '.' || last == ' ':
		return refusal{
			fmt.Sprintf("the element %q ends in a dot or a space, which Windows drops", name),
			fmt.Sprintf("Write %q.", trimmed),
		}
	case units(name) > maxElement:
		return refusal{"the path holds an element longer than 255 characters, the most that Windows takes", "Write a shorter name."}
	case isDevice(name):
		return refusal{fmt.Sprintf("the element %q is the name of a device to Windows", name), "Write another name."}
	}
	return refusal{}
}

func checkRune(name string, r rune) refusal {
	switch {
	case r == '*' || r == '?':
		return refusal{
			fmt.Sprintf("the element %q holds a wildcard", name),
			"Write the path of one file.",
		}
	case r == ':':
		return refusal{
			fmt.Sprintf("the element %q holds a colon, which would name a stream within a file", name),
			"Write a colon after the drive letter only.",
		}
	case strings.ContainsRune(`<>"|`, r):
		return refusal{fmt.Sprintf("the element %q holds %c, which Windows forbids in names", name, r), fmt.Sprintf("Write the path without %c.", r)}
	case unicode.IsControl(r):
		return refusal{
			fmt.Sprintf("the element %q holds the control character U+%04X", name, r),
			"Write the path without it.",
		}
	}
	return refusal{}
}

// isDevice reports whether Windows takes name for a device, with any extension
// (Naming Files, Paths, and Namespaces).
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	number, ok := strings.CutPrefix(stem, "COM")
	if !ok {
		number, ok = strings.CutPrefix(stem, "LPT")
	}
	switch number {
	case "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return ok
	}
	return false
}
