package winpath

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// Form is the form of path that [Check] and [CheckDirectory] accept, for messages.
const Form = `an absolute path on the host such as D:\VMs\web01.vhdx, \\server\share\web01.vhdx or \\?\Volume{GUID}\web01.vhdx; / may stand for \`

// Error says why a path is refused and what to do about it.
type Error struct {
	Path   string
	Reason string
	Fix    string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%q %s. %s", e.Path, e.Reason, e.Fix) }

// maxUnits is the longest path of Windows in UTF-16 code units.
const maxUnits = 32767

// Check reports why path cannot be a virtual hard disk that is compacted; nil
// when it can.
func Check(path string) error {
	if err := checkForm(path); err != nil {
		return err
	}
	if strings.HasSuffix(strings.ReplaceAll(path, "/", `\`), `\`) {
		return &Error{path, "names a directory", "Name the .vhd or .vhdx file in it."}
	}
	return checkExtension(path)
}

// CheckDirectory reports why path cannot be a directory; nil when it can.
func CheckDirectory(path string) error { return checkForm(path) }

func checkForm(path string) error {
	fail := func(reason, fix string) error { return &Error{path, reason, fix} }
	if strings.TrimSpace(path) == "" {
		return fail("is empty", "Give "+Form+".")
	}
	if len(utf16.Encode([]rune(path))) > maxUnits {
		return &Error{path[:64] + "…", "is longer than Windows allows (32,767 UTF-16 units)", "Shorten it."}
	}
	k, _, rest := split(Normalize(path))
	switch k {
	case kindRelative:
		return fail("is not absolute", "Give "+Form+".")
	case kindDevice:
		return fail("is a device path", "Give "+Form+".")
	case kindDrive, kindUNC, kindVolume:
	}
	if rest == "" {
		return nil // a root: a directory, never a disk
	}
	for part := range strings.SplitSeq(rest, `\`) {
		if reason, fix := checkPart(part); reason != "" {
			return fail(reason, fix)
		}
	}
	return nil
}

// reserved are the names of devices, with any extension (Win32 naming rules).
var reserved = regexp.MustCompile(`(?i)^(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³]|CONIN\$|CONOUT\$)(?:\..*)?$`)

func checkPart(part string) (reason, fix string) {
	switch i := strings.IndexAny(part, `<>"|?*:`); {
	case i >= 0 && (part[i] == '*' || part[i] == '?'):
		return "has the wildcard " + part[i:i+1], "Name one file; use for_each for several, with the data source hyperv_vhds to find them."
	case i >= 0:
		return fmt.Sprintf("has the character %s, which Windows forbids in names", part[i:i+1]), "Name the file as it is called on the host."
	case strings.ContainsFunc(part, func(r rune) bool { return r < 0x20 }):
		return "has a control character", "Write backslashes in quotes twice (\"D:\\\\VMs\\\\web01.vhdx\") or use /."
	case part == "." || part == "..":
		return "has the relative part " + part, "Write the path out."
	case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
		return fmt.Sprintf("has the part %q, whose last dot or space Windows drops", part), "Leave it out."
	case reserved.MatchString(part):
		return fmt.Sprintf("has the part %q, which names a device", part), "Name the file as it is called on the host."
	}
	return "", ""
}

// Extensions are the extensions of disks that can be compacted.
var extensions = []string{".vhd", ".vhdx"}

// refusals says what other files of Hyper-V are, and what to do with them.
var refusals = map[string][2]string{
	".avhd":  {"is the differencing disk of a checkpoint", "Delete the checkpoint, which merges it, and compact the .vhd."},
	".avhdx": {"is the differencing disk of a checkpoint", "Delete the checkpoint, which merges it, and compact the .vhdx."},
	".vhds":  {"is a VHD Set", "VHD Sets are optimised by another method (Optimize-VHDSet on the host)."},
	".rct":   {"is a change tracking file", "Name the .vhdx that it belongs to."},
	".mrt":   {"is a change tracking file", "Name the .vhdx that it belongs to."},
	".hrl":   {"is a replication log", "Name the .vhdx that it belongs to."},
	".iso":   {"is a disc image", "Only .vhd and .vhdx files can be compacted."},
	".vfd":   {"is a floppy disk image", "Only .vhd and .vhdx files can be compacted."},
}

func checkExtension(path string) error {
	ext := strings.ToLower(Ext(path))
	if slices.Contains(extensions, ext) && Base(path) != ext {
		return nil
	}
	if r, ok := refusals[ext]; ok {
		return &Error{path, r[0], r[1]}
	}
	return &Error{path, "is no virtual hard disk by its name", "Only .vhd and .vhdx files can be compacted."}
}
